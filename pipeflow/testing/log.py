"""What the server was asked, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

if TYPE_CHECKING:
    from pipeflow.testing.requests import SeenRequest

__all__ = ["RequestLog"]


@define
class RequestLog:
    """The requests since the start or the last `clear()`, in the order of their arrival."""

    _seen: dict[str, SeenRequest] = field(factory=dict, init=False)

    def begin(self, request: SeenRequest) -> None:
        """A request has arrived."""
        self._seen[request.correlation_id] = request

    def end(self, request: SeenRequest, status: int) -> None:
        """Its answer has this status. One that was forgotten meanwhile stays forgotten."""
        if request.correlation_id in self._seen:
            self._seen[request.correlation_id] = evolve(request, status=status)

    def clear(self) -> None:
        """Forget all of them."""
        self._seen.clear()

    @property
    def requests(self) -> list[SeenRequest]:
        """All of them."""
        return list(self._seen.values())

    def count(self, status: int | None = None) -> int:
        """How many there are, or how many were answered with this status."""
        if status is None:
            return len(self._seen)
        return sum(request.status == status for request in self.requests)

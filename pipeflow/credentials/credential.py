"""What every way to authenticate has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from yarl import URL

__all__ = ["Authorization", "Credential"]


@frozen
class Authorization:
    """What one request authenticates with, and where it may go.

    Attributes:
        base_url: The address that requests begin with. Only its origin (scheme, host and port)
            gets the headers.
        headers: The headers, whose values are secrets: give them as `Secret`, so that no `repr`
            shows them.
    """

    base_url: URL
    headers: Mapping[str, str] = field(repr=False)


@runtime_checkable
class Credential(Protocol):
    """Authenticates requests. Write one of your own for any other source of tokens.

    One credential serves many requests at once, so `authorization` and `refresh` are called from
    many tasks.
    """

    @property
    def base_url(self) -> URL | None:
        """The address that requests begin with, if it is known by now; for a `repr`."""
        ...

    async def authorization(self) -> Authorization:
        """What the next request authenticates with.

        It is called before each attempt, so keep the usual case fast. If it needs a request of its
        own, such as a refresh, bound its time; what it raises ends the attempt.
        """
        ...

    async def refresh(self, refused: Authorization) -> bool:
        """Looks for something better after a 401.

        It is called once for a request that was refused, outside the burst limit.

        Args:
            refused: What the request was sent with. Another task may have refreshed since.

        Returns:
            Whether the request should be sent once more.
        """
        ...

    async def close(self) -> None:
        """Ends what is under way in good order. It is called when the session closes."""
        ...

    def secrets(self) -> Iterable[str]:
        """Everything that must not show in an error: the current secrets and recent ones."""
        ...

"""What a watch tells."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records import FlowUpdate
    from pipeflow.watching.checkpoint import Checkpoint

__all__ = ["FlowEvent", "Kind"]

Kind: TypeAlias = Literal["new", "changed"]


@frozen(eq=False)
class FlowEvent:
    """One piece of news about a person, a deal or an organization.

    Attributes:
        person_id: The owner's id; that of the deal or organization where these are watched.
        kind: `"new"` for an update that was not there before, `"changed"` for one that was done,
            moved or edited.
        update: The update as it is now.
    """

    person_id: int
    kind: Kind
    update: FlowUpdate
    _checkpoint_after: Callable[[], Checkpoint] = field(repr=False)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Where the watch of this owner stands once this event is handled: a JSON-ready value.

        Save it together with what you made of the event. A watch that begins from it repeats
        nothing that came before and misses nothing that comes after.
        """
        return self._checkpoint_after()

"""What tells a record from all others, where in a history it belongs, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.records import FlowUpdate

__all__ = ["Identity", "Place", "content", "identity", "place"]

Identity: TypeAlias = tuple[str, int | str]
"""The kind of a record and its id."""

Place: TypeAlias = "tuple[datetime | None, bool]"
"""Its time, and whether it is an activity that is not done."""


def identity(update: FlowUpdate) -> Identity | None:
    """What tells a record from all others; None when the API gives it no id."""
    given = update.id
    return None if given is None else (update.object, given)


def place(update: FlowUpdate) -> Place:
    """What a record is sorted by; a known record whose place has changed has moved.

    Pipedrive sorts by time, with the activities that are not done before everything else.
    """
    return update.timestamp, update.is_planned


def content(update: FlowUpdate) -> int:
    """What a record says, as a hash."""
    return hash((update.object, update.timestamp, update.raw_json or repr(update.data)))

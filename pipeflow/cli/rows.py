"""An update in the cells of a row: when, who, what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from pipeflow.cli.printable import printable
from pipeflow.records import FieldChange
from pipeflow.records.sentences import ShortKeys

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.records import FlowUpdate

__all__ = ["Row", "row_of"]


@frozen
class Row:
    """What a reader wants to know of an update. The texts are safe to print, each on one line.

    Attributes:
        kind: The update's `object`.
        time: When it happened or, for a planned activity, when it is due; None if not said.
        who: Who did it, as in the update's sentence; empty if not said.
        what: What they did and, where the sentence does not say it, to which deal or organization.
        id: The record's own id, unique among its kind; empty if it has none.
        is_planned: Whether it is an activity still to be done, so not yet history.
    """

    kind: str
    time: datetime | None
    who: str
    what: str
    id: str
    is_planned: bool


def row_of(update: FlowUpdate, *, brief: bool) -> Row:
    """The cells of an update, with names instead of ids where the page had them.

    Args:
        update: The update.
        brief: Whether the 40 digits of a custom field's key are shortened to seven.
    """
    sentence = update.sentence(ShortKeys() if brief else None)
    what = printable(sentence.what)
    about = printable(_about(update))
    return Row(
        kind=printable(update.object),
        time=update.timestamp,
        who=printable(sentence.who),
        what=f"{what} · {about}" if about and about not in what else what,
        id=printable("" if update.id is None else str(update.id)),
        is_planned=update.is_planned,
    )


def _about(update: FlowUpdate) -> str:
    """The deal or organization of what does not name it by itself."""
    if not isinstance(update.data, FieldChange | dict):
        return ""
    deal = update.deal and update.deal.title
    organization = update.organization and update.organization.name
    return deal or organization or ""

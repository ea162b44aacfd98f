"""An update in the cells of a row: when, who, what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from pipeflow.cli.printable import printable
from pipeflow.records import Activity, Comment, FieldChange, MailMessage
from pipeflow.records.sentences import shorten

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.records import FlowUpdate

__all__ = ["Row", "row_of"]

_CUSTOM_FIELD = re.compile(r"([0-9a-f]{7})[0-9a-f]{33}(?=_|$)")


@frozen
class Row:
    """What a reader wants to know of an update. The texts are safe to print, each on one line.

    Attributes:
        kind: The update's `object`.
        time: When it happened or, for a planned activity, when it is due; None if not said.
        who: The name of the user or, for a mail, of the sender; empty if not said.
        what: What they did.
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
    who = _who(update)
    return Row(
        kind=printable(update.object),
        time=update.timestamp,
        who=printable(who),
        what=printable(_what(update, who, brief=brief)),
        id=printable(_record_id(update)),
        is_planned=isinstance(update.data, Activity) and not update.data.done,
    )


def _who(update: FlowUpdate) -> str:
    match update.data:
        case MailMessage(from_=senders):
            names = (sender.name or sender.email_address for sender in senders)
            return ", ".join(filter(None, names))
        case _:
            user = update.actor
            return "" if user is None else user.name or f"user {user.id}"


def _what(update: FlowUpdate, who: str, *, brief: bool) -> str:
    """The summary without who did it, and with the deal or organization that it does not name."""
    summary = update.summary(_short_field_names(update) if brief else None)
    for opening in (shorten(who), "Someone", "someone"):
        if opening and summary.startswith(opening):
            summary = summary.removeprefix(opening).removeprefix(":").lstrip()
            break
    if isinstance(update.data, FieldChange | dict):
        titles = (
            update.deal and update.deal.title,
            update.organization and update.organization.name,
        )
        title = next(filter(None, titles), None)
        if title is not None:
            return f"{summary} · {title}"
    return summary


def _short_field_names(update: FlowUpdate) -> dict[str, str]:
    match update.data:
        case FieldChange(field_key=key) if _CUSTOM_FIELD.match(key):
            return {key: _CUSTOM_FIELD.sub(r"custom field \1…", key)}
        case _:
            return {}


def _record_id(update: FlowUpdate) -> str:
    found: object
    match update.data:
        case dict() as data:
            found = data.get("id")
        case Comment(uuid=uuid):
            found = uuid
        case data:
            found = data.id
    # An id was once seen as `false`.
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) else ""

"""What an update says, in one plain line of text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pipeflow.records.activities import Activity
from pipeflow.records.changes import FieldChange
from pipeflow.records.comments import Comment
from pipeflow.records.files import File
from pipeflow.records.mail import MailMessage
from pipeflow.records.notes import Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeflow.records.json_text import Json
    from pipeflow.records.related import RelatedObjects
    from pipeflow.records.updates import FlowUpdate

__all__ = ["shorten", "summary_line"]

_LONGEST_TEXT = 100
_TAG = r"<[^<>]*>"
_INNER_CAPITAL = r"(?<=[a-z])(?=[A-Z])|_"

_NAMED_BY = {
    "org_id": "organizations",
    "person_id": "persons",
    "deal_id": "deals",
    "user_id": "users",
    "owner_id": "users",
    "creator_user_id": "users",
}


def summary_line(update: FlowUpdate, field_names: Mapping[str, str]) -> str:
    """The line of `FlowUpdate.summary`."""
    who = _who(update)
    match update.data:
        case FieldChange() as change:
            said = _change(change, update.related, field_names)
        case Activity() as activity:
            said = _activity(activity)
        case Note(content=content):
            said = f"wrote a note: {_plain_text(content)}"
        case File(name=name, file_name=file_name):
            said = f"added a file: {_plain(name or file_name)}"
        case Comment(content=content):
            said = f"commented: {_plain_text(content)}"
        case MailMessage() as mail:
            return _mail(mail)
        case _:
            kind = re.sub(_INNER_CAPITAL, " ", _plain(update.object)).lower()
            return f"{who}: {kind}" if update.actor else kind
    return f"{who} {said}"


def shorten(text: str, longest: int = _LONGEST_TEXT) -> str:
    """`text` on one line, without control characters, cut with `…` after `longest` characters."""
    line = "".join(char if char.isprintable() else " " for char in text[: longest * 4])
    line = " ".join(line.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _who(update: FlowUpdate) -> str:
    actor = update.actor
    if actor is None:
        return "Someone"
    return shorten(actor.name) if actor.name else f"user {actor.id}"


def _change(change: FieldChange, related: RelatedObjects, field_names: Mapping[str, str]) -> str:
    formatted = change.additional_data
    old = formatted and formatted.old_value_formatted
    new = formatted and formatted.new_value_formatted
    return (
        f"changed {_plain(field_names.get(change.field_key, change.field_key))}: "
        f"{_plain(old) if old else _value(change.field_key, change.old_value, related)} → "
        f"{_plain(new) if new else _value(change.field_key, change.new_value, related)}"
    )


def _value(key: str, value: Json, related: RelatedObjects) -> str:
    if type(value) is int and key in _NAMED_BY:
        named = getattr(related, _NAMED_BY[key]).get(value)
        name = named and (named.title if key == "deal_id" else named.name)
        if name:
            return shorten(name)
    if isinstance(value, list) and all(isinstance(part, str | int) for part in value):
        return _plain(", ".join(map(str, value)))
    if value is None or isinstance(value, str):
        return _plain(value)
    return shorten(json.dumps(value, ensure_ascii=False))


def _activity(activity: Activity) -> str:
    kind = _plain(activity.type_name or activity.type or "activity").lower()
    said = f"{'completed' if activity.done else 'planned'} {kind}: {_plain(activity.subject)}"
    if activity.done or activity.due_date is None:
        return said
    due = f"{activity.due_date}"
    if activity.due_time is not None:
        due += f" {activity.due_time:%H:%M}"
    return f"{said} (due {due})"


def _mail(mail: MailMessage) -> str:
    senders, receivers = (
        ", ".join(shorten(party.name or party.email_address or "someone") for party in parties)
        or "someone"
        for parties in (mail.from_, mail.to)
    )
    kind = "drafted a mail" if mail.draft_flag else "sent a mail"
    return f"{shorten(senders)} {kind} to {shorten(receivers)}: {_plain(mail.subject)}"


def _plain_text(markup: str | None) -> str:
    import html  # noqa: PLC0415 - its table of entities is large, and most programs need none

    return _plain(html.unescape(re.sub(_TAG, " ", (markup or "")[: _LONGEST_TEXT * 20])))


def _plain(text: str | None) -> str:
    return shorten(text or "") or "none"

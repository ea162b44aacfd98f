"""What an update says, as a sentence: who did what.

A sentence is made from the fields of `data`, whether that is a payload class, a class of your own
or the plain dict of a record whose shape is not published, or is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import attrs

from pipeflow.records.activities import Activity
from pipeflow.records.changes import FieldChange
from pipeflow.records.comments import Comment
from pipeflow.records.files import File
from pipeflow.records.mail import MailMessage
from pipeflow.records.notes import Note
from pipeflow.records.plain_text import plain_line, shorten

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from pipeflow.records.related import (
        RelatedDeal,
        RelatedObjects,
        RelatedOrganization,
        RelatedPerson,
        RelatedUser,
    )

__all__ = [
    "ChangedField",
    "Sentence",
    "ShortKeys",
    "UpdateLike",
    "UpdateNames",
    "changed_field",
    "sentence_of",
]


@attrs.frozen
class Sentence:
    """Who did what. Both texts are plain, on one line, and short.

    `str(sentence)` joins them.

    Attributes:
        who: The name of the user who did it, of a mail's sender, or of the person whom marketing
            reached; `user 7` where only the id is known. Empty when the update does not say.
        what: What they did: a verb and what belongs to it, such as `wrote a note: Likes tea`.
    """

    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.who or 'Someone'} {self.what}"


@attrs.frozen
class ChangedField:
    """The field that a change is about, and its values, as plain texts on one line.

    Attributes:
        name: The field's name, or its key.
        old: The value before; `none` where there was none.
        new: The value after.
    """

    name: str
    old: str
    new: str


class UpdateLike(Protocol):
    """What a sentence needs of a `FlowUpdate`."""

    @property
    def object(self) -> str:
        """The kind."""
        ...

    @property
    def data(self) -> Any:  # noqa: ANN401 - a payload, a class of the user's, or a dict
        """What happened."""
        ...

    @property
    def related(self) -> RelatedObjects:
        """What the ids stand for, as far as the page says."""
        ...

    @property
    def actor(self) -> RelatedUser | None:
        """Who did it."""
        ...

    @property
    def person(self) -> RelatedPerson | None:
        """The person it is about."""
        ...

    @property
    def organization(self) -> RelatedOrganization | None:
        """The organization it is about."""
        ...

    @property
    def deal(self) -> RelatedDeal | None:
        """The deal it is about."""
        ...


class UpdateNames(Protocol):
    """What gives names to ids and keys. Each method returns None for what it does not know."""

    def field_name(self, update: UpdateLike, /) -> str | None:
        """The name of the field that a change is about."""
        ...

    def value_text(self, update: UpdateLike, value: Json, /) -> str | None:
        """What a value of that field stands for, such as the label of an option."""
        ...

    def user_name(self, user_id: int, /) -> str | None:
        """The name of a user."""
        ...


@attrs.frozen
class _FieldNames:
    """A plain `{key: name}` mapping as `UpdateNames`: it knows fields only."""

    _names: Mapping[str, str]

    def field_name(self, update: UpdateLike, /) -> str | None:
        return self._names.get(_text(update.data, "field_key"))

    def value_text(self, update: UpdateLike, value: Json, /) -> str | None:  # noqa: ARG002
        return None

    def user_name(self, user_id: int, /) -> str | None:  # noqa: ARG002
        return None


@attrs.frozen
class ShortKeys:
    """Names for those who have none: the 40 digits of a custom field's key, cut to seven."""

    def field_name(self, update: UpdateLike, /) -> str | None:
        """`custom field 9dd7f1a…` for such a key."""
        key = _text(update.data, "field_key")
        return _CUSTOM_FIELD.sub(r"custom field \1…", key) if _CUSTOM_FIELD.match(key) else None

    def value_text(self, update: UpdateLike, value: Json, /) -> str | None:  # noqa: ARG002
        """Unknown."""
        return None

    def user_name(self, user_id: int, /) -> str | None:  # noqa: ARG002
        """Unknown."""
        return None


_CUSTOM_FIELD = re.compile(r"([0-9a-f]{7})[0-9a-f]{33}(?=_|$)")


def sentence_of(
    update: UpdateLike, names: UpdateNames | Mapping[str, str] | None = None
) -> Sentence:
    """What an update says.

    Args:
        update: The update.
        names: Names for what the update has as keys and ids; a plain mapping names fields.
    """
    names = _as_names(names)
    kind = update.object or _KIND_OF.get(type(update.data), "")
    if kind in _TOLD_BY_OTHERS:
        return _TOLD_BY_OTHERS[kind](update)
    tell = _VERBS.get(kind, _other)
    return Sentence(_actor(update, names), tell(update, names))


def changed_field(
    update: UpdateLike, names: UpdateNames | Mapping[str, str] | None = None
) -> ChangedField:
    """What a change says, as texts.

    Args:
        update: An update whose `data` is a change.
        names: As for `sentence_of`.
    """
    names = _as_names(names)
    key = _text(update.data, "field_key")
    formatted = _read(update.data, "additional_data")
    old, new = (
        shorten(_text(formatted, f"{which}_formatted"))
        or _value(update, key, _read(update.data, which), names)
        for which in ("old_value", "new_value")
    )
    return ChangedField(shorten(names.field_name(update) or key) or "a field", old, new)


def _as_names(names: UpdateNames | Mapping[str, str] | None) -> UpdateNames:
    return _FieldNames(names or {}) if names is None or isinstance(names, Mapping) else names


def _actor(update: UpdateLike, names: UpdateNames) -> str:
    actor = update.actor
    if actor is None:
        return ""
    known = actor.name or (None if actor.id is None else names.user_name(actor.id))
    return shorten(known) if known else f"user {actor.id}"


# Fields of `data`, whatever it is


def _read(data: object, key: str) -> Any:  # noqa: ANN401 - any JSON value, or a record
    if isinstance(data, Mapping):
        return data.get(key)
    return getattr(data, key, None)


def _text(data: object, *keys: str) -> str:
    """The first of these fields that holds a text or a number."""
    for key in keys:
        value = _read(data, key)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _flag(data: object, key: str) -> bool:
    return _read(data, key) in (True, "1", "true")


def _titled(what: str, title: str) -> str:
    title = shorten(title)
    return f"{what}: {title}" if title else what


def _words(key: str) -> str:
    """`marketing_status` or `dealChange` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", shorten(key)).lower()


def _with_state(said: str, state: str) -> str:
    return f"{said} ({_words(state)})" if state else said


# What was done


def _change(update: UpdateLike, names: UpdateNames) -> str:
    field = changed_field(update, names)
    return f"changed {field.name}: {field.old} → {field.new}"


_NAMED_BY = {
    "org_id": "organizations",
    "person_id": "persons",
    "deal_id": "deals",
    "user_id": "users",
    "owner_id": "users",
    "creator_user_id": "users",
}


def _value(update: UpdateLike, key: str, value: Json, names: UpdateNames) -> str:
    name = names.value_text(update, value) or _related_name(update.related, key, value)
    if name:
        return shorten(name)
    if isinstance(value, list) and all(isinstance(part, str | int) for part in value):
        value = ", ".join(map(str, value))
    if value is None or isinstance(value, str):
        return shorten(value or "") or "none"
    return shorten(json.dumps(value, ensure_ascii=False))


def _related_name(related: RelatedObjects, key: str, value: Json) -> str | None:
    # Ids come as strings, too.
    number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else value
    if type(number) is not int or key not in _NAMED_BY:
        return None
    found = getattr(related, _NAMED_BY[key]).get(number)
    return _text(found, "title", "name")


def _activity(update: UpdateLike, _names: UpdateNames) -> str:
    activity = update.data
    kind = shorten(_text(activity, "type_name", "type") or "activity").lower()
    subject = _text(activity, "subject")
    if _flag(activity, "done"):
        return _titled(f"completed {kind}", subject)
    said = _titled(f"planned {kind}", subject)
    day, time = (_read(activity, key) for key in ("due_date", "due_time"))
    if not day:
        return said
    clock = ":".join(str(time or "").split(":")[:2])
    return f"{said} (due {shorten(f'{day} {clock}')})"


def _note(update: UpdateLike, _names: UpdateNames) -> str:
    return _titled("wrote a note", plain_line(_text(update.data, "content")))


def _comment(update: UpdateLike, _names: UpdateNames) -> str:
    return _titled("commented", plain_line(_text(update.data, "content")))


def _file(update: UpdateLike, _names: UpdateNames) -> str:
    return _titled("added a file", _text(update.data, "name", "file_name"))


def _activity_file(update: UpdateLike, _names: UpdateNames) -> str:
    return _titled("added a file to an activity", _text(update.data, "name", "file_name"))


def _call(update: UpdateLike, _names: UpdateNames) -> str:
    subject = _text(update.data, "subject", "to_phone_number")
    return _with_state(_titled("made a call", subject), _text(update.data, "outcome"))


def _deal(update: UpdateLike, _names: UpdateNames) -> str:
    return _titled("opened a deal", _text(update.data, "title"))


def _participant(update: UpdateLike, _names: UpdateNames) -> str:
    name = shorten((update.person and update.person.name) or "") or "someone"
    if _text(update.data, "action") == "removed":
        return f"removed {name} from the participants"
    return f"added {name} as a participant"


def _follower(update: UpdateLike, _names: UpdateNames) -> str:
    followed = {
        "dealFollower": ("the deal", update.deal and update.deal.title),
        "personFollower": ("the person", update.person and update.person.name),
        "organizationFollower": (
            "the organization",
            update.organization and update.organization.name,
        ),
    }
    verb = "stopped" if _text(update.data, "action") == "removed" else "started"
    kind, name = followed.get(update.object, ("", None))
    return " ".join(filter(None, (verb, "following", kind, shorten(name or ""))))


def _invoice(update: UpdateLike, _names: UpdateNames) -> str:
    said = _titled("added an invoice", _text(update.data, "subject", "title", "name"))
    return _with_state(said, _text(update.data, "status"))


def _document(update: UpdateLike, _names: UpdateNames) -> str:
    said = _titled("added a document", _text(update.data, "title", "name", "subject"))
    return _with_state(said, _text(update.data, "status"))


def _marketing_status(update: UpdateLike, _names: UpdateNames) -> str:
    old, new = (_words(_text(update.data, key)) for key in ("old_value", "new_value"))
    if not new:
        return "changed the marketing status"
    return f"changed the marketing status: {old or 'none'} → {new}"


def _other(update: UpdateLike, _names: UpdateNames) -> str:
    kind = _words(update.object) or "something"
    return _titled(f"logged {kind}", _text(update.data, "subject", "title", "name"))


# What somebody else did than the user of the record


def _mail(update: UpdateLike) -> Sentence:
    mail = update.data
    verb = "drafted" if _flag(mail, "draft_flag") else "sent"
    senders = _read(mail, "from" if isinstance(mail, Mapping) else "from_")
    receivers = _parties(_read(mail, "to")) or "someone"
    what = _titled(f"{verb} a mail to {receivers}", _text(mail, "subject"))
    return Sentence(_parties(senders), what)


def _parties(parties: object) -> str:
    if not isinstance(parties, Iterable) or isinstance(parties, str):
        return ""
    names = (_text(party, "name", "email_address") for party in parties)
    return shorten(", ".join(shorten(name) or "someone" for name in names))


def _campaign(update: UpdateLike) -> Sentence:
    name = shorten((update.person and update.person.name) or "")
    said = _titled("received a campaign", _text(update.data, "campaign_name", "subject", "name"))
    return Sentence(name, _with_state(said, _text(update.data, "type", "status")))


_Tell: TypeAlias = Callable[[UpdateLike, UpdateNames], str]

_VERBS: dict[str, _Tell] = {
    "call": _call,
    "activity": _activity,
    "plannedActivity": _activity,
    "change": _change,
    "note": _note,
    "deal": _deal,
    "file": _file,
    "activityFile": _activity_file,
    "dealChange": _change,
    "personChange": _change,
    "organizationChange": _change,
    "follower": _follower,
    "dealFollower": _follower,
    "personFollower": _follower,
    "organizationFollower": _follower,
    "participant": _participant,
    "comment": _comment,
    "invoice": _invoice,
    "document": _document,
    "marketing_status_change": _marketing_status,
}
"""How the user's deed is told, by kind."""

_TOLD_BY_OTHERS: dict[str, Callable[[UpdateLike], Sentence]] = {
    "mailMessage": _mail,
    "mailMessageWithAttachment": _mail,
    "marketing_campaign_stat": _campaign,
}
"""The kinds that say by themselves whose deed they are."""

_KIND_OF: dict[type, str] = {
    FieldChange: "change",
    Activity: "activity",
    Note: "note",
    File: "file",
    MailMessage: "mailMessage",
    Comment: "comment",
}
"""The kind that a payload class stands for, in an update made without an `object`."""

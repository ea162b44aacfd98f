"""One entry of a history: what happened, when, and to what."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias, get_args

import attrs

from pipeflow.records.activities import Activity
from pipeflow.records.changes import FieldChange
from pipeflow.records.comments import Comment
from pipeflow.records.files import File
from pipeflow.records.json_text import Json, JsonText
from pipeflow.records.mail import MailMessage
from pipeflow.records.notes import Note
from pipeflow.records.plain_text import shorten
from pipeflow.records.related import (
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)
from pipeflow.records.sentences import Sentence, UpdateNames, sentence_of
from pipeflow.records.values import Record, read_id

__all__ = ["PAYLOADS", "ROW_COLUMNS", "FlowUpdate", "Payload"]

Payload: TypeAlias = FieldChange | Activity | Note | File | MailMessage | Comment
"""The classes of `FlowUpdate.data`, for the kinds whose shape Pipedrive publishes."""

PAYLOADS: dict[str, type[Record]] = {
    kind: payload for payload in get_args(Payload) for kind in payload.kinds
}
"""The classes by the values of `object`."""

ROW_COLUMNS: dict[str, type] = {
    "key": str,
    "object": str,
    "id": str,
    "timestamp": datetime,
    "offset": int,
    "is_planned": bool,
    "actor_id": int,
    "actor_name": str,
    "person_id": int,
    "person_name": str,
    "org_id": int,
    "org_name": str,
    "deal_id": int,
    "deal_title": str,
    "lead_id": str,
    "project_id": int,
    "who": str,
    "what": str,
    "subject": str,
    "text": str,
    "field_key": str,
    "old_value": str,
    "new_value": str,
    "decode_error": str,
}
"""The columns of `FlowUpdate.to_row` and their types; in each but the first two, None is nothing.

New columns come at the end, and none goes or changes its type.
"""

_ACTIVITIES = {"activity", "plannedActivity"}
_NOT_DONE = (False, "0", "false")  # and 0
_CHANGED = {
    "person_id": "personChange",
    "org_id": "organizationChange",
    "deal_id": "dealChange",
}


@attrs.frozen(kw_only=True, repr=False)
class FlowUpdate:
    """One entry of the history of a person, a deal or an organization.

    Updates are equal when `object`, `timestamp`, `data` and `raw` are, wherever in the history
    they stand. They hash when `data` does: a plain dict, or a list as the value of a changed
    field, does not. You can make them by hand, for tests; their `raw` is None. So is that of
    an update to which `attrs.evolve` gave another `object`, `timestamp` or `data`: what you took
    out of it is nowhere in it.

    Attributes:
        object: The kind, such as `personChange` or `activity`: an open set. It need not be the
            item that was asked for. Empty when the entry does not say.
        timestamp: When it happened, in UTC; None when the entry does not say. That of an activity
            is its due time, so it can lie in the future.
        data: What happened: one of the payload classes, or the plain dict where no shape is
            published for the kind or where `decode_error` says why not.
        offset: The position in the whole collection, counted from 0, at the time of asking.
        related: The users, persons, organizations and deals of the update's page.
        decode_error: None, or why `data` is a plain dict although its kind has a class: a text
            that starts with the place in the answer, such as `$.data[3].data.due_date`. It
            is a text, so that updates compare, pickle and log easily; with `strict=True` it is the
            message of the `DecodeError` that is raised instead.
    """

    object: str = ""
    timestamp: datetime | None = None
    data: Payload | dict[str, Any] = attrs.field(factory=dict)
    offset: int = attrs.field(default=0, eq=False)
    related: RelatedObjects = attrs.field(factory=RelatedObjects, eq=False)
    decode_error: str | None = attrs.field(default=None, eq=False)
    _json: JsonText | None = attrs.field(default=None, alias="json_text", hash=False)

    def __attrs_post_init__(self) -> None:
        text = self._json
        if text is None:
            return
        read = (text.kind, text.timestamp, text.data)
        if read != (self.object, self.timestamp, self.data):
            object.__setattr__(self, "_json", None)  # evolved: see `JsonText.data`

    @property
    def raw_json(self) -> bytes | None:
        """The JSON text of the entry; None for an update made by hand.

        Until it, or `raw`, is asked for, the update keeps the JSON of its whole page in memory.
        """
        return None if self._json is None else self._json.text

    @property
    def raw(self) -> Json:
        """The whole entry exactly as it came, usually a dict; read when first asked for."""
        return None if self._json is None else self._json.value

    @property
    def key(self) -> str:
        """A text that no other update of the history has, to store the update under.

        It is made of `object` and `id`, such as `note:31`, so an update that was edited keeps its
        key. One without an id has a digest of its content and its `offset` instead, as two that
        are equal can both be real. Such a key is good for one reading of the history: once the
        offsets have moved on, the same update has another key. A row may then be stored twice,
        but none is lost.
        """
        kind = self.object.replace("%", "%25").replace(":", "%3A")
        if self.id is not None:
            return f"{kind}:{self.id}"
        content = self.raw if self._json else attrs.asdict(self, filter=_is_content)
        text = json.dumps(content, sort_keys=True, default=str)
        return f"{kind}::{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}:{self.offset}"

    @property
    def id(self) -> int | str | None:
        """The record's own id, unique among those of its `object`; a comment's is its `uuid`.

        None where the API gives none, as for some kinds, or says `false`.
        """
        found = self._id("id")
        return self._id("uuid") if found is None else found

    @property
    def is_planned(self) -> bool:
        """Whether it is an activity still to be done, so not yet history.

        Such updates come before all others, and their `timestamp` is when they are due.
        """
        if self.object not in _ACTIVITIES:
            return False
        return self._field("done") in _NOT_DONE

    @property
    def actor(self) -> RelatedUser | None:
        """The user who did it, as far as the update says.

        The user that `data.user_id` names: who made a change, wrote a note or a comment, uploaded
        a file, whose activity or mailbox it is. When `related` does not have that user, the
        answer holds the id and what else `data` tells. None when no user is named.
        """
        user_id = self._reference("user_id")
        if user_id is None:
            return None
        if user_id in self.related.users:
            return self.related.users[user_id]
        match self.data:
            case Note(user=user) if user is not None:
                return RelatedUser(id=user_id, name=user.name, email=user.email)
            case Activity(owner_name=name):
                return RelatedUser(id=user_id, name=name)
            case _:
                return RelatedUser(id=user_id)

    @property
    def person(self) -> RelatedPerson | None:
        """The person it is about: changed, or linked to `data`; None when `related` has none."""
        return self.related.persons.get(self._reference("person_id"))  # type: ignore[arg-type]

    @property
    def organization(self) -> RelatedOrganization | None:
        """The organization it is about, in the same way as `person`."""
        return self.related.organizations.get(self._reference("org_id"))  # type: ignore[arg-type]

    @property
    def deal(self) -> RelatedDeal | None:
        """The deal it is about, in the same way as `person`."""
        return self.related.deals.get(self._reference("deal_id"))  # type: ignore[arg-type]

    def sentence(self, names: UpdateNames | Mapping[str, str] | None = None) -> Sentence:
        """What the update says, as who did what.

        Args:
            names: Names for what the update has as keys and ids. A plain mapping, such as
                `{"9dd7…": "Tier"}`, names fields.
        """
        return sentence_of(self, names)

    def summary(self, names: UpdateNames | Mapping[str, str] | None = None) -> str:
        """The sentence on one plain line: `Jane Doe changed org_id: none → Umbrella Corp.`.

        Args:
            names: As for `sentence`.
        """
        return str(sentence_of(self, names))

    def to_row(self, names: UpdateNames | Mapping[str, str] | None = None) -> dict[str, Any]:
        """The update as one flat row, for CSV or Parquet.

        Its keys are those of `ROW_COLUMNS`, always all of them and in that order, and its values
        are of the types there, or None. `id` and the values of a change are texts, as they are of
        several types; a value that is no text is written as JSON. `text` is that of a note, a
        comment, a mail or an activity, as HTML where the API has it so.

        Args:
            names: As for `sentence`; they are used for `who` and `what` only.
        """
        sentence = self.sentence(names)
        actor, person, organization, deal = self.actor, self.person, self.organization, self.deal
        row = {
            "key": self.key,
            "object": self.object,
            "id": None if self.id is None else str(self.id),
            "timestamp": self.timestamp,
            "offset": self.offset,
            "is_planned": self.is_planned,
            "actor_id": actor and actor.id,
            "actor_name": actor and actor.name,
            "person_id": self._reference("person_id"),
            "person_name": (person and person.name) or self._text("person_name"),
            "org_id": self._reference("org_id"),
            "org_name": (organization and organization.name) or self._text("org_name"),
            "deal_id": self._reference("deal_id"),
            "deal_title": (deal and deal.title) or self._text("deal_title", "deal_name"),
            "lead_id": self._text("lead_id"),
            "project_id": self._reference("project_id"),
            "who": sentence.who or None,
            "what": sentence.what,
            "subject": self._text("subject", "title", "name", "file_name"),
            "text": self._text("content", "note", "snippet"),
            "field_key": self._text("field_key"),
            "old_value": _cell(self._field("old_value")),
            "new_value": _cell(self._field("new_value")),
            "decode_error": self.decode_error,
        }
        return {column: row[column] for column in ROW_COLUMNS}

    def _text(self, *names: str) -> str | None:
        """The first of these fields that holds a text."""
        texts = (text for text in map(self._field, names) if isinstance(text, str))
        return next(filter(None, texts), None)

    def _reference(self, key: str) -> int | None:
        """The id that `data` gives under `key`; that of a changed object is its `item_id`."""
        if isinstance(self.data, FieldChange) and _CHANGED.get(key) == self.object:
            key = "item_id"
        found = self._id(key)
        return found if isinstance(found, int) else None

    def _id(self, key: str) -> int | str | None:
        return read_id(self._field(key))

    def _field(self, name: str) -> Any:  # noqa: ANN401 - whatever `data` holds
        """What `data` has under a name, or where a class of the user's has no such field, `raw`."""
        data: object = self.data
        if not isinstance(data, dict) and hasattr(data, name):
            return getattr(data, name)
        if not isinstance(data, dict | Record):
            data = self.raw.get("data") if isinstance(self.raw, dict) else None
        return data.get(name) if isinstance(data, dict) else None

    def __repr__(self) -> str:
        error = f", decode_error={self.decode_error!r}" if self.decode_error else ""
        data = shorten(repr(self.data), 160)
        return f"FlowUpdate({self.object!r}, {self.timestamp}, {data}, offset={self.offset}{error})"


def _is_content(field: "attrs.Attribute[Any]", _: object) -> bool:
    return field.name not in {"offset", "related", "decode_error", "_json"}


def _cell(value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)

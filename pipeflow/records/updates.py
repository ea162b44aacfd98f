"""One entry of a history: what happened, when, and to what."""

import builtins
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import attrs

from pipeflow.records.activities import Activity
from pipeflow.records.changes import FieldChange
from pipeflow.records.comments import Comment
from pipeflow.records.files import File
from pipeflow.records.json_text import Json, KeptPage, read_json
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

__all__ = ["FlowUpdate", "Payload"]

Payload: TypeAlias = FieldChange | Activity | Note | File | MailMessage | Comment
"""The classes of `FlowUpdate.data`, for the kinds whose shape Pipedrive publishes."""

_ACTIVITIES = {"activity", "plannedActivity"}
_NOT_DONE = (False, "0", "false")  # and 0
_CHANGED = {
    "person_id": "personChange",
    "org_id": "organizationChange",
    "deal_id": "dealChange",
}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FlowUpdate:
    """One entry of the history of a person, a deal or an organization.

    Updates are equal when `object`, `timestamp`, `data` and `raw` are, wherever in the history
    they stand. They hash when `data` does: a plain dict, or a list as the value of a changed
    field, does not. For tests they can be made by hand; such an update came from nowhere, and its
    `raw` is None.

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
            that starts with the place in the answer, such as `$.data[3].data.due_date`. A text
            rather than an exception, so that it compares, pickles and is logged like the rest;
            with `strict=True` it is the message of the `DecodeError` that is raised instead.
    """

    object: str = ""
    timestamp: datetime | None = None
    data: Payload | dict[str, Any] = attrs.field(factory=dict)
    offset: int = 0
    related: RelatedObjects = attrs.field(factory=RelatedObjects)
    decode_error: str | None = None
    _kept: KeptPage | bytes | None = attrs.field(default=None, alias="raw_json")
    _kept_index: int = 0

    @property
    def raw_json(self) -> bytes | None:
        """The JSON text of the entry; None for an update made by hand.

        Until it, or `raw`, is asked for, the update keeps the JSON of its whole page in memory.
        """
        if isinstance(self._kept, KeptPage):
            object.__setattr__(self, "_kept", self._kept.entry(self._kept_index))
        return self._kept  # type: ignore[return-value]

    @cached_property
    def raw(self) -> Json:
        """The whole entry exactly as it came, usually a dict; read when first asked for."""
        return None if self.raw_json is None else read_json(self.raw_json)

    @property
    def id(self) -> int | str | None:
        """The record's own id, unique among those of its `object`; a comment's is its `uuid`.

        None where the API gives none, as for some kinds, or says `false`.
        """
        found = _id_of(self._field("id"))
        return _id_of(self._field("uuid")) if found is None else found

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

    def _reference(self, key: str) -> int | None:
        """The id that `data` gives under `key`; that of a changed object is its `item_id`."""
        if isinstance(self.data, FieldChange) and _CHANGED.get(key) == self.object:
            key = "item_id"
        found = _id_of(self._field(key))
        return found if isinstance(found, int) else None

    def _field(self, name: str) -> Any:  # noqa: ANN401 - whatever `data` holds
        """What `data` has under a name; a class of the user's need not have it."""
        data: object = self.data
        return data.get(name) if isinstance(data, dict) else getattr(data, name, None)

    def __eq__(self, other: builtins.object) -> bool:
        if not isinstance(other, FlowUpdate):
            return NotImplemented
        return (
            self.object == other.object
            and self.timestamp == other.timestamp
            and self.data == other.data
            and (self.raw_json == other.raw_json or self.raw == other.raw)
        )

    def __hash__(self) -> int:
        return hash((self.object, self.timestamp, self.data))

    def __getstate__(self) -> dict[str, Any]:
        text = self.raw_json  # and no longer the page's
        state = {field.name: getattr(self, field.name) for field in attrs.fields(FlowUpdate)}
        return state | {"_kept": text}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        error = f", decode_error={self.decode_error!r}" if self.decode_error else ""
        data = shorten(repr(self.data), 160)
        return f"FlowUpdate({self.object!r}, {self.timestamp}, {data}, offset={self.offset}{error})"


def _id_of(value: Json) -> int | str | None:
    """An id, which may have come as text or as `false` where the class of `data` is not ours."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text or None
    return value if type(value) is int else None

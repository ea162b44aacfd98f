"""A collection of updates as the server keeps it: each record encoded once, then cut into pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Entry", "History", "Reference", "encode", "to_json"]

Reference: TypeAlias = tuple[str, int]
"""A related object: its kind and its id, such as `("user", 11)`."""

_CUSTOM_KEY_LENGTH: Final = 40
_CHANGED_KIND: Final = {
    "personChange": "person",
    "dealChange": "deal",
    "organizationChange": "organization",
}
_FOLLOWERS: Final = frozenset(
    {"follower", "dealFollower", "personFollower", "organizationFollower"}
)
_REFERRING_FIELDS: Final = {
    "user_id": "user",
    "owner_id": "user",
    "updater_id": "user",
    "update_user_id": "user",
    "created_by_user_id": "user",
    "assigned_to_user_id": "user",
    "last_update_user_id": "user",
    "person_id": "person",
    "linked_person_id": "person",
    "org_id": "organization",
    "deal_id": "deal",
}


@frozen
class Entry:
    """One record, ready to be sent."""

    body: bytes
    items: frozenset[str]
    """The values of the `items` parameter that select it."""
    custom: bool
    """Whether it is the change of a custom field, sent with `all_changes=1` only."""
    references: frozenset[Reference]


def to_json(value: object) -> bytes:
    """JSON as the server sends it: UTF-8, compact; escaped where UTF-8 cannot say it."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(value, separators=(",", ":")).encode()


def encode(record: object) -> Entry:
    """Encode a record. Anything that JSON can say is taken, so that odd records can be served."""
    outer: dict[str, Any] = record if isinstance(record, dict) else {}
    kind = outer.get("object")
    data = outer.get("data")
    if not isinstance(kind, str) or not isinstance(data, dict):
        return Entry(to_json(record), frozenset(), custom=False, references=frozenset())
    field_key = data.get("field_key")
    return Entry(
        to_json(record),
        _selecting_items(kind, data),
        custom=isinstance(field_key, str) and _is_custom(field_key),
        references=frozenset(_references(kind, data)),
    )


def _is_custom(field_key: str) -> bool:
    return len(field_key) == _CUSTOM_KEY_LENGTH and set(field_key) <= set("0123456789abcdef")


def _selecting_items(kind: str, data: dict[str, Any]) -> frozenset[str]:
    also: set[str] = set()
    if kind in _CHANGED_KIND:
        also.add("change")
    elif kind in _FOLLOWERS:
        also.add("follower")
    elif kind == "activity" and not data.get("done"):
        also.add("plannedActivity")
    elif kind == "mailMessage" and data.get("has_attachments_flag"):
        also.add("mailMessageWithAttachment")
    elif kind == "mailMessageWithAttachment":
        also.add("mailMessage")
    return frozenset({kind, *also})


def _references(kind: str, data: dict[str, Any]) -> Iterator[Reference]:
    yield from _named_references(data)
    if kind in _CHANGED_KIND:
        changed = _REFERRING_FIELDS.get(str(data.get("field_key")))
        for related, number in (
            (_CHANGED_KIND[kind], data.get("item_id")),
            (changed, data.get("old_value")),
            (changed, data.get("new_value")),
        ):
            if related is not None and isinstance(number, int):
                yield related, number


def _named_references(data: dict[str, Any]) -> Iterator[Reference]:
    for name, value in data.items():
        if isinstance(value, int):
            if name in _REFERRING_FIELDS:
                yield _REFERRING_FIELDS[name], value
        elif isinstance(value, list):
            # Participants, attendees, the parties of a mail, its attachments.
            for part in value:
                if isinstance(part, dict):
                    yield from _named_references(part)


class History:
    """The updates of one person, deal or organization, in the order in which they are served."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)
        self._views: dict[tuple[frozenset[str] | None, bool], Sequence[Entry]] = {}

    def view(self, items: frozenset[str] | None, *, all_changes: bool) -> Sequence[Entry]:
        """What a request with these parameters walks through."""
        key = (items, all_changes)
        if key not in self._views:
            self._views[key] = [
                entry
                for entry in self._entries
                if (all_changes or not entry.custom) and (items is None or entry.items & items)
            ]
        return self._views[key]

    def insert(self, index: int, record: object) -> None:
        """Put a record before the one at `index`, counting all of them."""
        self._entries.insert(index, encode(record))
        self._views.clear()

    def remove(self, index_or_record: object) -> None:
        """Take out the record at an index, or the first that equals a record.

        Raises:
            IndexError: There is no such index.
            ValueError: There is no such record.
        """
        if isinstance(index_or_record, int):
            index = index_or_record
        else:
            body = to_json(index_or_record)
            found = (at for at, entry in enumerate(self._entries) if entry.body == body)
            index = next(found, -1)
            if index < 0:
                raise ValueError("the history holds no such record")
        del self._entries[index]
        self._views.clear()

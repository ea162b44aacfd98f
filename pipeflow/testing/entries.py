"""A record as the server keeps it: encoded once, with what decides about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "Identity", "Reference", "encode", "to_json"]

Reference: TypeAlias = tuple[str, int]
"""A related object: its kind and its id, such as `("user", 11)`."""

Identity: TypeAlias = tuple[str, object]
"""What tells a record from others: its kind, and its `id` or `uuid`: `("note", 5)`."""

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
    identity: Identity | None
    order: tuple[bool, str]
    """Whether it is an activity not yet done, and its timestamp: the greatest is served first."""

    @property
    def record(self) -> Any:  # noqa: ANN401 - any JSON value
        """The record itself, a copy."""
        return json.loads(self.body)


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
        return Entry(
            to_json(record),
            frozenset(),
            custom=False,
            references=frozenset(),
            identity=None,
            order=(False, ""),
        )
    field_key = data.get("field_key")
    number = data.get("id", data.get("uuid"))
    return Entry(
        to_json(record),
        _selecting_items(kind, data),
        custom=isinstance(field_key, str) and _is_custom(field_key),
        references=frozenset(_references(kind, data)),
        identity=None if number is None else (kind, number),
        order=(kind == "activity" and not data.get("done"), str(outer.get("timestamp") or "")),
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

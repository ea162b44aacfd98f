"""What Pipedrive's webhooks say about what happened, in both of their versions.

One change is several webhooks, as in reality: a new note is one about the note, and one about each
person, deal and organization that it belongs to. Mail, files and the rest have none.
Source: pipedrive.readme.io, "Guide for webhooks" and "Guide for webhooks v2".
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import frozen

from pipeflow.testing.histories.cast import COMPANY_ID
from pipeflow.testing.histories.payloads import wire_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeflow.testing.happenings import Happening

__all__ = ["WebhookVersion", "webhook_bodies"]

WebhookVersion: TypeAlias = Literal["1.0", "2.0"]

_TOLD: Final = frozenset({"activity", "note"})
"""The kinds of record that have webhooks of their own."""

_OWNERS: Final = frozenset({"person", "deal", "organization"})
_CHANGES: Final = {
    "personChange": "person",
    "dealChange": "deal",
    "organizationChange": "organization",
}
_V2_ACTIONS: Final = {"added": "create", "changed": "change", "deleted": "delete"}
_V1_ACTIONS: Final = {
    "added": "added",
    "changed": "updated",
    "deleted": "deleted",
    "merged": "merged",
}
_USER: Final = 11


@frozen
class _Event:
    """What one webhook tells."""

    action: str
    kind: str
    id: int
    now: dict[str, Any] | None
    before: dict[str, Any] | None
    merged: dict[str, int]


def webhook_bodies(happening: Happening, version: WebhookVersion) -> list[dict[str, Any]]:
    """The bodies of all webhooks that tell of it."""
    body = _v1 if version == "1.0" else _v2
    return [body(event, happening) for event in _events(happening, version)]


def _events(happening: Happening, version: WebhookVersion) -> Iterator[_Event]:
    before, after = happening.before, happening.after
    if happening.kind in _OWNERS and isinstance(happening.id, int):
        number = happening.id
        if happening.action == "merged" and version == "2.0":
            into = (after or {})["id"]
            merged_to, merged_from = {"merged_to_id": into}, {"merged_from_id": number}
            yield _Event("deleted", happening.kind, number, None, before, merged_to)
            yield _Event("changed", happening.kind, into, after, {}, merged_from)
        else:
            yield _Event(happening.action, happening.kind, number, after, before, {})
    elif happening.kind in _CHANGES and happening.action == "added" and after is not None:
        item, key = after.get("item_id", 0), str(after.get("field_key"))
        now, was = {"id": item, key: after.get("new_value")}, {key: after.get("old_value")}
        yield _Event("changed", _CHANGES[happening.kind], item, now, was, {})
    elif happening.kind in _TOLD and isinstance(happening.id, int):
        yield _Event(happening.action, happening.kind, happening.id, after, before, {})
        for kind, number in happening.owners:
            now = {"id": number, "update_time": wire_time(happening.at)}
            yield _Event("changed", kind, number, now, {"update_time": None}, {})


def _v2(event: _Event, happening: Happening) -> dict[str, Any]:
    previous = event.before
    if event.now is not None and previous is not None:
        now = event.now
        previous = {name: old for name, old in previous.items() if now.get(name) != old}
    return {
        "meta": {
            "action": _V2_ACTIONS[event.action],
            "entity": event.kind,
            "entity_id": str(event.id),
            "id": str(uuid.uuid4()),
            "company_id": str(COMPANY_ID),
            "user_id": str(_USER),
            "correlation_id": str(uuid.uuid4()),
            "timestamp": happening.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "attempt": 1,
            "is_bulk_edit": False,
            "host": "acme.pipedrive.com",
            "version": "2.0",
            "type": "general",
            "webhook_id": "1",
            "webhook_owner_id": str(_USER),
            "change_source": "app",
            "permitted_user_ids": [str(_USER)],
            **event.merged,
        },
        "data": None if event.now is None else _as_v2(event.now),
        "previous": None if previous is None or event.action == "added" else _as_v2(previous),
    }


def _as_v2(data: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(participants := data.get("participants"), list):
        return data
    renamed = [
        {"person_id": each.get("person_id"), "primary": each.get("primary_flag", False)}
        for each in participants
    ]
    return data | {"participants": renamed}


def _v1(event: _Event, happening: Happening) -> dict[str, Any]:
    action = _V1_ACTIONS[event.action]
    return {
        "v": 1,
        "matches_filters": None,
        "meta": {
            "v": 1,
            "action": action,
            "object": event.kind,
            "id": event.id,
            "company_id": COMPANY_ID,
            "user_id": _USER,
            "host": "acme.pipedrive.com",
            "timestamp": int(happening.at.timestamp()),
            "timestamp_micro": int(happening.at.timestamp() * 1e6),
            "permitted_user_ids": ["*"],
            "trans_pending": False,
            "is_bulk_update": False,
            "webhook_id": "1",
        },
        "current": _as_v1(event.now),
        "previous": None if event.action == "added" else _as_v1(event.before),
        "event": f"{action}.{event.kind}",
        "retry": 0,
    }


def _as_v1(data: dict[str, Any] | None) -> dict[str, Any] | None:
    if data is None or not isinstance(data.get("person_id"), int):
        return data
    return data | {"person_id": {"value": data["person_id"], "name": data.get("person_name")}}

"""The endpoints that list something: names (users, fields, stages, pipelines) and changed persons.

Lists of v1 are cut by `start` and `limit`, those of v2 by an opaque `cursor`.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pipeflow.testing.answers import Answer, error_answer
from pipeflow.testing.entries import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeflow.testing.histories.naming import AccountNames
    from pipeflow.testing.store import Store

__all__ = ["list_answer"]

_DEFAULT_SIZE: Final = 100
_MAX_SIZE: Final = 500
_SORTS: Final = ("id", "update_time", "add_time")


def list_answer(name: str, query: Mapping[str, str], store: Store, names: AccountNames) -> Answer:
    """The answer of the list that is called `name`; 400 for parameters that cannot be."""
    try:
        match name:
            case "users":
                return _said({"data": list(names["users"]), "additional_data": None})
            case "personFields" | "dealFields" | "organizationFields":
                return _page_of_v1(names[name], query)
            case "persons":
                return _changed_persons(query, store)
            case _:
                return _page_of_v2(names[name], query)
    except (ValueError, TypeError) as error:
        return error_answer(400, f"Bad request: {error}")


def _said(body: dict[str, Any]) -> Answer:
    return Answer(200, to_json({"success": True, **body}))


def _page_of_v1(entries: Sequence[Any], query: Mapping[str, str]) -> Answer:
    start, limit = int(query.get("start", "0")), _limit(query)
    if start < 0:
        raise ValueError("start must not be negative")
    page = entries[start : start + limit]
    following = start + len(page)
    more = following < len(entries)
    pagination = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = following
    return _said({"data": page or None, "additional_data": {"pagination": pagination}})


def _page_of_v2(
    entries: Iterable[Any], query: Mapping[str, str], sort_by: str = "id", *, falling: bool = False
) -> Answer:
    # A cursor names the place of the last entry, so that nothing is lost when others change.
    def place(entry: Any) -> tuple[Any, int]:  # noqa: ANN401 - any JSON object
        return entry[sort_by], entry["id"]

    left = sorted(entries, key=place, reverse=falling)
    if query.get("cursor"):
        last = _read_cursor(query["cursor"])
        left = [each for each in left if (place(each) < last if falling else place(each) > last)]
    page = left[: _limit(query)]
    cursor = _cursor(place(page[-1])) if len(left) > len(page) else None
    return _said({"data": page, "additional_data": {"next_cursor": cursor}})


def _limit(query: Mapping[str, str]) -> int:
    limit = int(query.get("limit", _DEFAULT_SIZE))
    if limit < 1:
        raise ValueError("limit must not be less than 1")
    return min(limit, _MAX_SIZE)


def _cursor(place: tuple[Any, int]) -> str:
    return base64.urlsafe_b64encode(to_json(place)).decode()


def _read_cursor(cursor: str) -> tuple[Any, int]:
    try:
        value, number = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError):
        raise ValueError("cursor is not one of ours") from None
    return value, number


def _changed_persons(query: Mapping[str, str], store: Store) -> Answer:
    sort_by, direction = query.get("sort_by", "id"), query.get("sort_direction", "asc")
    if sort_by not in _SORTS or direction not in {"asc", "desc"}:
        raise ValueError("sort_by or sort_direction is not one of the allowed values")
    since = _moment(query["updated_since"]) if query.get("updated_since") else None
    until = _moment(query["updated_until"]) if query.get("updated_until") else None
    changed = {number: store.changed_at(("person", number)) for number in store.ids("person")}
    persons = [
        _person(number, at, store)
        for number, at in changed.items()
        if (since is None or at >= since) and (until is None or at < until)
    ]
    return _page_of_v2(persons, query, sort_by, falling=direction == "desc")


def _moment(text: str) -> datetime:
    """A time as RFC 3339 says it, such as `2026-11-26T12:00:00Z`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC)


def _person(number: int, changed_at: datetime, store: Store) -> dict[str, Any]:
    known = store.related_object("person", number) or {}
    return {
        "id": number,
        "name": known.get("name", f"Person {number}"),
        "emails": known.get("email", []),
        "phones": known.get("phone", []),
        "owner_id": known.get("owner_id"),
        "org_id": None,
        "is_deleted": False,
        "visible_to": 3,
        "label_ids": [],
        "picture_id": None,
        "add_time": "2020-01-01T00:00:00Z",
        "update_time": changed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "custom_fields": {},
    }

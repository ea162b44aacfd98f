"""The answers of Pipedrive's lists as names, and where a list goes on.

v1 lists page by `start`, like the flow; v2 lists by `cursor`. Whatever has no id or no name is
passed over: names are a help, and one odd entry is no reason to have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from pipeflow.names.values import FieldNames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeflow.records.json_text import Json

__all__ = ["LISTS", "NameList", "field_names", "names_by_id", "next_parameters"]


@frozen
class NameList:
    """A list of the API that holds names.

    Attributes:
        part: The part of `Names` that it fills.
        path: Its path below the base URL of its version.
        version: The version of the API, 1 or 2.
        tokens: What a request costs of the daily budget.
    """

    part: str
    path: str
    version: int
    tokens: int

    @property
    def first_parameters(self) -> dict[str, str]:
        """The query of the first page."""
        return {"limit": "500"} if self.part != "users" else {}


LISTS = (
    NameList("users", "users", 1, 20),
    NameList("person_fields", "personFields", 1, 20),
    NameList("deal_fields", "dealFields", 1, 20),
    NameList("organization_fields", "organizationFields", 1, 20),
    NameList("stages", "stages", 2, 10),
    NameList("pipelines", "pipelines", 2, 10),
)
"""All of them together cost 100 tokens, as long as no list has more than 500 entries.

Source: Pipedrive's reference, `getUsers`, `getPersonFields`, `getDealFields`,
`getOrganizationFields`, `getStages`, `getPipelines`.
"""


def next_parameters(document: Mapping[str, Json], parameters: Mapping[str, str]) -> dict[str, str]:
    """The query of the page after this one; empty at the end."""
    beside = document.get("additional_data")
    if not isinstance(beside, Mapping):
        return {}
    cursor = beside.get("next_cursor")
    if isinstance(cursor, str) and cursor:
        return {**parameters, "cursor": cursor}
    paging = beside.get("pagination")
    paging = paging if isinstance(paging, Mapping) else beside
    start = paging.get("next_start")
    leads_on = type(start) is int and start > int(parameters.get("start", "0"))
    if paging.get("more_items_in_collection") and leads_on:
        return {**parameters, "start": str(start)}
    return {}


def names_by_id(document: Mapping[str, Json]) -> dict[int, str]:
    """The names of users, stages or pipelines by their ids."""
    return {
        entry["id"]: entry["name"]
        for entry in _entries(document)
        if type(entry.get("id")) is int and isinstance(entry.get("name"), str)
    }


def field_names(document: Mapping[str, Json]) -> dict[str, FieldNames]:
    """The fields of a list by their keys."""
    return {
        entry["key"]: FieldNames(
            name=entry["name"],
            field_type=_text(entry.get("field_type")),
            options=_options(entry.get("options")) | _options(entry.get("options_deleted")),
        )
        for entry in _entries(document)
        if isinstance(entry.get("key"), str) and isinstance(entry.get("name"), str)
    }


def _options(value: Json) -> dict[str, str]:
    return {
        str(option["id"]): option["label"]
        for option in _objects(value)
        if isinstance(option.get("label"), str) and isinstance(option.get("id"), int | str)
    }


def _entries(document: Mapping[str, Json]) -> Iterator[dict[str, Any]]:
    return _objects(document.get("data"))


def _objects(value: Json) -> Iterator[dict[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""

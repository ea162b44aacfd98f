"""Asks the fake as a client with nothing of ours in it: aiohttp and the json module."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, Unpack

import aiohttp
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeflow.testing import FakePipedrive


Json: TypeAlias = Any
"""What came is only known when it is looked at."""


class Query(TypedDict, total=False):
    """The parameters of the flow endpoints, and the old one for the token."""

    start: int | str
    limit: int
    items: str
    all_changes: str
    api_token: str


@frozen
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def data(self) -> Json:
        return self.json["data"]

    @property
    def pagination(self) -> Json:
        return self.json["additional_data"]["pagination"]


async def ask(
    fake: FakePipedrive,
    path: str = "/persons/1101/flow",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    **query: Unpack[Query],
) -> Reply:
    """Send one request for a flow, with the right token unless there are other headers."""
    return await ask_url(fake, fake.base_url + path, query, method=method, headers=headers)


async def ask_url(
    fake: FakePipedrive,
    url: str,
    query: Mapping[str, object] | None = None,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request to any address of the fake."""
    if headers is None:
        headers = {"x-api-token": fake.api_token}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session,
        session.request(
            method,
            url,
            headers=headers,
            params={name: str(value) for name, value in (query or {}).items()},
            allow_redirects=False,
        ) as response,
    ):
        return Reply(response.status, response.headers.copy(), await response.read())


async def walk(
    fake: FakePipedrive, path: str = "/persons/1101/flow", **query: Unpack[Query]
) -> list[Json]:
    """Every record of a history, page after page."""
    records: list[Json] = []
    query["start"] = 0
    while True:
        page = await ask(fake, path, **query)
        records += page.data
        if not page.pagination["more_items_in_collection"]:
            return records
        query["start"] = page.pagination["next_start"]


def note(number: int, **data: object) -> dict[str, Any]:
    """A small record, told apart by its number."""
    return record("note", id=number, **data)


def record(kind: str, **data: object) -> dict[str, Any]:
    """A small record of any kind."""
    return {"object": kind, "timestamp": "2026-05-01 10:00:00", "data": data}


def notes(count: int) -> list[dict[str, Any]]:
    """`count` different records."""
    return [note(number) for number in range(count)]

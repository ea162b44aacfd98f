"""What goes on the wire and what becomes of the answer, without a wire: aioresponses."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from pipeflow import (
    ApiError,
    AuthenticationError,
    DecodeError,
    FlowItem,
    Note,
    NotFoundError,
    PipedriveSession,
)
from tests.aioresponses_adapter import mocked_responses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aioresponses import aioresponses

TOKEN = "0123456789abcdef0123456789abcdef01234567"
ANY = re.compile(r".*")


def answer(*ids: int, start: int = 0, more: bool = False) -> str:
    note = {"object": "note", "timestamp": "2026-01-02 03:04:05"}
    data = [{**note, "data": {"id": number}} for number in ids]
    pagination = {"start": start, "limit": 500, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + len(ids)
    return json.dumps(
        {"success": True, "data": data, "additional_data": {"pagination": pagination}}
    )


@pytest.fixture
def api() -> Iterator[aioresponses]:
    with mocked_responses() as mocked:
        yield mocked


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://api.pipedrive.com/v1/persons/1101/flow"),
        ({"company_domain": "acme"}, "https://acme.pipedrive.com/api/v1/persons/1101/flow"),
        ({"base_url": "http://localhost:1/x/"}, "http://localhost:1/x/persons/1101/flow"),
    ],
)
async def test_the_address_comes_from_the_base_url(
    api: aioresponses, options: dict[str, Any], url: str
) -> None:
    api.get(ANY, body=answer(1))
    async with PipedriveSession(TOKEN, **options) as pipedrive:
        await pipedrive.get_person_flow(1101)
    ((method, asked),) = api.requests
    assert (method, asked) == ("GET", URL(url).with_query("limit=500&start=0"))


async def test_every_parameter_reaches_the_query(api: aioresponses) -> None:
    api.get(ANY, body=answer(1))
    async with PipedriveSession(TOKEN) as pipedrive:
        await pipedrive.get_person_flow(
            7, items=["note", FlowItem.FILE], all_changes=True, start=40, page_size=20
        )
    ((_, asked),) = api.requests
    assert dict(asked.query) == {
        "start": "40",
        "limit": "20",
        "all_changes": "1",
        "items": "note,file",
    }


async def test_a_walk_asks_from_offset_to_offset(api: aioresponses) -> None:
    api.get(ANY, body=answer(1, 2, more=True))
    api.get(ANY, body=answer(2, 3, start=1))
    async with PipedriveSession(TOKEN) as pipedrive:
        seen = [update.data async for update in pipedrive.iter_person_flow(7)]
    assert seen == [Note(id=1), Note(id=2), Note(id=3)]
    assert sorted(url.query["start"] for _, url in api.requests) == ["0", "1"]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationError), (404, NotFoundError), (418, ApiError)]
)
async def test_a_refusal_becomes_its_error(
    api: aioresponses, status: int, kind: type[ApiError]
) -> None:
    api.get(ANY, status=status, body='{"success": false, "error": "no"}')
    async with PipedriveSession(TOKEN) as pipedrive:
        with pytest.raises(kind, match=f"{status} no") as caught:
            await pipedrive.get_person_flow(7, start=60)
    assert caught.value.resume_start == 60


async def test_a_refusal_with_status_200_is_no_silent_end(api: aioresponses) -> None:
    api.get(ANY, body='{"success": false, "error": "no"}')
    async with PipedriveSession(TOKEN) as pipedrive:
        with pytest.raises(ApiError, match="no"):
            await pipedrive.get_person_flow(7)


async def test_a_broken_record_is_an_error_only_when_strict(api: aioresponses) -> None:
    broken = answer(1).replace('"id": 1', '"id": "one"')
    api.get(ANY, body=broken, repeat=True)
    async with PipedriveSession(TOKEN) as pipedrive:
        page = await pipedrive.get_person_flow(7)
    assert page.updates[0].data == {"id": "one"}
    async with PipedriveSession(TOKEN, strict=True) as pipedrive:
        with pytest.raises(DecodeError) as caught:
            await pipedrive.get_person_flow(7)
    assert caught.value.path == "$.data[0].data.id"


async def test_a_page_of_700_kilobytes_comes_through_the_adapter(api: aioresponses) -> None:
    api.get(ANY, body=answer(*range(9000)))
    async with PipedriveSession(TOKEN) as pipedrive:
        page = await pipedrive.get_person_flow(7)
    assert len(page.updates) == 9000

"""Plain aiohttp: the loop that everybody writes first, and requests gathered by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.benchmarks.walking.history import PAGE_SIZE, page_parameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.benchmarks.walking.history import History

AT_ONCE = 8


def loop(history: History) -> int:
    return asyncio.run(_loop(history))


def gathered(history: History) -> int:
    return asyncio.run(_gathered(history))


async def _loop(history: History) -> int:
    count = 0
    async with aiohttp.ClientSession(headers=history.headers) as client:
        async for _record in _records(client, history.url):
            count += 1
    return count


async def _records(client: aiohttp.ClientSession, url: str) -> AsyncIterator[dict[str, Any]]:
    start = 0
    while True:
        async with client.get(url, params=page_parameters(start)) as response:
            answer = await response.json()
        for record in answer["data"]:
            yield record
        pagination = answer["additional_data"]["pagination"]
        if not pagination["more_items_in_collection"]:
            return
        start = pagination["next_start"]


async def _gathered(history: History) -> int:
    """Needs the history's size beforehand, and holds all of it at the end."""
    room = asyncio.Semaphore(AT_ONCE)

    async def page(start: int) -> list[dict[str, Any]]:
        async with (
            room,
            client.get(history.url, params=page_parameters(start)) as response,
        ):
            data: list[dict[str, Any]] = (await response.json())["data"]
            return data

    count = 0
    async with aiohttp.ClientSession(headers=history.headers) as client:
        for records in await asyncio.gather(*map(page, range(0, history.size, PAGE_SIZE))):
            for _record in records:
                count += 1
    return count

"""httpx: the same loop as with plain aiohttp."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

from tests.benchmarks.walking.history import page_parameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.benchmarks.walking.history import History


def loop(history: History) -> int:
    return asyncio.run(_loop(history))


async def _loop(history: History) -> int:
    count = 0
    async with httpx.AsyncClient(headers=history.headers) as client:
        async for _record in _records(client, history.url):
            count += 1
    return count


async def _records(client: httpx.AsyncClient, url: str) -> AsyncIterator[dict[str, Any]]:
    start = 0
    while True:
        answer = (await client.get(url, params=page_parameters(start))).json()
        for record in answer["data"]:
            yield record
        pagination = answer["additional_data"]["pagination"]
        if not pagination["more_items_in_collection"]:
            return
        start = pagination["next_start"]

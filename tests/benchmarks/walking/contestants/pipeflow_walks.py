"""pipeflow, page by page and with pages ahead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipeflow import PipedriveSession

if TYPE_CHECKING:
    from tests.benchmarks.walking.history import History


def sequential(history: History) -> int:
    return asyncio.run(_walk(history, prefetch=0))


def ahead(history: History) -> int:
    return asyncio.run(_walk(history, prefetch=8))


async def _walk(history: History, *, prefetch: int) -> int:
    count = 0
    async with PipedriveSession(history.api_token, base_url=history.base_url) as pipedrive:
        async for _update in pipedrive.iter_person_flow(
            history.person_id, all_changes=True, prefetch=prefetch
        ):
            count += 1
    return count

"""Walks many persons of one page each: `many_persons BASE_URL TOKEN PERSONS CONCURRENCY`."""

from __future__ import annotations

import asyncio
import sys

from pipeflow import PipedriveSession
from tests.benchmarks.walking.processes import report


async def walk(base_url: str, api_token: str, persons: int, concurrency: int) -> None:
    seen: set[int] = set()
    async with PipedriveSession(api_token, base_url=base_url) as pipedrive:
        async for person_id, _update in pipedrive.iter_person_flows(
            range(1, persons + 1), concurrency=concurrency, all_changes=True
        ):
            seen.add(person_id)
    report({"persons": len(seen)})


if __name__ == "__main__":
    asyncio.run(walk(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))

"""The soak test: many walks at once against one fake Pipedrive on which little can be relied."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from pipeflow import BurstLimiter, PipedriveSession, RetryPolicy
from pipeflow.testing import FakePipedrive
from tests.soak.walks import Figures, SoakWalk

__all__ = ["soak"]

ATTEMPTS = (1, 2, 5)
"""One session for each: with 1 every fault reaches the walk, with 5 hardly any does."""

ATTEMPT_TIMEOUT = 0.15
MAX_WAIT = 1.0
WINDOW = 0.05


async def soak(seed: int, walks: int, *, concurrency: int = 16) -> Figures:
    """Walks `walks` histories, at most `concurrency` at the same time; what happened."""
    figures = Figures()
    by_person = {person: SoakWalk(seed, person, figures) for person in range(1, walks + 1)}
    waiting = list(by_person.values())
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(
            FakePipedrive(
                persons={person: walk.history for person, walk in by_person.items()},
                burst_limit=100_000,
                burst_window=WINDOW,
            )
        )
        fake.on_request = lambda request: by_person[request.whose.get("person", 0)].fault_for(
            request
        )
        sessions = [
            await stack.enter_async_context(
                PipedriveSession(
                    fake.api_token,
                    base_url=fake.base_url,
                    limiter=BurstLimiter(limit=1000, window=WINDOW),
                    attempt_timeout=ATTEMPT_TIMEOUT,
                    retry=RetryPolicy(attempts, base_delay=0.005, max_wait=MAX_WAIT),
                )
            )
            for attempts in ATTEMPTS
        ]

        async def work() -> None:
            while waiting:
                walk = waiting.pop()
                await walk.run(sessions[walk.session_number % len(sessions)])

        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(work())
    return figures

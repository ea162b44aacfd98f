from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from pipeflow.testing import FakePipedrive, Status, TooManyRequests

from .asking import Reply, ask


async def ask_many(fake: FakePipedrive, count: int) -> list[Reply]:
    return [await ask(fake) for _ in range(count)]


@pytest.mark.parametrize("burst_kind", ["rolling", "fixed"])
async def test_one_request_too_many_is_refused_with_429(
    burst_kind: Literal["rolling", "fixed"],
) -> None:
    async with FakePipedrive(burst_limit=2, burst_window=1e6, burst_kind=burst_kind) as fake:
        replies = await ask_many(fake, 3)
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert replies[-1].json == {
            "success": False,
            "error": "request over limit",
            "errorCode": 429,
        }
        assert replies[-1].headers["x-ratelimit-remaining"] == "0"
        assert (fake.request_count, fake.refused_count, fake.tokens_spent) == (3, 1, 80)


async def test_the_burst_limit_can_change_while_it_runs() -> None:
    async with FakePipedrive(burst_limit=1, burst_window=60) as fake:
        fake.burst_limit = 2
        assert fake.burst_limit == 2
        assert [reply.status for reply in await ask_many(fake, 3)] == [200, 200, 429]


async def test_another_program_can_use_part_of_the_allowance() -> None:
    async with FakePipedrive(burst_limit=5, burst_window=60) as fake:
        assert fake.use_allowance(3) == 3
        assert (await ask(fake)).headers["x-ratelimit-remaining"] == "1"
        assert fake.use_allowance(3) == 1
        assert (await ask(fake)).status == 429
        assert fake.tokens_spent == 40


async def test_the_daily_budget_ends_in_a_429_while_the_burst_has_room() -> None:
    async with FakePipedrive(daily_budget=80, daily_retry_after=3939) as fake:
        reply = (await ask_many(fake, 3))[-1]
        assert reply.status == 429
        assert reply.json == {
            "success": False,
            "error": "daily request budget exceeded",
            "errorCode": 429,
        }
        assert reply.headers["Retry-After"] == "3939"
        assert int(reply.headers["x-ratelimit-remaining"]) > 0
        assert fake.tokens_spent == 80


async def test_the_daily_budget_can_change_while_it_runs() -> None:
    async with FakePipedrive() as fake:
        assert fake.daily_budget is None
        fake.daily_budget = 40
        assert [reply.status for reply in await ask_many(fake, 2)] == [200, 429]


async def test_a_block_is_a_web_page_until_it_is_lifted() -> None:
    async with FakePipedrive() as fake:
        fake.blocked = True
        blocked = await ask(fake)
        assert blocked.status == 403
        assert blocked.headers["Content-Type"].startswith("text/html")
        assert b"Cloudflare" in blocked.body
        fake.blocked = False
        assert fake.blocked is False
        assert (await ask(fake)).status == 200


async def test_refused_requests_cost_nothing_also_when_a_fault_refuses_them() -> None:
    async with FakePipedrive() as fake:
        fake.script(TooManyRequests(), Status(503))
        await ask_many(fake, 2)
        assert (fake.request_count, fake.refused_count, fake.tokens_spent) == (2, 1, 40)


async def test_a_request_is_remembered_as_it_came() -> None:
    async with FakePipedrive() as fake:
        before = asyncio.get_running_loop().time()
        await ask(fake, start=50, items="note")
        [request] = fake.requests
        assert request.method == "GET"
        assert request.path == "/v1/persons/1101/flow"
        assert request.query == {"start": "50", "items": "note"}
        assert request.headers["X-API-Token"] == fake.api_token
        assert request.whose == {"person": 1101}
        assert request.status == 200
        assert request.at >= before
        assert fake.api_token not in repr(request)


async def test_the_counts_can_be_forgotten() -> None:
    async with FakePipedrive(daily_budget=100) as fake:
        await ask(fake)
        fake.reset_counts()
        assert (fake.requests, fake.request_count, fake.tokens_spent) == ([], 0, 0)
        reply = await ask(fake)
        assert fake.tokens_spent == 40
    assert reply.headers["x-daily-ratelimit-token-remaining"] == "20"


async def test_a_request_forgotten_before_its_answer_stays_forgotten() -> None:
    async with FakePipedrive() as fake:
        fake.on_request = lambda request: fake.reset_counts()
        assert (await ask(fake)).status == 200
        assert fake.request_count == 0

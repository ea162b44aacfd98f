from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.middleware import ObserverMiddleware, RetryMiddleware
from pipeflow.observing import AttemptEnded, Observer, RequestDetails, RequestSent, RetryScheduled
from pipeflow.retrying import RetryPolicy
from tests.middleware.conftest import Sleeps, answer, disconnect, stall

if TYPE_CHECKING:
    from tests.middleware.conftest import Serve


class Attempts(Observer):
    def __init__(self) -> None:
        self.sent: list[RequestSent] = []
        self.ended: list[AttemptEnded] = []
        self.retries: list[RetryScheduled] = []

    def request_sent(self, event: RequestSent) -> None:
        self.sent.append(event)

    def attempt_ended(self, event: AttemptEnded) -> None:
        self.ended.append(event)

    def retry_scheduled(self, event: RetryScheduled) -> None:
        self.retries.append(event)


async def get(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


async def test_an_attempt_is_told_with_its_answer(serve: Serve) -> None:
    told = {"X-Daily-RateLimit-Token-Remaining": "960"}
    server = await serve(answer(headers=told))
    seen, ticks = Attempts(), iter([10.0, 10.25])
    middleware = ObserverMiddleware(seen, clock=lambda: next(ticks))
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await get(session, f"{server.url}/persons/1101/flow?api_token=secret")
    (sent,) = seen.sent
    assert sent.request == RequestDetails("GET", "127.0.0.1", server.port, "/v1/persons/1101/flow")
    assert sent.attempt == 1
    assert seen.ended == [
        AttemptEnded(sent=sent, seconds=0.25, status=200, tokens=40, daily_remaining=960)
    ]
    assert "secret" not in repr((seen.sent, seen.ended))


@pytest.mark.parametrize(("status", "tokens"), [(404, 40), (500, 40), (401, 0), (403, 0), (429, 0)])
async def test_a_refused_request_costs_no_tokens(serve: Serve, status: int, tokens: int) -> None:
    server = await serve(answer(status))
    seen = Attempts()
    async with aiohttp.ClientSession(middlewares=[ObserverMiddleware(seen)]) as session:
        await get(session, f"{server.url}/persons/1101/flow")
    assert [(each.status, each.tokens) for each in seen.ended] == [(status, tokens)]


async def test_attempts_of_one_request_are_numbered(serve: Serve) -> None:
    server = await serve(answer(503), disconnect, answer())
    seen = Attempts()
    retry = RetryMiddleware(RetryPolicy(base_delay=0.0), sleep=Sleeps(), observer=seen)
    async with aiohttp.ClientSession(middlewares=[retry, ObserverMiddleware(seen)]) as session:
        assert await get(session, server.url) == 200
        await get(session, server.url)
    assert [each.attempt for each in seen.sent] == [1, 2, 3, 1]
    assert [(each.status, each.error) for each in seen.ended] == [
        (503, None),
        (None, "ServerDisconnectedError"),
        (200, None),
        (200, None),
    ]
    request = seen.sent[0].request
    assert seen.retries == [
        RetryScheduled(request=request, attempt=1, delay=0.0, status=503),
        RetryScheduled(request=request, attempt=2, delay=0.0, error="ServerDisconnectedError"),
    ]


async def test_a_cancelled_attempt_ends(serve: Serve) -> None:
    server = await serve(stall)
    seen = Attempts()
    async with aiohttp.ClientSession(middlewares=[ObserverMiddleware(seen)]) as session:
        task = asyncio.create_task(get(session, server.url))
        await server.arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    (ended,) = seen.ended
    assert ended.sent is seen.sent[0]
    assert (ended.status, ended.error, ended.tokens) == (None, "CancelledError", 0)


async def test_requests_that_are_over_are_forgotten(serve: Serve) -> None:
    server = await serve(answer())
    middleware = ObserverMiddleware(Observer())
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        for _ in range(5):
            await get(session, server.url)
    assert len(middleware._attempts) <= 1

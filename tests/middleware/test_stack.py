"""Our middlewares at every place of every stack, twice, and beside others' of every kind."""

from __future__ import annotations

import gzip
import json
from itertools import permutations, product
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.credentials import ApiTokenCredential
from pipeflow.errors import RequestTimeoutError, TransportError
from pipeflow.limiting import BurstLimiter
from pipeflow.middleware import (
    AttemptMiddleware,
    AuthMiddleware,
    ObserverMiddleware,
    RateLimitMiddleware,
    RefreshMiddleware,
    RetryMiddleware,
)
from pipeflow.middleware.bodies import LARGEST_ANSWER
from pipeflow.middleware.stack import Stack
from pipeflow.observing import Observer
from pipeflow.retrying import RetryPolicy
from tests.middleware.conftest import Sleeps, answer, disconnect, stall, then

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

    from tests.middleware.conftest import Reaction, Serve

TOKEN = "0123456789abcdef0123456789abcdef01234567"
BODY = json.dumps({"success": True, "data": list(range(20_000))}).encode()
WHOLE = answer(body=gzip.compress(BODY), headers={"Content-Encoding": "gzip"})
REFUSED = answer(503, b'{"success": false}')
BROKEN = then(answer(body=BODY[:5_000], length=len(BODY)), disconnect)

PLACES = ["retry", "limit", "attempt", "auth"]
"""Those of ours that read, send again, or change a request."""


def ours(url: str) -> dict[str, ClientMiddlewareType]:
    credential = ApiTokenCredential(TOKEN, base_url=url)
    return {
        "retry": RetryMiddleware(RetryPolicy(attempts=4), sleep=Sleeps()),
        "refresh": RefreshMiddleware(credential),
        "limit": RateLimitMiddleware(BurstLimiter(1000, 0.01)),
        "auth": AuthMiddleware(credential),
        "observe": ObserverMiddleware(Observer()),
        "attempt": AttemptMiddleware(),
    }


# ---- others'


async def reads(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    response = await handler(request)
    assert isinstance(await response.json(), dict)
    return response


async def streams(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    response = await handler(request)
    try:
        body = b"".join([chunk async for chunk in response.content.iter_chunked(1000)])
    except BaseException:
        response.close()
        raise
    assert isinstance(json.loads(body), dict)
    response._body = body  # or there is nothing left for anyone
    return response


async def sends_twice(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """A retry of their own, which throws the first answer away unread."""
    response = await handler(request)
    response.release()
    return await handler(request)


async def replaces(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Gives the answer to another request, of another session."""
    response = await handler(request)
    if response.status != 200:
        return response
    response.release()
    async with aiohttp.ClientSession() as session:
        other = await session.get(request.url, headers=request.headers)
        await other.read()
    return other


OTHERS = [reads, streams, sends_twice, replaces]


async def ask(url: str, stack: Sequence[ClientMiddlewareType], *, stream: bool) -> bytes:
    async with (
        aiohttp.ClientSession(middlewares=stack) as session,
        session.get(url) as response,
    ):
        assert response.status == 200
        if stream:
            return b"".join([chunk async for chunk in response.content.iter_chunked(1000)])
        return await response.read()


async def test_ours_work_in_every_order(serve: Serve) -> None:
    for number, order in enumerate(permutations(ours("http://127.0.0.1/v1"))):
        server = await serve(REFUSED, BROKEN, WHOLE)
        stack = [ours(server.url)[name] for name in order]
        assert await ask(server.url, stack, stream=bool(number % 2)) == BODY, order
        assert len(server.requests) == 3, order


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("other", OTHERS)
async def test_ours_work_beside_others_at_every_place(
    serve: Serve, other: ClientMiddlewareType, *, stream: bool
) -> None:
    for order, place in product(permutations(PLACES), range(len(PLACES) + 1)):
        server = await serve(REFUSED, BROKEN, WHOLE)
        stack = [ours(server.url)[name] for name in order]
        stack.insert(place, other)
        # Others hand a used stream on, which is renewed where one of ours that reads is outside.
        is_renewed = other not in {streams, replaces} or {"retry", "attempt"} & {*order[:place]}
        answered = await ask(server.url, stack, stream=stream and bool(is_renewed))
        assert answered == BODY, (order, place)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("other", OTHERS)
async def test_ours_work_twice(serve: Serve, other: ClientMiddlewareType, *, stream: bool) -> None:
    for order in permutations(PLACES):
        server = await serve(REFUSED, BROKEN, WHOLE)
        stack = [ours(server.url)[name] for name in (*order, *order)]
        stack.insert(len(order), other)
        assert await ask(server.url, stack, stream=stream) == BODY, order


@pytest.mark.parametrize("name", ["retry", "refresh", "limit", "attempt", "auth", "observe"])
@pytest.mark.parametrize("other", [None, *OTHERS])
async def test_each_of_ours_works_alone(
    serve: Serve, name: str, other: ClientMiddlewareType | None
) -> None:
    server = await serve(WHOLE)
    middleware = ours(server.url)[name]
    alone = [middleware] if other is None else [middleware, other]
    for stack in (alone, alone[::-1]):
        assert await ask(server.url, stack, stream=False) == BODY


@pytest.mark.parametrize("name", ["retry", "limit", "attempt", "refresh"])
async def test_what_another_took_for_itself_is_no_empty_answer(serve: Serve, name: str) -> None:
    """It is theirs, as without us; nobody asks for it again."""
    taken: list[bytes] = []

    async def takes(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        taken.append(await response.content.readexactly(2))
        return response

    for status in (200, 401, 403):
        server = await serve(answer(status, BODY))
        async with (
            aiohttp.ClientSession(middlewares=[ours(server.url)[name], takes]) as session,
            session.get(server.url) as response,
        ):
            assert taken.pop() + await response.content.read() == BODY
        assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["limit", "refresh"])
async def test_a_refusal_that_is_too_large_to_be_judged_passes(serve: Serve, name: str) -> None:
    large = b"x" * (LARGEST_ANSWER + 1)
    server = await serve(answer({"limit": 403, "refresh": 401}[name], large))
    middlewares = [ours(server.url)[each] for each in (name, "auth")]
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.get(server.url) as response,
    ):
        assert len(await response.content.read()) == len(large)


@pytest.mark.parametrize("failure", [disconnect, BROKEN, stall], ids=["before", "during", "never"])
async def test_no_order_of_ours_sends_more_than_the_policy_says(
    serve: Serve, failure: Reaction
) -> None:
    """Trap 2: aiohttp runs all middlewares again on errors of its own."""
    for order in permutations(PLACES):
        server = await serve(failure)
        named = ours(server.url)
        if failure is stall:
            named["attempt"] = AttemptMiddleware(0.1)
        if failure is stall and order.index("attempt") < order.index("retry"):
            continue  # then the time is that of all attempts together
        stack = [named[name] for name in (*order, "retry")]
        with pytest.raises(TransportError, match="no whole answer") as caught:
            await ask(server.url, stack, stream=False)
        assert isinstance(caught.value, RequestTimeoutError) == (failure is stall)
        assert len(server.requests) == 4, order


# ---- the session's


async def test_a_session_puts_them_together_in_one_place(serve: Serve) -> None:
    seen: list[tuple[str, bool]] = []

    async def users(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        seen.append((await response.text(), "x-api-token" in request.headers))
        return response

    server = await serve(REFUSED, answer(headers={"Set-Cookie": "session=1"}))
    credential = ApiTokenCredential(TOKEN, base_url=server.url)
    stack = Stack(
        credential=credential,
        rate_limit=RateLimitMiddleware(),
        users=[users],
        observer=Observer(),
        attempt=AttemptMiddleware(),
    )
    retry = RetryMiddleware(sleep=Sleeps())
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url, middlewares=stack.within(retry)) as response:
            assert await response.read() == b"{}"
        assert [*session.cookie_jar] == []
    assert seen == [('{"success": false}', False), ("{}", False)]
    assert server.header("x-api-token") == [TOKEN, TOKEN]

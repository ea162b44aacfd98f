from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.errors import RequestTimeoutError, TransportError
from pipeflow.middleware import AttemptMiddleware, RetryMiddleware
from pipeflow.retrying import RetryPolicy
from tests.middleware.conftest import Sleeps, answer, disconnect, reset, stall, then

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

    from tests.middleware.conftest import Reaction, Serve

BURST = {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2"}


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def retry(sleeps: Sleeps) -> RetryMiddleware:
    return RetryMiddleware(RetryPolicy(attempts=3), random=lambda: 1.0, sleep=sleeps)


async def get(
    url: str,
    *middlewares: ClientMiddlewareType,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    pool: int = 100,
    read_timeout: float | None = None,
) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(
            middlewares=middlewares,
            connector=aiohttp.TCPConnector(limit=pool),
            timeout=aiohttp.ClientTimeout(sock_read=read_timeout),
        ) as session,
        session.request(method, url, headers=headers, allow_redirects=False) as response,
    ):
        return response.status, await response.read()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_refusal_is_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps, status: int
) -> None:
    server = await serve(answer(status), answer())
    assert await get(server.url, retry) == (200, b"{}")
    assert sleeps == [0.5]


@pytest.mark.parametrize("status", [200, 201, 301, 400, 401, 402, 403, 404, 405, 410, 422, 501])
async def test_other_answers_are_final(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps, status: int
) -> None:
    server = await serve(answer(status))
    assert await get(server.url, retry) == (status, b"{}")
    assert sleeps == []


@pytest.mark.parametrize(
    "failure",
    [
        disconnect,
        reset,
        then(b"HTTP/1.1 200 OK\r\nContent-Le", disconnect),
        then(answer(body=b"[1, 2", length=50), disconnect),
        then(answer(body=b"[1, 2", length=50), reset),
        then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n", disconnect),
        then(b"garbage that is no HTTP\r\n\r\n", disconnect),
        answer(body=b"\x1f\x8bnot gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["disconnect", "reset", "headers", "body", "body-reset", "chunked", "garbage", "gzip"],
)
async def test_a_broken_answer_is_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps, failure: bytes | Reaction
) -> None:
    server = await serve(failure, answer())
    assert await get(server.url, retry) == (200, b"{}")
    assert sleeps == [0.5]


async def test_a_200_with_null_is_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps
) -> None:
    server = await serve(answer(body=b" null\n"), answer(body=b"{}"))
    assert await get(server.url, retry) == (200, b"{}")
    assert sleeps == [0.5]


@pytest.mark.parametrize("body", [b"", b'{"success": true, "da', b'[{"id": 1},'])
async def test_json_that_breaks_off_is_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps, body: bytes
) -> None:
    server = await serve(answer(body=body), answer())
    assert await get(server.url, retry) == (200, b"{}")
    assert sleeps == [0.5]


async def test_what_does_not_claim_to_be_json_may_end_as_it_likes(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(answer(body=b"hello", content_type="text/plain"), answer())
    assert await get(server.url, retry) == (200, b"hello")


async def test_null_for_ever_is_returned_after_the_last_try(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(answer(body=b"null"))
    assert await get(server.url, retry) == (200, b"null")
    assert len(server.requests) == 3


async def test_the_last_refusal_is_returned_with_its_body(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps
) -> None:
    server = await serve(answer(503, b"down"))
    assert await get(server.url, retry) == (503, b"down")
    assert sleeps == [0.5, 1.0]


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (503, {"Retry-After": "7"}, 7.0),
        (429, BURST, 2.0),
        (429, {**BURST, "Retry-After": "3"}, 3.0),
        (503, {"Retry-After": "garbage"}, 0.5),
        (503, {"Retry-After": "-3"}, 0.5),
    ],
)
async def test_the_server_says_how_long_to_wait(
    serve: Serve,
    retry: RetryMiddleware,
    sleeps: Sleeps,
    *,
    status: int,
    headers: dict[str, str],
    waits: float,
) -> None:
    server = await serve(answer(status, headers=headers), answer())
    await get(server.url, retry)
    assert sleeps == [waits]


async def test_a_date_is_waited_for(serve: Serve, retry: RetryMiddleware, sleeps: Sleeps) -> None:
    dates = {
        "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
        "Retry-After": "Mon, 23 Nov 2026 12:00:09 GMT",
    }
    server = await serve(answer(503, headers=dates), answer())
    await get(server.url, retry)
    assert sleeps == [9.0]


async def test_a_wait_above_max_wait_ends_the_tries_at_once(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps
) -> None:
    server = await serve(answer(503, headers={"Retry-After": "61"}))
    assert (await get(server.url, retry))[0] == 503
    assert sleeps == []


async def test_the_daily_budget_is_never_waited_for(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps
) -> None:
    exhausted = b'{"error": "daily request budget exceeded"}'
    server = await serve(answer(429, exhausted, headers=BURST))
    assert (await get(server.url, retry))[0] == 429
    assert len(server.requests) == 1
    assert sleeps == []


async def test_a_refused_post_is_not_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps
) -> None:
    server = await serve(answer(503), answer())
    assert (await get(server.url, retry, method="POST"))[0] == 503
    assert len(server.requests) == 1
    assert sleeps == []


async def test_a_post_without_an_answer_is_not_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps
) -> None:
    server = await serve(disconnect, answer())
    with pytest.raises(TransportError, match="1 attempt:"):
        await get(server.url, retry, method="POST")
    assert len(server.requests) == 1
    assert sleeps == []


async def test_a_post_with_an_idempotency_key_is_tried_again(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(answer(503), answer())
    key = {"Idempotency-Key": "k"}
    assert (await get(server.url, retry, method="POST", headers=key))[0] == 200


@pytest.mark.parametrize("failure", [disconnect, reset])
async def test_aiohttp_does_not_run_the_attempts_once_more(
    serve: Serve, retry: RetryMiddleware, failure: Reaction
) -> None:
    """Trap 2: on its own disconnect errors aiohttp runs the whole chain again."""
    server = await serve(failure)
    with pytest.raises(TransportError, match=r"127\.0\.0\.1 in 3 attempts"):
        await get(server.url, retry)
    assert len(server.requests) == 3


async def test_a_refused_answer_gives_its_connection_back(
    serve: Serve, retry: RetryMiddleware
) -> None:
    """Trap 4: with one connection and a large refused body, the next try would hang."""
    server = await serve(answer(503, b"x" * 1_000_000), answer())
    async with asyncio.timeout(10):
        assert (await get(server.url, retry, pool=1))[0] == 200
    assert server.connections == 1


async def test_a_failure_names_its_cause(retry: RetryMiddleware, unused_port: int) -> None:
    with pytest.raises(TransportError, match="in 3 attempts: Cannot connect") as caught:
        await get(f"http://127.0.0.1:{unused_port}/", retry)
    assert isinstance(caught.value.__cause__, aiohttp.ClientConnectorError)


async def test_a_failure_without_words_is_named_by_its_kind(serve: Serve) -> None:
    async def silent(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        raise aiohttp.ClientPayloadError

    server = await serve(answer())
    with pytest.raises(TransportError, match="ClientPayloadError"):
        await get(server.url, RetryMiddleware(RetryPolicy(attempts=1)), silent)


async def test_a_wrong_certificate_is_not_tried_again(serve: Serve, sleeps: Sleeps) -> None:
    async def wrong_certificate(
        request: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        raise aiohttp.ClientConnectorCertificateError(
            request.connection_key, ssl.SSLCertVerificationError("self-signed")
        )

    server = await serve(answer())
    with pytest.raises(TransportError, match="1 attempt"):
        await get(server.url, RetryMiddleware(sleep=sleeps), wrong_certificate)
    assert sleeps == []


@pytest.mark.parametrize(
    "stalled",
    [stall, then(b"HTTP/1.1 200 OK\r\n", stall), then(answer(body=b"[1", length=9), stall)],
    ids=["answer", "headers", "body"],
)
async def test_each_attempt_is_timed_by_itself(
    serve: Serve, retry: RetryMiddleware, stalled: Reaction
) -> None:
    server = await serve(stalled, answer())
    assert (await get(server.url, retry, AttemptMiddleware(0.05)))[0] == 200


async def test_a_server_that_never_answers_is_a_timeout(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(stall)
    with pytest.raises(RequestTimeoutError, match=r"3 attempts: attempt_timeout is 0.02 s"):
        await get(server.url, retry, AttemptMiddleware(0.02))
    assert len(server.requests) == 3


async def test_aiohttps_own_timeout_is_a_timeout_too(serve: Serve) -> None:
    server = await serve(stall)
    with pytest.raises(RequestTimeoutError):
        await get(
            server.url,
            RetryMiddleware(RetryPolicy(attempts=1)),
            AttemptMiddleware(None),
            read_timeout=0.02,
        )


async def test_waits_between_tries_cost_no_timeout(serve: Serve) -> None:
    """Trap 5: `ClientTimeout(total=…)` would count them."""
    server = await serve(answer(503), answer())
    retry = RetryMiddleware(RetryPolicy(base_delay=0.2), random=lambda: 1.0)
    assert (await get(server.url, retry, AttemptMiddleware(0.15)))[0] == 200


async def test_a_cancellation_is_not_a_failure(serve: Serve, retry: RetryMiddleware) -> None:
    arrived = asyncio.Event()

    async def note(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await stall(writer)

    server = await serve(note)
    task = asyncio.create_task(get(server.url, retry, AttemptMiddleware()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(server.requests) == 1

from __future__ import annotations

import asyncio
import gc
import io
import ssl
import tracemalloc
import weakref
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from attrs import define

from pipeflow.errors import RequestTimeoutError, TransportError
from pipeflow.middleware import AttemptMiddleware, RetryMiddleware
from pipeflow.middleware.bodies import LARGEST_ANSWER
from pipeflow.retrying import RetryPolicy
from tests.middleware.conftest import Sleeps, answer, disconnect, reset, stall, then

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

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
    data: object = None,
) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(
            middlewares=middlewares,
            connector=aiohttp.TCPConnector(limit=pool),
            timeout=aiohttp.ClientTimeout(sock_read=read_timeout),
        ) as session,
        session.request(method, url, headers=headers, data=data, allow_redirects=False) as response,
    ):
        return response.status, await response.read()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 524, 530])
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
        then(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n",
            disconnect,
        ),
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


@pytest.mark.parametrize(
    "body", [b"", b'{"success": true, "da', b'[{"id": 1},', b'{"data":[{"id":1}', b'"tex', b"tru"]
)
async def test_json_that_breaks_off_is_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps, body: bytes
) -> None:
    server = await serve(answer(body=body), answer())
    assert await get(server.url, retry) == (200, b"{}")
    assert sleeps == [0.5]


@pytest.mark.parametrize(
    "body",
    [b"true", b"17", b'"text"', b"{}", b"[1] ", b"{]", b"NaN", b"no json", b"[" * 100_000 + b"]"],
)
async def test_other_json_is_no_reason_to_try_again(
    serve: Serve, retry: RetryMiddleware, body: bytes
) -> None:
    server = await serve(answer(body=body), answer(500))
    assert await get(server.url, retry) == (200, body)


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [
        ("DELETE", 200, b""),
        ("DELETE", 200, b"null"),
        ("PUT", 200, b'{"id": 1'),
        ("OPTIONS", 200, b""),
        ("GET", 204, b""),
        ("GET", 201, b""),
    ],
)
async def test_a_good_answer_without_json_is_no_reason_to_try_again(
    serve: Serve, retry: RetryMiddleware, *, method: str, status: int, body: bytes
) -> None:
    server = await serve(answer(status, body), answer(500))
    assert await get(server.url, retry, method=method) == (status, body)
    assert len(server.requests) == 1


async def test_the_answer_to_a_head_is_none_the_worse_for_its_missing_body(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(answer(200, b"", length=50), answer(500))
    assert await get(server.url, retry, method="HEAD") == (200, b"")
    assert len(server.requests) == 1


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


BLOCKS = [
    answer(403, b"<html>", content_type="text/html"),
    answer(429, b'{"cloudflare_error": true, "error_code": 1015}'),
    answer(429, b"error code: 1015", headers={"Retry-After": "1"}),
]


@pytest.mark.parametrize("block", BLOCKS)
async def test_a_block_is_never_tried_again(
    serve: Serve, retry: RetryMiddleware, block: bytes
) -> None:
    server = await serve(block, answer())
    assert (await get(server.url, retry))[0] in {403, 429}
    assert len(server.requests) == 1


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
    with pytest.raises(TransportError) as caught:
        await get(server.url, retry, method="POST")
    assert caught.value.attempts == 1
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
    with pytest.raises(TransportError, match=r"127\.0\.0\.1: .* \(in 3 attempts\)"):
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
    words = rf"no whole answer from 127\.0\.0\.1: cannot connect to 127\.0\.0\.1:{unused_port}: "
    with pytest.raises(TransportError, match=words) as caught:
        await get(f"http://127.0.0.1:{unused_port}/", retry)
    assert "ssl" not in str(caught.value)
    assert isinstance(caught.value.__cause__, aiohttp.ClientConnectorError)


async def test_a_failure_without_words_is_named_by_its_kind(serve: Serve) -> None:
    async def silent(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        raise aiohttp.ClientPayloadError

    server = await serve(answer())
    with pytest.raises(TransportError, match="ClientPayloadError"):
        await get(server.url, RetryMiddleware(RetryPolicy(attempts=1)), silent)


@pytest.mark.parametrize("alert", ["internal error", "handshake failure", "protocol version"])
async def test_a_passing_tls_alert_is_tried_again(
    serve: Serve, retry: RetryMiddleware, sleeps: Sleeps, alert: str
) -> None:
    alerts = [ssl.SSLError(1, f"[SSL] tlsv1 alert {alert}")]

    async def tls(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if alerts:
            raise aiohttp.ClientConnectorSSLError(request.connection_key, alerts.pop())
        return await handler(request)

    server = await serve(answer())
    assert await get(server.url, retry, AttemptMiddleware(), tls) == (200, b"{}")
    assert sleeps == [0.5]


async def test_a_wrong_certificate_is_not_tried_again(serve: Serve, sleeps: Sleeps) -> None:
    async def wrong_certificate(
        request: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        raise aiohttp.ClientConnectorCertificateError(
            request.connection_key, ssl.SSLCertVerificationError("self-signed")
        )

    server = await serve(answer())
    with pytest.raises(TransportError, match="self-signed") as caught:
        await get(server.url, RetryMiddleware(sleep=sleeps), wrong_certificate)
    assert caught.value.attempts == 1
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
    with pytest.raises(RequestTimeoutError, match=r"attempt_timeout is 0.02 s \(in 3 attempts\)"):
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


# ---- what can be sent again


class Unseekable(io.RawIOBase):
    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._data.readinto(buffer)


async def generated() -> AsyncGenerator[bytes, None]:
    yield b"one"
    yield b"two"


def form() -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("file", b"content", filename="a.txt")
    return data


@define
class Uploads:
    """A server that takes uploads, and refuses the first."""

    url: str
    bodies: list[bytes]


@pytest.fixture
async def uploads() -> AsyncGenerator[Uploads, None]:
    bodies: list[bytes] = []

    async def take(request: web.BaseRequest) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=503 if len(bodies) == 1 else 200, body=b"{}")

    async with RawTestServer(take) as server:
        yield Uploads(str(server.make_url("/")), bodies)


@pytest.mark.parametrize(
    "data",
    [b"bytes", "text", {"form": "urlencoded"}, io.BytesIO(b"a file"), io.StringIO("a text file")],
    ids=["bytes", "text", "form", "file", "text file"],
)
async def test_a_body_that_can_be_sent_again_is(
    uploads: Uploads, retry: RetryMiddleware, data: object
) -> None:
    assert await get(uploads.url, retry, method="PUT", data=data) == (200, b"{}")
    first, second = uploads.bodies
    assert first == second != b""


@pytest.mark.parametrize(
    "make",
    [generated, form, lambda: io.BufferedReader(Unseekable(b"a pipe"))],  # type: ignore[type-var]
    ids=["generator", "multipart", "pipe"],
)
async def test_a_body_that_can_be_sent_once_is_sent_once(
    uploads: Uploads, retry: RetryMiddleware, make: Callable[[], object]
) -> None:
    assert (await get(uploads.url, retry, method="PUT", data=make()))[0] == 503
    assert len(uploads.bodies) == 1


# ---- streams


async def streamed(url: str, *middlewares: ClientMiddlewareType) -> int:
    size = 0
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.get(url) as response,
    ):
        async for chunk in response.content.iter_chunked(2**16):
            size += len(chunk)
    return size


def endless(size: int, content_type: str) -> Reaction:
    async def write(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {size}\r\n\r\n"
        writer.write(head.encode())
        for _ in range(size // 2**20):
            writer.write(b" " * 2**20)
            await writer.drain()

    return write


async def test_a_download_streams_past_in_no_memory(serve: Serve, retry: RetryMiddleware) -> None:
    server = await serve(endless(200 * 2**20, "application/octet-stream"))
    tracemalloc.start()
    assert await streamed(server.url, retry) == 200 * 2**20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "text/event-stream"])
async def test_what_never_ends_is_not_waited_for(
    serve: Serve, retry: RetryMiddleware, content_type: str
) -> None:
    server = await serve(then(answer(body=b"{}\n", length=10**9, content_type=content_type), stall))
    async with (
        aiohttp.ClientSession(middlewares=[retry]) as session,
        session.get(server.url) as response,
    ):
        assert await response.content.readline() == b"{}\n"


async def test_json_that_was_read_can_be_streamed(serve: Serve, retry: RetryMiddleware) -> None:
    server = await serve(answer(body=b"null"), answer(body=b"[" + b"1," * 100_000 + b"1]"))
    assert await streamed(server.url, retry) == 200_003


async def test_json_that_is_too_large_to_be_judged_streams_past(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(endless(LARGEST_ANSWER + 2**20, "application/json"))
    assert await streamed(server.url, retry) == LARGEST_ANSWER + 2**20
    assert len(server.requests) == 1


async def test_a_refusal_that_is_too_large_to_be_judged_is_tried_again(
    serve: Serve, retry: RetryMiddleware
) -> None:
    server = await serve(answer(503, b"x" * (LARGEST_ANSWER + 1)), answer())
    async with asyncio.timeout(30):
        assert await get(server.url, retry, pool=1) == (200, b"{}")


# ---- beside others


async def test_two_retries_do_not_multiply(serve: Serve, sleeps: Sleeps) -> None:
    outer = RetryMiddleware(RetryPolicy(attempts=2), sleep=sleeps)
    inner = RetryMiddleware(RetryPolicy(attempts=4), sleep=sleeps)
    server = await serve(stall)
    with pytest.raises(RequestTimeoutError, match=r"in time: attempt_timeout is 0.02 s \(in 2 att"):
        await get(server.url, outer, inner, AttemptMiddleware(0.02))
    assert len(server.requests) == 2


async def test_a_request_made_by_a_middleware_has_attempts_of_its_own(
    serve: Serve, retry: RetryMiddleware
) -> None:
    side = await serve(answer(503), answer())
    server = await serve(answer())

    async def asks_aside(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        assert (await get(side.url, retry))[0] == 200
        return await handler(request)

    assert (await get(server.url, retry, asks_aside))[0] == 200
    assert (len(side.requests), len(server.requests)) == (2, 1)


async def test_a_request_that_is_over_is_forgotten(serve: Serve, retry: RetryMiddleware) -> None:
    requests: list[weakref.ref[ClientRequest]] = []

    async def note(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        requests.append(weakref.ref(request))
        return await handler(request)

    server = await serve(answer())
    async with aiohttp.ClientSession(middlewares=[retry, note]) as session:
        for _ in range(5):
            async with session.get(server.url):
                pass
        gc.collect()
        assert sum(request() is not None for request in requests) <= 1

"""Secrets are where they belong, and nowhere else: every secret is searched for in every place.

A secret added to `SECRETS` joins every search; so does a way to fail added to `FAILURES` or
`RAW_FAILURES`, and a place added to `places_of`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import pickle
import traceback
import warnings
from base64 import b64encode
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import aiohttp
import pytest

from pipeflow import (
    ApiError,
    AuthenticationError,
    AuthorizationCallbackError,
    BadRequestError,
    BlockedError,
    BurstLimiter,
    CheckpointLostError,
    DailyBudgetExhaustedError,
    DecodeError,
    FileTokenStore,
    FlowsFailed,
    InvalidIdError,
    MemoryTokenStore,
    Names,
    NotFoundError,
    OAuthApp,
    OAuthTokens,
    PaginationError,
    PaymentRequiredError,
    PermissionDeniedError,
    PipedriveSession,
    PipeflowError,
    RateLimitError,
    ReauthorizationRequiredError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    TokenStoreError,
    TransportError,
    errors,
)
from pipeflow.answers import Answer
from pipeflow.credentials import ApiTokenCredential, Secret
from pipeflow.middleware import (
    AttemptMiddleware,
    AuthMiddleware,
    RateLimitMiddleware,
    RetryMiddleware,
)
from pipeflow.observing import Observer
from pipeflow.testing import (
    BadGateway,
    Block,
    ClampPages,
    DailyBudgetExceeded,
    Disconnect,
    FakeOAuth,
    FakePipedrive,
    Fault,
    Headers,
    InvalidJson,
    NullBody,
    Outage,
    Redirect,
    Reset,
    SeenRequest,
    Stall,
    Status,
    StuckPage,
    TooManyRequests,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from tests.conftest import Wrong

SECRETS = {
    "an API token": {
        "the API token": "7c0ffee5ec4e70d15ea5e0ff1ce5ca1ab1e0b0e5",
    },
    "OAuth": {
        "the access token": "v1u:AQIBAHj8rq/xQm3+Zk7TgY2=W9sLdPfNcV6bXe4oJhUa",
        "the refresh token": "1234567:7654321:f1ea5ed0ff1cea1bedb0a7c0de5eed5e1f1e55ed",
        "the client secret": "ba5eba11dec0dedfeed1e55ca5cadedecea5ed00",
        "the authorization code": "ace0fba5e5deadbeeff00dfacade5ca1efadedba",
    },
}
"""What a session of each kind knows, and so must keep to itself."""

API_TOKEN = SECRETS["an API token"]["the API token"]
OAUTH = SECRETS["OAuth"]


def basic(secret: str) -> str:
    """As it stands in a `Basic` header."""
    return b64encode(f"me:{secret}".encode()).decode()


ECHO = " ".join(
    spelled
    for secrets in SECRETS.values()
    for secret in secrets.values()
    for spelled in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], basic(secret))
)
"""What a careless server or proxy sends back."""

SHOWN_ENOUGH = 10
"""Characters of a secret that are too many: what is cut short can still give most of it away."""

QUICK = RetryPolicy(attempts=2, base_delay=0.0, max_wait=0.0)
ECHOED = {"success": False, "error": f"no {ECHO}", "error_info": ECHO, "errorCode": 1}
ECHOING_HEADERS: dict[str, str | None] = {
    "x-correlation-id": ECHO,
    "Retry-After": ECHO,
    "x-ratelimit-limit": ECHO,
    "Set-Cookie": f"echo={API_TOKEN}",
    "Server": ECHO,
}


# ---- ways to fail

FAILURES: dict[str, tuple[type[PipeflowError], Fault]] = {
    "400": (BadRequestError, Status(400, ECHOED)),
    "401": (AuthenticationError, Status(401, ECHOED)),
    "402": (PaymentRequiredError, Status(402, ECHOED)),
    "403": (PermissionDeniedError, Status(403, ECHOED)),
    "403, a page": (BlockedError, Block("html") + Headers({"x-correlation-id": ECHO})),
    "404": (NotFoundError, Status(404, ECHOED)),
    "418": (ApiError, Status(418, ECHOED)),
    "429 of the burst limit": (RateLimitError, TooManyRequests("99") + Headers({"x-echo": ECHO})),
    "429 of the day": (DailyBudgetExhaustedError, DailyBudgetExceeded()),
    "500": (ServerError, Status(500, ECHOED)),
    "500, text": (ServerError, Status(500, ECHO)),
    "502": (ServerError, BadGateway()),
    "200 that says no": (ApiError, Status(200, ECHOED)),
    "200 with a long reason": (
        ApiError,
        Status(200, {"success": False, "error": "." * 480 + ECHO}),
    ),
    "400 with a long reason": (BadRequestError, Status(400, {"error": "." * 480 + ECHO})),
    "404 in echoing headers": (NotFoundError, Status(404, ECHOED, headers=ECHOING_HEADERS)),
    "429 in echoing headers": (
        DailyBudgetExhaustedError,  # as some of the burst limit remains
        Status(429, ECHOED, headers=ECHOING_HEADERS),
    ),
    "a redirect": (ApiError, Redirect(f"http://127.0.0.1:9/{API_TOKEN}")),
    "null": (DecodeError, NullBody()),
    "half of a JSON": (DecodeError, InvalidJson()),
    "a secret as JSON": (DecodeError, InvalidJson(f'"{ECHO}"'.encode())),
    "a secret as data": (DecodeError, Status(200, {"data": ECHO})),
    "a secret, not JSON": (DecodeError, InvalidJson(ECHO.encode())),
    "a secret, not UTF-8": (DecodeError, InvalidJson(ECHO.encode() + b"\xff")),
    "a secret as a record": (
        DecodeError,
        Status(200, {"data": [{"object": "note", "data": {"id": ECHO}}]}),
    ),
    "a disconnect": (TransportError, Disconnect()),
    "a truncated body": (TransportError, Disconnect(after=10)),
    "a truncated chunk": (TransportError, Disconnect(after=10, chunked=True)),
    "a reset": (TransportError, Reset()),
    "a reset body": (TransportError, Reset(after=10)),
    "an outage": (TransportError, Outage(0.05)),
    "silence": (RequestTimeoutError, Stall()),
    "silence within the body": (RequestTimeoutError, Stall(after=10)),
    "a page that does not advance": (PaginationError, StuckPage() + ClampPages(10)),
}

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f\x8b"
RAW_FAILURES: dict[str, tuple[type[PipeflowError], bytes]] = {
    "garbage": (TransportError, b"%b\r\n\r\n"),
    "no bytes": (TransportError, b"%.0b"),
    "a strange version": (TransportError, b"HTTP/9.9 200 %b\r\n\r\n"),
    "a status that is none": (TransportError, b"HTTP/1.1 %b OK\r\n\r\n"),
    "a reason phrase": (NotFoundError, b"HTTP/1.1 404 %b\r\nContent-Length: 0\r\n\r\n"),
    "a broken header": (TransportError, b"HTTP/1.1 200 OK\r\n%b\r\n\r\n"),
    "a broken header's name": (TransportError, b"HTTP/1.1 200 OK\r\n%b?\0: x\r\n\r\n"),
    # aiohttp 3.12 lets it pass.
    "a broken header's value": (PipeflowError, b"HTTP/1.1 200 OK\r\nx: \0%b\r\n\r\n"),
    "a broken length": (TransportError, b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n"),
    "a broken chunk size": (TransportError, CHUNKED + b"%b\r\n"),
    "a broken chunk": (TransportError, CHUNKED + b"5\r\n%b\r\n0\r\n\r\n"),
    "a broken gzip": (TransportError, GZIPPED + b"%b" + b"." * 99),
    "strange encodings": (
        DecodeError,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nTransfer-Encoding: %b\r\n\r\n",
    ),
}


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncIterator[str]:
    """The base URL of a server that answers with these bytes, the secrets in the place of `%b`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.replace(b"%b", ECHO.encode()).replace(b"%.0b", b""))
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


class KnownOAuth(FakeOAuth):
    """Accepts the one access token that is searched for."""

    def refusal_of(self, token: str | None) -> int | None:
        return None if token == OAUTH["the access token"] else 401


def small_fake() -> FakePipedrive:
    notes = [{"object": "note", "data": {"id": number}} for number in range(30)]
    return FakePipedrive(
        api_token=API_TOKEN, persons={1101: notes}, deals={11011: notes}, oauth=KnownOAuth()
    )


class Listener(Observer):
    """Keeps every event of whatever kind."""

    def __init__(self) -> None:
        self.told: list[object] = []


for event_kind in [name for name in vars(Observer) if not name.startswith("_")]:
    setattr(Listener, event_kind, lambda self, event: self.told.append(event))

LISTENERS: WeakKeyDictionary[PipedriveSession, Listener] = WeakKeyDictionary()


def app_at(base_url: str) -> OAuthApp:
    app = OAuthApp(
        "a-client-id",
        OAUTH["the client secret"],
        redirect_uri="https://app.example.com/",
        token_url=base_url.replace("/v1", "/oauth/token"),
    )
    app.read_callback({"state": "a", "code": OAUTH["the authorization code"]}, state="a")
    return app


def tokens_at(base_url: str, *, lifetime: float = 3600.0) -> OAuthTokens:
    return OAuthTokens(
        access_token=OAUTH["the access token"],
        refresh_token=OAUTH["the refresh token"],
        expires_at=datetime.now(UTC) + timedelta(seconds=lifetime),
        api_domain=base_url.removesuffix("/v1"),
    )


def session_at(base_url: str, how: str = "an API token", **options: Wrong) -> PipedriveSession:
    if how == "OAuth":
        options = {"oauth": app_at(base_url), "tokens": tokens_at(base_url), **options}
    else:
        options = {"api_token": API_TOKEN, "base_url": base_url, **options}
    listener = Listener()
    options = {"retry": QUICK, "strict": True, "observers": [listener], **options}
    session = PipedriveSession(**options)
    LISTENERS[session] = listener
    return session


def patience(kind: type[PipeflowError]) -> float:
    """Seconds for an attempt: few only where there is nothing to wait for."""
    return 0.05 if kind is RequestTimeoutError else 30.0


# ---- ways to read


async def read_a_page(pipedrive: PipedriveSession) -> None:
    await pipedrive.get_person_flow(1101, page_size=10)


async def read_all(pipedrive: PipedriveSession) -> None:
    async for _ in pipedrive.iter_person_flow(1101, page_size=10):
        pass


async def read_ahead(pipedrive: PipedriveSession) -> None:
    async for _ in pipedrive.iter_deal_flow(11011, page_size=10, prefetch=3):
        pass


async def read_many(pipedrive: PipedriveSession) -> None:
    async for _ in pipedrive.iter_person_flows([1101, 7], page_size=10):
        pass


async def read_many_until_one_fails(pipedrive: PipedriveSession) -> None:
    async for _ in pipedrive.iter_person_flows([1101], page_size=10, on_error="raise"):
        pass


READERS = [read_a_page, read_all, read_ahead, read_many, read_many_until_one_fails]
READINGS = [("an API token", read) for read in READERS]
READINGS += [("OAuth", read_a_page), ("OAuth", read_ahead)]


async def error_of(reading: Awaitable[None]) -> BaseException:
    """What reading ended with, if it did; without a local that holds a secret."""
    try:
        await reading
    except BaseException as error:  # noqa: BLE001 - cancellations, too
        return error
    return Exception("it did not fail")


# ---- places to look into


def everything_in(error: BaseException) -> Iterator[BaseException]:
    """An error, its members and all it was raised from, shown or suppressed."""
    yield error
    inner = [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    inner += [*getattr(error, "failures", ()), getattr(error, "stopped_by", None)]
    for each in inner:
        if each is not None:
            yield from everything_in(each)


def places_of(error: BaseException) -> dict[str, str]:
    places: dict[str, str] = {}
    for each in everything_in(error):
        shown = traceback.TracebackException.from_exception(each, capture_locals=True)
        name = type(each).__name__
        places |= {
            f"{name}'s str": str(each),
            f"{name}'s repr": repr(each),
            f"{name}'s args": repr(each.args),
            f"{name}'s attributes": repr(vars(each)),
            f"{name}'s notes": repr(getattr(each, "__notes__", None)),
            f"{name}'s traceback": "".join(shown.format()),
            f"{name}'s pickle": pickled(each),
        }
    return places


def pickled(error: BaseException) -> str:
    if not isinstance(error, PipeflowError):
        return ""
    dumped = pickle.dumps(error)
    shown = traceback.TracebackException.from_exception(pickle.loads(dumped), capture_locals=True)
    return dumped.decode("latin-1") + "".join(shown.format())


def leaks(places: dict[str, str], how: str | None = None) -> list[str]:
    """The places in which a secret stands, or too much of one.

    A session of one kind cannot hide what another knows.
    """
    known = [*SECRETS.values()] if how is None else [SECRETS[how]]
    return [
        f"{name} is in {place}: {text[max(0, text.find(part) - 120) :][:240]}"
        for secrets in known
        for name, secret in secrets.items()
        for place, text in places.items()
        for part in [next((part for part in parts_of(secret) if part in text), "")]
        if part
    ]


@functools.cache
def parts_of(secret: str) -> list[str]:
    """All that is too much of a secret, as it is or within base64."""
    encoded = basic(secret)[4:].rstrip("=")  # without what begins before it
    return [
        whole[at : at + SHOWN_ENOUGH]
        for whole in (secret, encoded)
        for at in range(len(whole) - SHOWN_ENOUGH + 1)
    ]


@pytest.fixture
async def overheard(
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Callable[[], dict[str, str]]]:
    """What is logged and warned of, with the root logger at DEBUG and asyncio telling all."""
    loop = asyncio.get_running_loop()
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "asyncio")
    loop.set_debug(enabled=True)
    loop.slow_callback_duration = 0.0
    with warnings.catch_warnings(record=True, action="always") as warned:
        yield lambda: {
            "a log record": "\n".join(
                f"{record.getMessage()} {vars(record)}" for record in caplog.records
            ),
            "the formatted log": caplog.text,
            "a warning": "\n".join(str(warning) for warning in warned),
        }
    loop.set_debug(enabled=False)


def shown_by(pipedrive: PipedriveSession) -> dict[str, str]:
    return {
        "a session's repr": repr(pipedrive),
        "the reprs of what it has": repr(vars(pipedrive)),
        "the stats": repr(pipedrive.stats),
        "the rate limit": repr(pipedrive.rate_limit),
        "its credential": f"{pipedrive._credential!r} {vars(pipedrive._credential)}",
        "what an observer is told": repr(LISTENERS[pipedrive].told),
    }


# ---- the searches


def test_the_search_finds_what_is_there() -> None:
    for secret in [API_TOKEN, *OAUTH.values()]:
        error = ApiError(f"no {secret[1:-1]}", status=400)
        error.__cause__ = ExceptionGroup("all", [OSError(secret)])
        found = "\n".join(leaks(places_of(error)))
        assert "is in ApiError's str" in found
        assert "is in ApiError's pickle" in found
        assert "is in OSError's args" in found
    assert not leaks({"nothing": "at all"})


def test_every_kind_of_error_is_searched() -> None:
    searched = {kind for kind, _ in (*FAILURES.values(), *RAW_FAILURES.values())}
    searched |= {kind for kind, _ in TOKEN_FAILURES.values()}
    searched |= {TokenStoreError, AuthorizationCallbackError}
    every = {getattr(errors, name) for name in errors.__all__}
    # The ways to read many meet FlowsFailed; an InvalidIdError quotes what the caller gave, and a
    # CheckpointLostError nothing but a number.
    not_searched = {PipeflowError, FlowsFailed, InvalidIdError, CheckpointLostError}
    assert every - searched <= not_searched


@pytest.mark.parametrize(("how", "read"), READINGS)
@pytest.mark.parametrize("failure", FAILURES)
async def test_no_failure_shows_a_secret(
    how: str,
    read: Callable[[PipedriveSession], Awaitable[None]],
    failure: str,
    overheard: Callable[[], dict[str, str]],
) -> None:
    kind, fault = FAILURES[failure]
    async with small_fake() as fake:
        fake.on_request = lambda _: fault
        async with session_at(fake.base_url, how, attempt_timeout=patience(kind)) as pipedrive:
            error = await error_of(read(pipedrive))
            shown = shown_by(pipedrive)
        requests = fake.requests
    if kind is PaginationError and read is read_a_page:
        assert str(error) == "it did not fail"
    else:
        assert any(type(each) is kind for each in everything_in(error))
    places = places_of(error) | shown | overheard() | beside_the_header(requests)
    assert leaks(places, how) == []


@pytest.mark.parametrize("how", SECRETS)
@pytest.mark.parametrize("failure", RAW_FAILURES)
async def test_no_broken_answer_shows_a_secret(
    how: str, failure: str, overheard: Callable[[], dict[str, str]]
) -> None:
    kind, answer = RAW_FAILURES[failure]
    async with raw_server(answer) as base_url, session_at(base_url, how) as pipedrive:
        error = await error_of(read_a_page(pipedrive))
        shown = shown_by(pipedrive)
    assert isinstance(error, kind)
    assert leaks(places_of(error) | shown | overheard(), how) == []


@pytest.mark.parametrize("how", SECRETS)
@pytest.mark.parametrize("failure", ["a disconnect", "silence", "404"])
async def test_no_answer_to_an_earlier_try_shows_a_secret(
    how: str, failure: str, overheard: Callable[[], dict[str, str]]
) -> None:
    kind, fault = FAILURES[failure]
    async with small_fake() as fake:
        fake.script(Status(503, ECHOED, headers=ECHOING_HEADERS))
        fake.on_request = lambda _: fault
        async with session_at(fake.base_url, how, attempt_timeout=patience(kind)) as pipedrive:
            error = await error_of(read_a_page(pipedrive))
            shown = shown_by(pipedrive)
    assert type(error) is kind
    assert leaks(places_of(error) | shown | overheard(), how) == []


@pytest.mark.parametrize(("how", "read"), READINGS)
async def test_no_answer_that_is_too_large_shows_a_secret(
    how: str,
    read: Callable[[PipedriveSession], Awaitable[None]],
    overheard: Callable[[], dict[str, str]],
) -> None:
    """Its error leaves from within the middlewares, through frames that hold request and answer."""
    async with small_fake() as fake:
        fake.on_request = lambda _: Status(200, {"data": ECHO})
        async with session_at(fake.base_url, how, max_page_bytes=20) as pipedrive:
            error = await error_of(read(pipedrive))
    assert any("more than 20 bytes" in str(each) for each in everything_in(error))
    assert leaks(places_of(error) | overheard(), how) == []


@pytest.mark.parametrize("how", SECRETS)
async def test_no_refused_connection_shows_a_secret(
    how: str, unused_port: int, overheard: Callable[[], dict[str, str]]
) -> None:
    async with session_at(f"http://127.0.0.1:{unused_port}/v1", how) as pipedrive:
        error = await error_of(read_a_page(pipedrive))
    assert type(error) is TransportError
    assert leaks(places_of(error) | overheard()) == []


@pytest.mark.parametrize("how", SECRETS)
async def test_no_deadline_shows_a_secret(
    how: str, overheard: Callable[[], dict[str, str]]
) -> None:
    async with small_fake() as fake:
        fake.script(Stall(after=10))
        async with session_at(fake.base_url, how, deadline=0.05) as pipedrive:
            error = await error_of(read_a_page(pipedrive))
    assert "deadline" in str(error)
    assert leaks(places_of(error) | overheard()) == []


@pytest.mark.parametrize("how", SECRETS)
@pytest.mark.parametrize("failure", FAILURES)
async def test_no_failure_of_names_shows_a_secret(
    how: str, failure: str, overheard: Callable[[], dict[str, str]]
) -> None:
    """Whether it is raised or, as a refusal of some names, told."""
    kind, fault = FAILURES[failure]
    told: list[Names] = []

    async def read_names(pipedrive: PipedriveSession) -> None:
        told.append(await pipedrive.get_names(parts=["users"]))

    async with small_fake() as fake:
        fake.on_request = lambda _: fault
        async with session_at(fake.base_url, how, attempt_timeout=patience(kind)) as pipedrive:
            error = await error_of(read_names(pipedrive))
            shown = shown_by(pipedrive)
    refusals = {f"names {each}": f"{each.refused} {each.to_dict()}" for each in told}
    assert leaks(places_of(error) | refusals | shown | overheard(), how) == []


@pytest.mark.parametrize("how", SECRETS)
@pytest.mark.parametrize("failure", ["400", "401", "404", "a secret as data", "a secret, not JSON"])
async def test_no_failure_of_a_watch_shows_a_secret(
    how: str, failure: str, overheard: Callable[[], dict[str, str]]
) -> None:
    """Whether it ends the watch or is borne, and told in the log."""
    _, fault = FAILURES[failure]

    async def watch(pipedrive: PipedriveSession) -> None:
        async with pipedrive.watch_person_flow(1101) as events:
            await anext(events)

    async with small_fake() as fake:
        fake.on_request = lambda _: fault
        async with session_at(fake.base_url, how) as pipedrive:
            watching = asyncio.create_task(error_of(watch(pipedrive)))
            while not any(request.status for request in fake.requests):
                await asyncio.sleep(0)
            for _ in range(100):
                await asyncio.sleep(0)
            watching.cancel()
            error = await watching
            shown = shown_by(pipedrive)
    assert leaks(places_of(error) | shown | overheard(), how) == []


@pytest.mark.parametrize("how", SECRETS)
async def test_no_cancellation_shows_a_secret(
    how: str, overheard: Callable[[], dict[str, str]]
) -> None:
    async with small_fake() as fake:
        arrived = asyncio.Event()

        def stall(_: SeenRequest) -> Fault:
            arrived.set()
            return Stall()

        fake.script(Status(503, ECHOED, headers=ECHOING_HEADERS))
        fake.on_request = stall
        async with session_at(fake.base_url, how) as pipedrive:
            reading = asyncio.create_task(error_of(read_all(pipedrive)))
            await arrived.wait()
            reading.cancel()
            error = await reading
    assert isinstance(error, asyncio.CancelledError)
    assert leaks(places_of(error) | overheard()) == []


@pytest.mark.parametrize("how", SECRETS)
async def test_no_error_of_a_users_middleware_shows_a_secret(
    how: str,
    overheard: Callable[[], dict[str, str]],
) -> None:
    async def fail(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        await handler(request)
        raise LookupError(repr(request), repr(request.headers))

    async with small_fake() as fake:
        async with session_at(fake.base_url, how, middlewares=[fail]) as pipedrive:
            error = await error_of(read_all(pipedrive))
    assert isinstance(error, LookupError)
    assert leaks(places_of(error) | overheard()) == []


@pytest.mark.parametrize("how", SECRETS)
async def test_a_users_middleware_is_never_shown_the_token(
    how: str,
    overheard: Callable[[], dict[str, str]],
) -> None:
    """Neither before a try nor after it, nor at the next one."""
    log = logging.getLogger("a user's")

    async def tell(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        def shown(headers: Mapping[str, str]) -> str:
            return " ".join(f"{name}: {value}" for name, value in headers.items())

        log.debug("%s %s", request.url, shown(request.headers))
        try:
            response = await handler(request)
        finally:
            log.debug("%s %s", request.url, shown(request.headers))
        log.debug("%s %s", response.request_info, shown(response.request_info.headers))
        return response

    async with small_fake() as fake:
        fake.script(Status(503), Disconnect(), None)
        async with session_at(
            fake.base_url, how, retry=RetryPolicy(base_delay=0.0), middlewares=[tell]
        ) as pipedrive:
            await read_a_page(pipedrive)
        assert fake.request_count == 3
    assert leaks(overheard()) == []


@pytest.mark.parametrize("how", SECRETS)
async def test_a_borrowed_session_learns_no_secret(
    how: str,
    overheard: Callable[[], dict[str, str]],
) -> None:
    async with small_fake() as fake:
        fake.on_request = lambda _: Headers(ECHOING_HEADERS)
        async with aiohttp.ClientSession() as borrowed:
            async with session_at(fake.base_url, how, session=borrowed) as pipedrive:
                await read_a_page(pipedrive)
            kept = {
                "the session's headers": str(borrowed.headers),
                "its cookies": "".join(str(cookie) for cookie in borrowed.cookie_jar),
                "it": repr(vars(borrowed)),
            }
    assert leaks(kept | overheard()) == []


async def test_the_token_goes_nowhere_but_into_its_header() -> None:
    async with (
        small_fake() as fake,
        FakePipedrive() as elsewhere,
        session_at(fake.base_url) as pipedrive,
    ):
        await read_all(pipedrive)
        fake.script(Redirect(elsewhere.base_url), Redirect(fake.base_url))
        for _ in range(2):
            await error_of(read_a_page(pipedrive))
        assert elsewhere.request_count == 0
        assert len(fake.requests) >= 3
        for request in fake.requests:
            sent = [value for name, value in request.headers.items() if name == "x-api-token"]
            assert sent == [API_TOKEN]
        assert leaks(beside_the_header(fake.requests)) == []


CREDENTIAL_HEADERS = {"x-api-token", "Authorization"}


def beside_the_header(requests: list[SeenRequest]) -> dict[str, str]:
    return {
        f"request {number}": f"{request.path} {request.query} "
        + str([value for name, value in request.headers.items() if name not in CREDENTIAL_HEADERS])
        for number, request in enumerate(requests)
    }


# ---- OAuth beside the reading


TOKEN_FAILURES: dict[str, tuple[type[PipeflowError], Fault]] = {
    "a dead refresh token": (
        ReauthorizationRequiredError,
        Status(400, {"error": "invalid_grant", "error_description": ECHO}, headers=ECHOING_HEADERS),
    ),
    "a wrong client": (AuthenticationError, Status(401, {"error": ECHO}, headers=ECHOING_HEADERS)),
    "a bad request": (BadRequestError, Status(400, {"error": "." * 480 + ECHO})),
    "too many": (RateLimitError, Status(429, {"error": ECHO}, headers=ECHOING_HEADERS)),
    "a server's failure": (ServerError, Status(500, ECHO)),
    "no tokens": (DecodeError, Status(200, {"api_domain": ECHO, "scope": ECHO})),
    "tokens in two words": (DecodeError, Status(200, {"access_token": ECHO})),
    "not JSON": (DecodeError, Status(200, ECHO)),
    "too much": (DecodeError, Status(200, ECHO * 999)),
    "a redirect": (ApiError, Redirect(f"http://127.0.0.1:9/{ECHO}")),
    "a disconnect": (TransportError, Disconnect()),
    "a truncated body": (TransportError, Disconnect(after=10)),
}


@pytest.mark.parametrize("failure", TOKEN_FAILURES)
async def test_no_failure_of_a_refresh_shows_a_secret(
    failure: str, overheard: Callable[[], dict[str, str]]
) -> None:
    kind, fault = TOKEN_FAILURES[failure]
    async with small_fake() as fake:
        fake.oauth.script(fault)
        tokens = tokens_at(fake.base_url, lifetime=-1.0)
        async with session_at(fake.base_url, "OAuth", tokens=tokens) as pipedrive:
            error = await error_of(read_all(pipedrive))
            shown = shown_by(pipedrive)
        assert fake.oauth.token_requests == ["refresh_token"]
    assert type(error) is kind
    assert leaks(places_of(error) | shown | overheard(), "OAuth") == []


@pytest.mark.parametrize("failure", TOKEN_FAILURES)
async def test_no_failure_of_an_exchange_shows_a_secret(
    failure: str, overheard: Callable[[], dict[str, str]]
) -> None:
    """The app does not know the tokens yet, and echoes nothing but reasons and headers."""
    kind, fault = TOKEN_FAILURES[failure]
    async with small_fake() as fake:
        fake.oauth.script(fault)
        app = app_at(fake.base_url)
        error = await error_of(exchange(app))
    assert type(error) is kind
    places = places_of(error) | overheard() | {"the app": f"{app!r} {vars(app)}"}
    found = leaks(places, "OAuth")
    assert [leak for leak in found if not leak.startswith(("the access", "the refresh"))] == []


async def exchange(app: OAuthApp) -> None:
    await app.exchange_code(OAUTH["the authorization code"])


async def test_no_cancelled_token_request_shows_a_secret(
    overheard: Callable[[], dict[str, str]],
) -> None:
    async with small_fake() as fake:
        fake.oauth.script(Stall())
        exchanging = asyncio.create_task(error_of(exchange(app_at(fake.base_url))))
        while not fake.oauth.token_requests:
            await asyncio.sleep(0)
        exchanging.cancel()
        error = await exchanging
    assert isinstance(error, asyncio.CancelledError)
    assert leaks(places_of(error) | overheard()) == []


@pytest.mark.parametrize("what", ["load", "save", "lock"])
async def test_no_store_that_quotes_tokens_shows_them(
    what: str, overheard: Callable[[], dict[str, str]]
) -> None:
    class Quoting(MemoryTokenStore):
        def __getattribute__(self, name: str) -> object:
            if name == what:
                raise OSError(f"{name} {ECHO}", {"tokens": ECHO})
            return super().__getattribute__(name)

    async with small_fake() as fake:
        tokens = tokens_at(fake.base_url, lifetime=-1.0)
        fake.oauth.script(Status(200, tokens.to_dict()))
        pipedrive = session_at(fake.base_url, "OAuth", tokens=MemoryTokenStore(tokens))
        pipedrive._credential._store = Quoting(tokens)  # type: ignore[attr-defined]
        if what == "load":
            pipedrive._credential._see(tokens)  # type: ignore[attr-defined]
        error = await error_of(read_all(pipedrive))
        shown = shown_by(pipedrive)
        closing = await error_of(pipedrive.close())
    assert type(error) is TokenStoreError
    places = places_of(error) | places_of(closing) | shown | overheard()
    assert leaks(places, "OAuth") == []


@pytest.mark.parametrize("spoilt", ["{} ", "{}\n", "\t{}", "{}ü"])
@pytest.mark.parametrize("name", OAUTH)
async def test_no_spoilt_oauth_secret_is_shown(name: str, spoilt: str) -> None:
    error = await error_of(use_one_spoilt(name, spoilt))
    assert isinstance(error, ValueError | AuthorizationCallbackError)
    assert leaks(places_of(error)) == []


async def use_one_spoilt(name: str, spoilt: str) -> None:
    given = {**OAUTH, name: spoilt.format(OAUTH[name])}
    access, refresh, secret, code = (Secret(text) for text in given.values())
    del given
    app = OAuthApp("an-id", secret, redirect_uri="https://app.example.com/")
    app.read_callback({"state": "a", "code": code}, state="a")
    OAuthTokens(
        access_token=access,
        refresh_token=refresh,
        expires_at=datetime.now(UTC),
        api_domain="https://acme.pipedrive.com",
    )


@pytest.mark.parametrize("spoilt", ["", "[]", "{", '{"access_token": 1}'])
async def test_no_spoilt_file_shows_what_it_holds(spoilt: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(ECHO + spoilt)
    error = await error_of(load(path))
    assert type(error) is ValueError
    assert leaks(places_of(error)) == []


async def load(path: Path) -> None:
    await FileTokenStore(path).load()


# ---- arguments


WRONG_OPTIONS: dict[str, dict[str, Any]] = {
    "an address of another scheme": {"base_url": "ftp://example.com"},
    "two addresses": {"base_url": "https://example.com", "company_domain": "acme"},
    "a timeout": {"attempt_timeout": -1.0},
    "a deadline": {"deadline": "soon"},
    "a size": {"max_page_bytes": 0},
    "a cool-down": {"block_cooldown": -1.0},
}


@pytest.mark.parametrize("wrong", WRONG_OPTIONS)
def test_no_wrong_argument_shows_a_secret(wrong: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        PipedriveSession(API_TOKEN, **WRONG_OPTIONS[wrong])
    assert leaks(places_of(raised.value)) == []


@pytest.mark.parametrize("spoilt", ["{} ", "{}\n", "\t{}", "{}ü"])
def test_no_spoilt_token_is_shown(spoilt: str) -> None:
    with pytest.raises(ValueError, match="api_token") as raised:
        PipedriveSession(spoilt.format(API_TOKEN))
    assert leaks(places_of(raised.value)) == []


@pytest.mark.parametrize(
    "address",
    ["https://me:{}@example.com", "https://x:{}/", "https://[{}", "ftp://{}", "https:// {}"],
)
def test_a_password_in_the_address_is_not_shown(address: str) -> None:
    with pytest.raises(ValueError, match="base_url") as raised:
        PipedriveSession("token", base_url=address.format(API_TOKEN))
    told = "".join(traceback.format_exception(raised.value))
    assert leaks({"what is told": told}) == []


def test_nothing_shows_a_secret_in_its_repr() -> None:
    base_url = "https://acme.pipedrive.com"
    shown = [
        Answer(401, {"x-echo": ECHO}, ECHO.encode()),
        ApiTokenCredential(API_TOKEN),
        AuthMiddleware(API_TOKEN, base_url=base_url),
        RetryMiddleware(),
        RateLimitMiddleware(),
        AttemptMiddleware(),
        BurstLimiter(),
        session_at(base_url),
        session_at(base_url + "/v1", "OAuth"),
        app_at(base_url + "/v1"),
        tokens_at("https://acme.pipedrive.com"),
        MemoryTokenStore(tokens_at("https://acme.pipedrive.com")),
    ]
    reprs = {type(each).__name__: f"{each!r} {each}" for each in shown}
    reprs |= {
        f"what {type(each).__name__} has": repr(vars(each))
        for each in shown
        if hasattr(each, "__dict__")
    }
    assert leaks(reprs) == []

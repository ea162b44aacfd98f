"""Sessions with OAuth tokens, against a server that gives and takes them."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import weakref
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from pipeflow import (
    AuthenticationError,
    BurstLimiter,
    FileTokenStore,
    MemoryTokenStore,
    OAuthApp,
    OAuthTokens,
    PaymentRequiredError,
    PermissionDeniedError,
    PipedriveSession,
    PipeflowError,
    RateLimitError,
    ReauthorizationRequiredError,
    RetryPolicy,
    ServerError,
    TokenStoreError,
    TransportError,
)
from pipeflow.testing import Disconnect, FakeOAuth, FakePipedrive, Redirect, Stall, Status
from tests.session.conftest import note_ids, notes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipeflow import TokenStore
    from pipeflow.testing import Fault
    from tests.conftest import Wrong

QUICK = RetryPolicy(attempts=3, base_delay=0.0)


@pytest.fixture
async def fake() -> AsyncIterator[FakePipedrive]:
    async with FakePipedrive(
        persons={1101: notes(30)}, burst_limit=1000, oauth=FakeOAuth(burst_limit=1000)
    ) as fake:
        yield fake


def app_of(fake: FakePipedrive) -> OAuthApp:
    return OAuthApp(
        fake.oauth.client_id,
        fake.oauth.client_secret,
        redirect_uri=fake.oauth.redirect_uri,
        token_url=fake.oauth.token_url,
    )


def tokens_of(fake: FakePipedrive, *, expired: bool = False) -> OAuthTokens:
    said = fake.oauth.issue()
    lifetime = timedelta(seconds=-1 if expired else said["expires_in"])
    return OAuthTokens(
        access_token=said["access_token"],
        refresh_token=said["refresh_token"],
        expires_at=datetime.now(UTC) + lifetime,
        api_domain=said["api_domain"],
        scopes=said["scope"],
    )


def session_at(
    fake: FakePipedrive, tokens: OAuthTokens | TokenStore | None = None, **options: Wrong
) -> PipedriveSession:
    options.setdefault("retry", QUICK)
    return PipedriveSession(oauth=app_of(fake), tokens=tokens or tokens_of(fake), **options)


# ---- requests


async def test_requests_carry_the_access_token_to_the_company_s_address(
    fake: FakePipedrive,
) -> None:
    tokens = tokens_of(fake)
    async with session_at(fake, tokens) as pipedrive:
        assert repr(pipedrive) == "<PipedriveSession with OAuth>"
        assert len(await note_ids(pipedrive.iter_person_flow(1101))) == 30
        assert repr(pipedrive) == f"<PipedriveSession {fake.oauth.origin}/api/v1>"
    for request in fake.requests:
        assert request.path == "/api/v1/persons/1101/flow"
        assert request.headers["Authorization"] == f"Bearer {tokens.access_token!s}"
        assert "x-api-token" not in request.headers
    assert fake.oauth.token_requests == []


async def test_no_other_origin_gets_the_access_token(fake: FakePipedrive) -> None:
    async with FakePipedrive() as elsewhere, session_at(fake) as pipedrive:
        fake.script(Redirect(elsewhere.base_url))
        with pytest.raises(PipeflowError, match="redirect"):
            await pipedrive.get_person_flow(1101)
        assert elsewhere.request_count == 0


async def test_a_borrowed_session_s_own_authorization_is_back_afterwards(
    fake: FakePipedrive,
) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": "mine"}) as borrowed:
        async with session_at(fake, session=borrowed) as pipedrive:
            await pipedrive.get_person_flow(1101)
        assert fake.requests[0].headers.getall("Authorization") != ["mine"]  # type: ignore[attr-defined]
        async with borrowed.get(fake.base_url) as answer:
            assert answer.status == 401
        assert fake.requests[-1].headers["Authorization"] == "mine"


# ---- expiry and refusal


async def test_a_walk_goes_on_over_the_end_of_a_token(fake: FakePipedrive) -> None:
    found = []
    async with session_at(fake) as pipedrive:
        async for update in pipedrive.iter_person_flow(1101, page_size=5):
            found.append(update.id)
            if len(found) == 12:
                fake.oauth.expire()
    assert found == list(range(30))
    assert fake.oauth.token_requests == ["refresh_token"]
    assert [request.status for request in fake.requests].count(401) == 1


async def test_the_replay_after_a_401_passes_the_limit_again(fake: FakePipedrive) -> None:
    async with session_at(fake) as pipedrive:
        await pipedrive.get_person_flow(1101)
        fake.oauth.expire()
        await pipedrive.get_person_flow(1101)
        assert fake.request_count == 3
        assert pipedrive.stats.requests == 3


async def test_a_refresh_waits_for_no_limit(fake: FakePipedrive) -> None:
    """The first request has to refresh; a limit of one leaves room for it alone."""
    fake.burst_limit = 1
    async with session_at(
        fake, tokens_of(fake, expired=True), limiter=BurstLimiter(limit=1, window=60.0)
    ) as pipedrive:
        await pipedrive.get_person_flow(1101)
    assert fake.oauth.token_requests == ["refresh_token"]


@pytest.mark.parametrize("expired", [True, False])
async def test_a_hundred_tasks_refresh_once(fake: FakePipedrive, *, expired: bool) -> None:
    fake.burst_limit = 1000
    async with session_at(
        fake, tokens_of(fake, expired=expired), limiter=BurstLimiter(limit=1000, window=2.0)
    ) as pipedrive:
        fake.oauth.expire()
        pages = [pipedrive.get_person_flow(1101) for _ in range(100)]
        assert {len(page.updates) for page in await asyncio.gather(*pages)} == {30}
    assert fake.oauth.token_requests == ["refresh_token"]


async def test_a_fresh_token_that_is_refused_is_not_refreshed_again(fake: FakePipedrive) -> None:
    fake.on_request = lambda _: Status(401, {"error": "no"})
    async with session_at(fake, tokens_of(fake)) as pipedrive:
        for _ in range(3):
            with pytest.raises(AuthenticationError, match="401 no"):
                await pipedrive.get_person_flow(1101)
    assert fake.oauth.token_requests == ["refresh_token"]


async def test_the_new_tokens_are_in_the_store(fake: FakePipedrive) -> None:
    store = MemoryTokenStore(tokens_of(fake, expired=True))
    for _ in range(2):
        async with session_at(fake, store) as pipedrive:
            await pipedrive.get_person_flow(1101)
    assert fake.oauth.token_requests == ["refresh_token"]


# ---- what goes wrong


async def test_a_revoked_app_asks_to_authorize_again_and_says_where_to_go_on(
    fake: FakePipedrive,
) -> None:
    async with session_at(fake) as pipedrive:
        seen = 0
        with pytest.raises(ReauthorizationRequiredError, match="authorize the app again") as raised:
            async for _ in pipedrive.iter_person_flow(1101, page_size=5):
                seen += 1
                fake.oauth.revoke()
        assert raised.value.resume_start == seen
    assert fake.oauth.token_requests == ["refresh_token"]


@pytest.mark.parametrize(
    ("status", "kind"), [(402, PaymentRequiredError), (403, PermissionDeniedError)]
)
async def test_a_removed_app_is_refused(
    fake: FakePipedrive, status: int, kind: type[PipeflowError]
) -> None:
    async with session_at(fake) as pipedrive:
        fake.oauth.removed_status = status
        with pytest.raises(kind):
            await pipedrive.get_person_flow(1101)
        fake.oauth.expire()
        with pytest.raises(ReauthorizationRequiredError):
            await pipedrive.get_person_flow(1101)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(503, "away"), ServerError),
        (Disconnect(), TransportError),
        (Status(429, {}, headers={"Retry-After": "30"}), RateLimitError),
    ],
)
async def test_a_refresh_that_fails_is_not_repeated(
    fake: FakePipedrive, fault: Fault, kind: type[PipeflowError]
) -> None:
    async with session_at(fake, tokens_of(fake, expired=True)) as pipedrive:
        fake.oauth.script(fault)
        with pytest.raises(kind) as raised:
            await pipedrive.get_person_flow(1101)
        assert raised.value.resume_start == 0
    assert fake.oauth.token_requests == ["refresh_token"]
    assert fake.request_count == 0


async def test_the_limit_of_the_token_endpoint_is_told(fake: FakePipedrive) -> None:
    fake.oauth._burst.limit = 0
    async with session_at(fake, tokens_of(fake, expired=True)) as pipedrive:
        with pytest.raises(RateLimitError, match="token endpoint") as raised:
            await pipedrive.get_person_flow(1101)
        assert raised.value.retry_after == 2.0


async def test_a_deadline_bounds_the_wait_for_a_refresh_and_loses_no_token(
    fake: FakePipedrive,
) -> None:
    store = MemoryTokenStore(tokens_of(fake, expired=True))
    fake.oauth.script(Stall())
    pipedrive = session_at(fake, store, deadline=0.05)
    with pytest.raises(PipeflowError, match="deadline"):
        await pipedrive.get_person_flow(1101)
    task = pipedrive._credential._task  # type: ignore[attr-defined]
    assert task is not None
    task.cancel()
    await pipedrive.close()


async def test_closing_saves_what_a_store_refused(fake: FakePipedrive) -> None:
    failures = [OSError("disk full"), OSError("disk full")]
    saved: list[OAuthTokens] = []

    def on_save(tokens: OAuthTokens) -> None:
        if failures:
            raise failures.pop()
        saved.append(tokens)

    store = MemoryTokenStore(tokens_of(fake, expired=True), on_save)
    async with session_at(fake, store) as pipedrive:
        with pytest.raises(TokenStoreError):
            await pipedrive.get_person_flow(1101)
        failures.clear()
    assert len(saved) == 1
    async with session_at(fake, store) as pipedrive:
        await pipedrive.get_person_flow(1101)
    assert fake.oauth.token_requests == ["refresh_token"]


async def test_connections_are_closed_even_if_tokens_are_lost(fake: FakePipedrive) -> None:
    def on_save(tokens: OAuthTokens) -> None:
        raise OSError("disk full")

    pipedrive = session_at(fake, MemoryTokenStore(tokens_of(fake, expired=True), on_save))
    with pytest.raises(TokenStoreError):
        await pipedrive.get_person_flow(1101)
    with pytest.raises(TokenStoreError):
        await pipedrive.close()
    assert pipedrive._connection._own is not None
    assert pipedrive._connection._own.closed


# ---- arguments


@pytest.mark.parametrize(
    ("options", "kind", "complaint"),
    [
        ({"api_token": "a-token", "oauth": ...}, ValueError, "not both"),
        ({"oauth": ...}, ValueError, "tokens are missing"),
        ({"oauth": ..., "tokens": "a-token"}, TypeError, "OAuthTokens or a TokenStore"),
        ({"oauth": "an-app", "tokens": ...}, TypeError, "OAuthApp"),
        ({"api_token": "a-token", "tokens": ...}, ValueError, "tokens go with oauth"),
        ({"oauth": ..., "tokens": ..., "company_domain": "acme"}, ValueError, "go with api_token"),
        ({"oauth": ..., "tokens": ..., "base_url": "https://x/"}, ValueError, "go with api_token"),
        ({}, ValueError, "api_token is missing"),
    ],
)
def test_exactly_one_way_to_authenticate_is_given(
    options: dict[str, Any], kind: type[Exception], complaint: str
) -> None:
    right: dict[str, Wrong] = {
        "oauth": OAuthApp("an-id", "a-secret", redirect_uri="https://app.example.com/"),
        "tokens": OAuthTokens(
            access_token="an-access-token",
            refresh_token="a-refresh-token",
            expires_at=datetime.now(UTC),
            api_domain="https://acme.pipedrive.com",
        ),
    }
    given = {name: right[name] if value is ... else value for name, value in options.items()}
    with pytest.raises(kind, match=complaint):
        PipedriveSession(**given)


# ---- many processes

WORKER = """
import asyncio, json, sys
from pipeflow import FileTokenStore, OAuthApp, PipedriveSession

async def work(client_id, client_secret, token_url, path):
    app = OAuthApp(client_id, client_secret, redirect_uri="http://127.0.0.1/", token_url=token_url)
    async with PipedriveSession(oauth=app, tokens=FileTokenStore(path)) as pipedrive:
        pages = [pipedrive.get_person_flow(1101) for _ in range(100)]
        print(sum(len(page.updates) for page in await asyncio.gather(*pages)))

asyncio.run(work(*json.loads(sys.stdin.read())))
"""


async def test_two_processes_at_expiry_refresh_once(fake: FakePipedrive, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    await FileTokenStore(path).save(tokens_of(fake, expired=True))
    arguments = [
        fake.oauth.client_id,
        fake.oauth.client_secret,
        fake.oauth.token_url,
        str(path),
    ]

    async def work() -> bytes:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await worker.communicate(json.dumps(arguments).encode())
        return told

    told = await asyncio.gather(*(work() for _ in range(2)))
    assert told == [b"3000\n", b"3000\n"]
    assert fake.oauth.token_requests == ["refresh_token"]


# ---- many companies


async def test_companies_share_a_connector_and_nothing_else(fake: FakePipedrive) -> None:
    async with FakePipedrive(persons={1101: notes(3)}, oauth=FakeOAuth()) as other:
        async with aiohttp.ClientSession() as client:
            async with (
                session_at(fake, tokens_of(fake, expired=True), session=client) as one,
                session_at(other, session=client) as two,
            ):
                sizes = [len((await each.get_person_flow(1101)).updates) for each in (one, two)]
            assert sizes == [30, 3]
            assert not client.closed
        tokens = {request.headers["Authorization"] for request in [*fake.requests, *other.requests]}
        assert len(tokens) == 2
        assert (len(fake.oauth.token_requests), len(other.oauth.token_requests)) == (1, 0)


async def test_sessions_that_are_closed_leave_nothing_behind(fake: FakePipedrive) -> None:
    app = app_of(fake)
    left: weakref.WeakSet[PipedriveSession] = weakref.WeakSet()

    async def use_a_session(client: aiohttp.ClientSession) -> None:
        tokens = tokens_of(fake, expired=True)
        async with PipedriveSession(oauth=app, tokens=tokens, session=client) as pipedrive:
            left.add(pipedrive)
            await pipedrive.get_person_flow(1101, page_size=1)

    async with aiohttp.ClientSession() as client:
        await use_a_session(client)
        tasks = len(asyncio.all_tasks())  # the fake's connection is one of them
        for _ in range(100):
            await use_a_session(client)
        gc.collect()
        assert len(left) == 0
        assert len(asyncio.all_tasks()) == tasks
        assert client.connector is not None
        assert len(client.connector._conns) == 1

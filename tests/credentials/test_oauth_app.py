from __future__ import annotations

import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from pipeflow import (
    ApiError,
    AuthenticationError,
    AuthorizationCallbackError,
    BadRequestError,
    BlockedError,
    DecodeError,
    OAuthApp,
    OAuthTokens,
    RateLimitError,
    ReauthorizationRequiredError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)
from pipeflow.testing import (
    Block,
    Disconnect,
    FakeOAuth,
    FakePipedrive,
    Redirect,
    Stall,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.testing import Fault
    from tests.conftest import Wrong

CALLBACK = "https://app.example.com/callback"
STATE = "a-state-that-nobody-guesses"


@pytest.fixture
async def fake() -> AsyncIterator[FakePipedrive]:
    async with FakePipedrive(oauth=FakeOAuth(redirect_uri=CALLBACK)) as fake:
        yield fake


def app_of(fake: FakePipedrive, **changes: Wrong) -> OAuthApp:
    given = {
        "redirect_uri": CALLBACK,
        "authorize_url": fake.oauth.authorize_url,
        "token_url": fake.oauth.token_url,
    }
    secret = changes.pop("client_secret", fake.oauth.client_secret)
    return OAuthApp(fake.oauth.client_id, secret, **{**given, **changes})


def some_app(**changes: Wrong) -> OAuthApp:
    given = {"client_id": "an-id", "client_secret": "a-secret", "redirect_uri": CALLBACK}
    return OAuthApp(**{**given, **changes})


async def callback_of(url: str) -> str:
    """Where the consent page sends the browser."""
    async with aiohttp.ClientSession() as browser, browser.get(url, allow_redirects=False) as page:
        return page.headers["Location"]


async def tokens_of(fake: FakePipedrive) -> OAuthTokens:
    app = app_of(fake)
    callback = await callback_of(app.authorization_url(STATE))
    return await app.exchange_code(app.read_callback(callback, state=STATE))


# ---- the app


def test_an_app_hides_its_secret() -> None:
    app = some_app()
    assert repr(app) == "<OAuthApp an-id>"
    assert "a-secret" not in repr(vars(app))
    assert "a-secret" in app.secrets()
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(app)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"client_id": ""}, ValueError),
        ({"client_id": "an:id"}, ValueError),
        ({"client_secret": ""}, ValueError),
        ({"client_secret": "in two"}, ValueError),
        ({"client_secret": None}, TypeError),
        ({"redirect_uri": "/callback"}, ValueError),
        ({"redirect_uri": "x://[]@"}, ValueError),
        ({"redirect_uri": None}, TypeError),
        ({"authorize_url": "http://example.com/authorize"}, ValueError),
        ({"token_url": "http://example.com/token"}, ValueError),
        ({"token_url": "https://me:pass@example.com/token"}, ValueError),
        ({"timeout": 0}, ValueError),
    ],
)
def test_what_cannot_be_right_is_refused(wrong: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=next(iter(wrong))) as raised:
        some_app(**wrong)
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    assert not [line for line in shown.format() if "pipeflow/credentials/oauth_app" in line]


# ---- the consent page


def test_the_browser_is_sent_to_the_consent_page() -> None:
    url = urlsplit(some_app().authorization_url("a state & more"))
    assert url._replace(query="").geturl() == "https://oauth.pipedrive.com/oauth/authorize"
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": ["an-id"],
        "redirect_uri": [CALLBACK],
        "state": ["a state & more"],
    }


def test_a_state_is_needed_on_the_way_there_and_back() -> None:
    with pytest.raises(ValueError, match="state"):
        some_app().authorization_url("")
    with pytest.raises(ValueError, match="state"):
        some_app().read_callback(f"{CALLBACK}?state=&code=x", state="")


@pytest.mark.parametrize(
    "callback",
    [
        f"{CALLBACK}?code=a-code&state={STATE}",
        f"/callback?state={STATE}&code=a-code#top",
        {"state": STATE, "code": "a-code", "more": "x"},
    ],
)
def test_the_code_comes_back_with_the_state(callback: str | dict[str, str]) -> None:
    app = some_app()
    code = app.read_callback(callback, state=STATE)
    assert code == "a-code"
    assert repr(code) == "'***'"
    assert "a-code" in app.secrets()


@pytest.mark.parametrize(
    ("callback", "complaint"),
    [
        (f"{CALLBACK}?code=a-code&state=another", "state is not the one"),
        (f"{CALLBACK}?code=a-code", "state is not the one"),
        (f"{CALLBACK}?code=a-code&state={STATE}&state={STATE}", "state is not the one"),
        (f"{CALLBACK}?code=a-code&state=ÿ", "state is not the one"),
        (f"{CALLBACK}?error=access_denied&state=another", "state is not the one"),
        (f"{CALLBACK}?state={STATE}", "neither a code nor an error"),
        (f"{CALLBACK}?state={STATE}&code=", "neither a code nor an error"),
        (f"{CALLBACK}?state={STATE}&code=a&code=b", "neither a code nor an error"),
        (f"{CALLBACK}?state={STATE}&code=a%0Ab", "neither a code nor an error"),
        ("", "state is not the one"),
    ],
)
def test_a_callback_that_is_wrong_gives_no_code(callback: str, complaint: str) -> None:
    with pytest.raises(AuthorizationCallbackError, match=complaint) as raised:
        some_app().read_callback(callback, state=STATE)
    assert raised.value.error is None
    assert "a-code" not in str(raised.value)


def test_a_state_may_hold_any_letters() -> None:
    assert some_app().read_callback({"state": "ü", "code": "a-code"}, state="ü") == "a-code"


@pytest.mark.parametrize(
    ("error", "told"), [("access_denied", "the user declined"), ("server_error", "refused")]
)
def test_a_callback_with_an_error_says_so(error: str, told: str) -> None:
    with pytest.raises(AuthorizationCallbackError, match=told) as raised:
        some_app().read_callback(f"{CALLBACK}?error={error}&state={STATE}", state=STATE)
    assert raised.value.error == error
    copied = pickle.loads(pickle.dumps(raised.value))
    assert (str(copied), copied.error) == (str(raised.value), error)


# ---- codes and tokens


async def test_a_code_is_traded_for_tokens(fake: FakePipedrive) -> None:
    tokens = await tokens_of(fake)
    assert tokens.api_domain == fake.oauth.origin
    assert tokens.scopes == ("base", "recents:read")
    assert fake.oauth.token_requests == ["authorization_code"]


async def test_a_user_who_declines_is_told_apart(fake: FakePipedrive) -> None:
    fake.oauth.consents = False
    app = app_of(fake)
    callback = await callback_of(app.authorization_url(STATE))
    with pytest.raises(AuthorizationCallbackError, match="declined"):
        app.read_callback(callback, state=STATE)


async def test_a_code_works_once(fake: FakePipedrive) -> None:
    app = app_of(fake)
    callback = await callback_of(app.authorization_url(STATE))
    code = app.read_callback(callback, state=STATE)
    await app.exchange_code(code)
    with pytest.raises(ReauthorizationRequiredError, match="authorize the app again") as raised:
        await app.exchange_code(code)
    assert raised.value.error == "invalid_grant"
    assert code not in str(vars(raised.value))


async def test_a_refresh_brings_new_tokens(fake: FakePipedrive) -> None:
    tokens = await tokens_of(fake)
    new = await app_of(fake).refresh(tokens)
    assert new.access_token != tokens.access_token
    assert new.refresh_token != tokens.refresh_token
    with pytest.raises(ReauthorizationRequiredError):
        await app_of(fake).refresh(tokens)


async def test_without_rotation_the_refresh_token_stays(fake: FakePipedrive) -> None:
    fake.oauth.rotates = False
    tokens = await tokens_of(fake)
    for _ in range(2):
        new = await app_of(fake).refresh(tokens)
        assert new.refresh_token == tokens.refresh_token


async def test_a_wrong_client_secret_is_told_apart_from_a_dead_token(fake: FakePipedrive) -> None:
    tokens = await tokens_of(fake)
    with pytest.raises(AuthenticationError, match="client id or secret") as raised:
        await app_of(fake, client_secret="another-secret").refresh(tokens)
    assert not isinstance(raised.value, ReauthorizationRequiredError)


REFUSALS: list[tuple[Fault, type[Exception], str]] = [
    (Status(400, {"error": "invalid_client"}), AuthenticationError, "client id or secret"),
    (Status(400, {"error": "invalid_request"}), BadRequestError, "invalid_request"),
    (Status(429, {}, headers={"Retry-After": "7"}), RateLimitError, "its own limit"),
    (Status(500, {"error": "invalid_grant"}), ServerError, "500"),
    (Status(503, "away"), ServerError, "503"),
    (Block("html"), BlockedError, "Cloudflare"),
    (Redirect("https://example.com/"), ApiError, "redirect"),
    (Status(200, {}), DecodeError, "access_token"),
    (Status(200, "not JSON"), DecodeError, "not a JSON object"),
    (Status(200, "x" * 70_000), DecodeError, "too large"),
    (Disconnect(), TransportError, "no whole answer"),
    (Disconnect(after=10), TransportError, "no whole answer"),
]


@pytest.mark.parametrize(("fault", "kind", "told"), REFUSALS, ids=lambda each: repr(each)[:40])
async def test_each_failure_is_an_error_of_ours_and_not_repeated(
    fake: FakePipedrive, fault: Fault, kind: type[Exception], told: str
) -> None:
    tokens = await tokens_of(fake)
    fake.oauth.script(fault)
    with pytest.raises(kind, match=told) as raised:
        await app_of(fake).refresh(tokens)
    assert fake.oauth.token_requests == ["authorization_code", "refresh_token"]
    assert type(raised.value) is kind


async def test_the_wait_of_a_429_and_the_description_are_told(fake: FakePipedrive) -> None:
    tokens = await tokens_of(fake)
    said = {"error": "slow down", "error_description": "not so fast"}
    fake.oauth.script(Status(429, said, headers={"Retry-After": "7"}))
    with pytest.raises(RateLimitError) as raised:
        await app_of(fake).refresh(tokens)
    assert raised.value.retry_after == 7.0
    assert raised.value.error_info == "not so fast"


async def test_a_silent_endpoint_is_given_up(fake: FakePipedrive) -> None:
    tokens = await tokens_of(fake)
    fake.oauth.script(Stall())
    with pytest.raises(RequestTimeoutError):
        await app_of(fake, timeout=0.05).refresh(tokens)


async def test_a_borrowed_session_stays_as_it_was_and_its_ways_are_not_used(
    fake: FakePipedrive,
) -> None:
    """Neither its middlewares nor its headers, authentication and cookies."""

    passed: list[ClientRequest] = []

    async def note(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        passed.append(request)
        return await handler(request)

    tokens = await tokens_of(fake)
    new = json.dumps(fake.oauth.issue())
    fake.oauth.script(Status(200, new, headers={"Set-Cookie": "a=b"}))
    async with aiohttp.ClientSession(
        middlewares=[note],
        headers={"Authorization": "Basic bWU6bWluZQ=="},
        raise_for_status=True,
    ) as session:
        await app_of(fake).refresh(tokens, session=session)
        assert passed == []
        assert len(session.cookie_jar) == 0
        assert not session.closed
        async with session.get(fake.base_url, raise_for_status=False):
            assert len(passed) == 1

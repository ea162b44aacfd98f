"""The fake's OAuth server, asked without pipeflow."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from pipeflow.testing import Delay, FakeOAuth, FakePipedrive, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CALLBACK = "https://app.example.com/callback"


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
async def fake(clock: Seconds) -> AsyncIterator[FakePipedrive]:
    oauth = FakeOAuth(redirect_uri=CALLBACK, clock=clock)
    async with FakePipedrive(api_token="an-api-token", oauth=oauth) as fake:
        yield fake


def basic(fake: FakePipedrive) -> str:
    pair = f"{fake.oauth.client_id}:{fake.oauth.client_secret}"
    return f"Basic {b64encode(pair.encode()).decode()}"


async def trade(
    fake: FakePipedrive, *, authorization: str | None = None, **form: str
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": basic(fake) if authorization is None else authorization}
    async with (
        aiohttp.ClientSession() as client,
        client.post(fake.oauth.token_url, data=form, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def consent(fake: FakePipedrive, **changes: str) -> tuple[int, dict[str, list[str]]]:
    query = {"client_id": fake.oauth.client_id, "redirect_uri": CALLBACK, "state": "a", **changes}
    async with (
        aiohttp.ClientSession() as client,
        client.get(fake.oauth.authorize_url, params=query, allow_redirects=False) as page,
    ):
        location = urlsplit(page.headers.get("Location", ""))
        return page.status, parse_qs(location.query)


async def code_of(fake: FakePipedrive) -> str:
    _, said = await consent(fake)
    return said["code"][0]


async def status_of(fake: FakePipedrive, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{fake.base_url}/persons/1101/flow", headers=headers) as answer,
    ):
        return answer.status


# ---- the consent page


async def test_the_user_who_agrees_sends_a_code_back(fake: FakePipedrive) -> None:
    status, said = await consent(fake, state="the state & more")
    assert status == 302
    assert said["state"] == ["the state & more"]
    assert len(said["code"][0]) == 40


async def test_the_user_who_declines_sends_an_error_back(fake: FakePipedrive) -> None:
    fake.oauth.consents = False
    assert await consent(fake) == (302, {"state": ["a"], "error": ["access_denied"]})


@pytest.mark.parametrize("wrong", [{"client_id": "another"}, {"redirect_uri": "https://x/"}])
async def test_another_app_is_not_sent_back(fake: FakePipedrive, wrong: dict[str, str]) -> None:
    assert await consent(fake, **wrong) == (400, {})


async def test_a_redirect_address_may_have_a_query(fake: FakePipedrive) -> None:
    fake.oauth.redirect_uri = f"{CALLBACK}?of=1"
    status, said = await consent(fake, redirect_uri=f"{CALLBACK}?of=1")
    assert (status, said["of"], said["state"]) == (302, ["1"], ["a"])


async def test_other_addresses_are_unknown(fake: FakePipedrive) -> None:
    async with aiohttp.ClientSession() as client:
        for ask in (client.post(fake.oauth.authorize_url), client.get(fake.oauth.token_url)):
            async with ask as answer:
                assert answer.status == 404


# ---- tokens


async def test_a_code_gives_tokens_once(fake: FakePipedrive) -> None:
    form = {"grant_type": "authorization_code", "code": await code_of(fake)}
    status, said = await trade(fake, **form, redirect_uri=CALLBACK)
    assert status == 200
    assert said["token_type"] == "Bearer"
    assert said["expires_in"] == 3600
    assert said["api_domain"] == fake.oauth.origin
    assert said["scope"] == "base,recents:read"
    assert await status_of(fake, said["access_token"]) == 200
    status, said = await trade(fake, **form, redirect_uri=CALLBACK)
    assert (status, said["error"]) == (400, "invalid_grant")


async def test_a_code_needs_its_redirect_address(fake: FakePipedrive) -> None:
    code = await code_of(fake)
    status, said = await trade(fake, grant_type="authorization_code", code=code)
    assert (status, said["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("authorization", ["", "Basic !", "Basic bWU6bWluZQ==", "Bearer x"])
async def test_another_client_is_refused(fake: FakePipedrive, authorization: str) -> None:
    said = await trade(fake, authorization=authorization, grant_type="refresh_token")
    assert said == (401, {"error": "invalid_client"})


async def test_other_grants_are_not_known(fake: FakePipedrive) -> None:
    status, said = await trade(fake, grant_type="password")
    assert (status, said["error"]) == (400, "unsupported_grant_type")
    assert fake.oauth.token_requests == ["password"]


async def refresh(fake: FakePipedrive, token: str) -> tuple[int, dict[str, Any]]:
    return await trade(fake, grant_type="refresh_token", refresh_token=token)


async def test_with_rotation_a_refresh_token_works_once(fake: FakePipedrive) -> None:
    old = fake.oauth.issue()
    status, new = await refresh(fake, old["refresh_token"])
    assert status == 200
    assert new["refresh_token"] != old["refresh_token"]
    assert (await refresh(fake, old["refresh_token"]))[0] == 400
    assert await status_of(fake, old["access_token"]) == 200
    assert await status_of(fake, new["access_token"]) == 200


async def test_without_rotation_it_works_again(fake: FakePipedrive) -> None:
    fake.oauth.rotates = False
    old = fake.oauth.issue()
    for _ in range(2):
        status, new = await refresh(fake, old["refresh_token"])
        assert (status, new["refresh_token"]) == (200, old["refresh_token"])


async def test_companies_do_not_end_each_other_s_tokens(fake: FakePipedrive) -> None:
    one, two = fake.oauth.issue(), fake.oauth.issue()
    for each in (one, two):
        assert (await refresh(fake, each["refresh_token"]))[0] == 200


async def test_an_access_token_expires(fake: FakePipedrive, clock: Seconds) -> None:
    said = fake.oauth.issue()
    clock.now = 3599.0
    assert await status_of(fake, said["access_token"]) == 200
    clock.now = 3600.0
    assert await status_of(fake, said["access_token"]) == 401
    assert (await refresh(fake, said["refresh_token"]))[0] == 200


async def test_all_access_tokens_can_be_made_to_expire(fake: FakePipedrive) -> None:
    said = fake.oauth.issue()
    fake.oauth.expire()
    assert await status_of(fake, said["access_token"]) == 401
    assert (await refresh(fake, said["refresh_token"]))[0] == 200


async def test_revoked_tokens_are_dead(fake: FakePipedrive) -> None:
    said = fake.oauth.issue()
    fake.oauth.revoke()
    assert await status_of(fake, said["access_token"]) == 401
    assert (await refresh(fake, said["refresh_token"]))[0] == 400


@pytest.mark.parametrize("status", [402, 403])
async def test_a_removed_app_gets_nothing_more(fake: FakePipedrive, status: int) -> None:
    said = fake.oauth.issue()
    fake.oauth.removed_status = status
    assert await status_of(fake, said["access_token"]) == status
    assert await status_of(fake, "another") == 401
    assert (await refresh(fake, said["refresh_token"]))[0] == 400


async def test_the_api_token_is_accepted_beside_it(fake: FakePipedrive) -> None:
    assert await status_of(fake, "an-api-token") == 200
    fake.oauth.removed_status = 403
    assert await status_of(fake, "an-api-token") == 200


async def test_token_requests_have_a_limit_of_their_own(clock: Seconds) -> None:
    async with FakePipedrive(oauth=FakeOAuth(burst_limit=2, clock=clock)) as fake:
        for _ in range(2):
            assert (await refresh(fake, "x"))[0] == 400
        assert (await refresh(fake, "x"))[0] == 429
        clock.now = 2.0
        assert (await refresh(fake, "x"))[0] == 400
        assert fake.request_count == 0


async def test_faults_come_after_what_was_asked_for_is_done(fake: FakePipedrive) -> None:
    old = fake.oauth.issue()
    fake.oauth.script(Status(503), Delay(0.01), None)
    assert (await trade(fake, grant_type="refresh_token", refresh_token=old["refresh_token"]))[
        0
    ] == 503
    assert [(await refresh(fake, old["refresh_token"]))[0] for _ in range(2)] == [400, 400]


async def test_a_fake_without_oauth_says_so() -> None:
    async with FakePipedrive() as fake:
        with pytest.raises(RuntimeError, match="FakePipedrive\\(oauth=FakeOAuth"):
            _ = fake.oauth
        async with (
            aiohttp.ClientSession() as client,
            client.get(fake.base_url.replace("/v1", "/oauth/authorize")) as answer,
        ):
            assert answer.status == 401

from __future__ import annotations

import asyncio
import gc
import json
import logging
import traceback
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from pipeflow.credentials import Authorization, MemoryTokenStore, OAuthCredential, OAuthTokens
from pipeflow.credentials import oauth_credential as module
from pipeflow.errors import (
    PipeflowError,
    RateLimitError,
    ReauthorizationRequiredError,
    ServerError,
    TokenStoreError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from tests.credentials.conftest import Clocks, Endpoint


def token_in(authorization: Authorization) -> str:
    return authorization.headers["Authorization"].removeprefix("Bearer ")


async def token_of(credential: OAuthCredential) -> str:
    return token_in(await credential.authorization())


async def settle(turns: int = 50) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


class Gate:
    """Holds a request up until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


class ShakyStore(MemoryTokenStore):
    """Fails as often as it is told, and writes down what it is asked."""

    def __init__(self, tokens: OAuthTokens) -> None:
        super().__init__(tokens)
        self.calls: list[str] = []
        self.failures: dict[str, list[BaseException]] = {}

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.failures.get(what):
            raise self.failures[what].pop(0)

    async def load(self) -> OAuthTokens:
        self._call("load")
        return await super().load()

    async def save(self, tokens: OAuthTokens) -> None:
        self._call("save")
        await super().save(tokens)

    def lock(self) -> AbstractAsyncContextManager[object]:
        @asynccontextmanager
        async def locked() -> AsyncIterator[None]:
            self._call("lock")
            async with super(ShakyStore, self).lock():
                yield
            self._call("unlock")

        return locked()


# ---- what is asked for, and when


async def test_tokens_that_hold_are_loaded_once_and_not_refreshed(endpoint: Endpoint) -> None:
    store = ShakyStore(endpoint.tokens())
    credential = endpoint.credential(store)
    assert credential.base_url is None
    authorization = await credential.authorization()
    assert authorization.headers == {"Authorization": "Bearer access-token-0001"}
    assert str(authorization.base_url) == "https://acme.pipedrive.com/api/v1"
    assert credential.base_url == authorization.base_url
    assert await credential.authorization() is authorization
    assert store.calls == ["load"]
    assert endpoint.requests == []


async def test_expired_tokens_are_refreshed_before_the_first_request(endpoint: Endpoint) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    assert await token_of(endpoint.credential(store)) == "access-token-0002"
    assert endpoint.requests == ["refresh-token-0001"]
    assert store.calls == ["load", "lock", "load", "save", "unlock"]
    assert (await store.load()).refresh_token == "refresh-token-0002"


@pytest.mark.parametrize(("random", "ahead"), [(0.0, 300.0), (0.5, 450.0), (1.0, 600.0)])
async def test_minutes_ahead_of_the_end_a_refresh_begins_in_the_background(
    endpoint: Endpoint, clocks: Clocks, random: float, ahead: float
) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()), random=random)
    await credential.authorization()
    clocks.pass_by(3600.0 - ahead - 0.5)
    assert await token_of(credential) == "access-token-0001"
    await settle()
    assert endpoint.requests == []
    clocks.pass_by(1.0)
    assert await token_of(credential) == "access-token-0001"
    await settle()
    assert endpoint.requests == ["refresh-token-0001"]
    assert await token_of(credential) == "access-token-0002"


async def test_a_token_about_to_end_is_waited_for(endpoint: Endpoint, clocks: Clocks) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    clocks.pass_by(3600.0 - 10.0)
    assert await token_of(credential) == "access-token-0002"


async def test_requests_in_the_background_refresh_do_not_begin_another(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    clocks.pass_by(3400.0)
    for _ in range(5):
        assert await token_of(credential) == "access-token-0001"
        await settle()
    gate.open.set()
    await settle()
    assert await token_of(credential) == "access-token-0002"
    assert len(endpoint.requests) == 1


async def test_a_background_refresh_that_takes_too_long_is_waited_for_in_the_end(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    clocks.pass_by(3400.0)
    await credential.authorization()
    await gate.reached.wait()
    clocks.pass_by(300.0)
    waiting = asyncio.create_task(token_of(credential))
    await settle()
    assert not waiting.done()
    gate.open.set()
    assert await waiting == "access-token-0002"
    assert len(endpoint.requests) == 1


# ---- after a 401


async def test_a_refused_token_is_refreshed(endpoint: Endpoint, clocks: Clocks) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    refused = await credential.authorization()
    assert await credential.refresh(refused)
    assert await token_of(credential) == "access-token-0002"


async def test_a_token_that_is_no_longer_the_current_one_is_not_refreshed_again(
    endpoint: Endpoint,
) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    refused = await credential.authorization()
    await credential.refresh(refused)
    assert await credential.refresh(refused)
    assert len(endpoint.requests) == 1


async def test_a_refused_token_that_the_store_has_replaced_is_not_refreshed(
    endpoint: Endpoint,
) -> None:
    store = MemoryTokenStore(endpoint.tokens())
    credential, other = endpoint.credential(store), endpoint.credential(store)
    refused = await credential.authorization()
    await other.refresh(await other.authorization())
    assert await credential.refresh(refused)
    assert await token_of(credential) == "access-token-0002"
    assert len(endpoint.requests) == 1


async def test_a_brand_new_token_that_is_refused_is_not_refreshed(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.refresh(await credential.authorization())
    clocks.pass_by(module.YOUNG - 1)
    assert not await credential.refresh(await credential.authorization())
    clocks.pass_by(1.0)
    assert await credential.refresh(await credential.authorization())
    assert len(endpoint.requests) == 2


async def test_a_refusal_before_anything_is_loaded_says_to_try(endpoint: Endpoint) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    refused = await endpoint.credential(MemoryTokenStore(endpoint.tokens())).authorization()
    assert await credential.refresh(refused)
    assert endpoint.requests == []


async def test_a_refusal_during_the_background_refresh_waits_for_it(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    refused = await credential.authorization()
    clocks.pass_by(3400.0)
    await credential.authorization()
    await gate.reached.wait()
    replaying = asyncio.create_task(credential.refresh(refused))
    await settle()
    gate.open.set()
    assert await replaying
    assert len(endpoint.requests) == 1


async def test_a_server_that_repeats_the_access_token_is_asked_once_a_refusal(
    endpoint: Endpoint,
) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    refused = await credential.authorization()
    endpoint.number = 0
    endpoint.alive = {"refresh-token-0001"}
    assert await credential.refresh(refused)
    assert len(endpoint.requests) == 1


# ---- one at a time, whoever is cancelled


async def test_a_hundred_tasks_at_expiry_make_one_request(endpoint: Endpoint) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    tokens = await asyncio.gather(*(token_of(credential) for _ in range(100)))
    assert set(tokens) == {"access-token-0002"}
    assert len(endpoint.requests) == 1


async def test_a_hundred_refusals_make_one_request(endpoint: Endpoint) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    refused = await credential.authorization()
    assert all(await asyncio.gather(*(credential.refresh(refused) for _ in range(100))))
    assert len(endpoint.requests) == 1


async def test_many_sessions_with_one_store_make_one_request(endpoint: Endpoint) -> None:
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
    credentials = [endpoint.credential(store) for _ in range(20)]
    tokens = await asyncio.gather(*(token_of(each) for each in credentials))
    assert set(tokens) == {"access-token-0002"}
    assert len(endpoint.requests) == 1


async def test_a_cancelled_task_does_not_take_the_refresh_with_it(endpoint: Endpoint) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
    credential = endpoint.credential(store)
    first, second = (asyncio.create_task(token_of(credential)) for _ in range(2))
    await gate.reached.wait()
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    gate.open.set()
    assert await second == "access-token-0002"
    assert len(endpoint.requests) == 1


async def test_when_all_are_cancelled_the_new_tokens_are_saved_all_the_same(
    endpoint: Endpoint,
) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
    credential = endpoint.credential(store)
    waiting = asyncio.create_task(token_of(credential))
    await gate.reached.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.open.set()
    await credential.close()
    assert (await store.load()).refresh_token == "refresh-token-0002"
    assert await token_of(credential) == "access-token-0002"


async def test_a_refresh_that_is_cancelled_from_outside_is_an_error_for_those_who_wait(
    endpoint: Endpoint,
) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    waiting = asyncio.create_task(token_of(credential))
    await gate.reached.wait()
    assert credential._task is not None
    credential._task.cancel()
    with pytest.raises(TransportError, match="was cancelled"):
        await waiting
    assert await token_of(credential) == "access-token-0002"


async def test_new_tokens_are_saved_before_they_are_used(endpoint: Endpoint) -> None:
    saving = Gate()

    async def on_save(tokens: OAuthTokens) -> None:
        await saving()

    store = MemoryTokenStore(endpoint.tokens(lifetime=-1), on_save)
    waiting = asyncio.create_task(token_of(endpoint.credential(store)))
    await saving.reached.wait()
    await settle()
    assert not waiting.done()
    saving.open.set()
    assert await waiting == "access-token-0002"


async def test_closing_waits_for_a_refresh_under_way(endpoint: Endpoint, clocks: Clocks) -> None:
    gate = Gate()
    endpoint.outcomes.append(gate)
    store = MemoryTokenStore(endpoint.tokens())
    credential = endpoint.credential(store)
    await credential.authorization()
    clocks.pass_by(3400.0)
    await credential.authorization()
    closing = asyncio.create_task(credential.close())
    await settle()
    assert not closing.done()
    gate.open.set()
    await closing
    assert (await store.load()).refresh_token == "refresh-token-0002"


def test_a_refresh_left_behind_by_a_closed_loop_is_begun_anew(endpoint: Endpoint) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    gate = Gate()
    endpoint.outcomes.append(gate)
    lost = asyncio.new_event_loop()
    abandoned = lost.create_task(token_of(credential))
    lost.run_until_complete(gate.reached.wait())

    async def anew() -> str:
        credential._store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
        await credential.close()
        return await token_of(credential)

    assert asyncio.run(anew()) == "access-token-0002"
    for task in asyncio.all_tasks(lost):
        task.cancel()
    lost.run_until_complete(asyncio.gather(abandoned, return_exceptions=True))
    lost.close()


# ---- failures on the way


FAILURES: list[PipeflowError] = [
    ServerError("503", status=503),
    TransportError("no answer"),
    RateLimitError("429", status=429, retry_after=2.0),
]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_a_failure_ahead_of_the_end_is_borne_with_the_old_token(
    endpoint: Endpoint, clocks: Clocks, failure: PipeflowError, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.outcomes.append(failure)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    clocks.pass_by(3400.0)
    for _ in range(3):
        assert await token_of(credential) == "access-token-0001"
        await settle()
    assert len(endpoint.requests) == 1
    assert "could not be refreshed" in caplog.text
    clocks.pass_by(2.0)
    assert await token_of(credential) == "access-token-0001"
    await settle()
    assert await token_of(credential) == "access-token-0002"


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_a_failure_after_the_end_is_raised_and_not_repeated_at_once(
    endpoint: Endpoint, clocks: Clocks, failure: PipeflowError
) -> None:
    endpoint.outcomes.append(failure)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    for _ in range(3):
        with pytest.raises(type(failure)):
            await credential.authorization()
    assert len(endpoint.requests) == 1
    clocks.pass_by(2.0)
    assert await token_of(credential) == "access-token-0002"


async def test_a_failure_in_the_background_is_nobody_s_surprise(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    """Its task ends with an error that nobody awaits; the log has it."""
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    endpoint.outcomes.append(TransportError("no answer"))
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    clocks.pass_by(3400.0)
    await credential.authorization()
    await settle()
    assert credential._task is None
    gc.collect()
    loop.set_exception_handler(None)
    assert told == []


async def test_pauses_between_failures_grow_to_a_minute(endpoint: Endpoint, clocks: Clocks) -> None:
    endpoint.outcomes += [TransportError("no answer") for _ in range(9)]
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)), random=1.0)
    pauses = []
    for _ in range(9):
        with pytest.raises(TransportError):
            await credential.authorization()
        pauses.append(credential._not_before - clocks.seconds)
        clocks.pass_by(pauses[-1])
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    await credential.authorization()
    endpoint.outcomes.append(TransportError("no answer"))
    clocks.pass_by(3600.0)
    with pytest.raises(TransportError):
        await credential.authorization()
    assert credential._not_before - clocks.seconds == 1.0


async def test_the_server_s_own_wait_is_kept_to(endpoint: Endpoint, clocks: Clocks) -> None:
    endpoint.outcomes.append(RateLimitError("429", status=429, retry_after=90.0))
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    with pytest.raises(RateLimitError):
        await credential.authorization()
    clocks.pass_by(89.0)
    with pytest.raises(RateLimitError):
        await credential.authorization()
    clocks.pass_by(1.0)
    assert await token_of(credential) == "access-token-0002"


async def test_each_that_waits_gets_an_error_of_its_own(endpoint: Endpoint) -> None:
    endpoint.outcomes.append(TransportError("no answer"))
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    waiting = (credential.authorization() for _ in range(3))
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(error) for error in errors] == ["no answer"] * 3
    assert len({id(error) for error in errors}) == 3


async def test_a_lost_answer_to_a_spent_refresh_token_is_found_out_at_the_next_try(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    """Nothing can bring those tokens back, so it says what helps."""
    endpoint.losses.append(TransportError("no answer"))
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    with pytest.raises(TransportError):
        await credential.authorization()
    clocks.pass_by(1.0)
    with pytest.raises(ReauthorizationRequiredError, match="authorize the app again"):
        await credential.authorization()


async def test_a_lost_answer_does_no_harm_without_rotation(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    endpoint.rotates = False
    endpoint.losses.append(TransportError("no answer"))
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    with pytest.raises(TransportError):
        await credential.authorization()
    clocks.pass_by(1.0)
    assert await token_of(credential) == "access-token-0003"


# ---- a dead refresh token


async def test_a_dead_refresh_token_says_to_authorize_again(endpoint: Endpoint) -> None:
    endpoint.alive.clear()
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    with pytest.raises(ReauthorizationRequiredError, match="authorize the app again") as caught:
        await credential.authorization()
    assert caught.value.status == 400
    assert caught.value.error == "invalid_grant"


async def test_a_dead_refresh_token_is_sent_once_and_the_store_looked_at_again(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    endpoint.alive.clear()
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
    credential = endpoint.credential(store)
    for _ in range(3):
        with pytest.raises(ReauthorizationRequiredError):
            await credential.authorization()
        clocks.pass_by(1.0)
    assert len(endpoint.requests) == 1
    endpoint.number = 7
    endpoint.alive = {"refresh-token-0007"}
    await store.save(endpoint.tokens())
    assert await token_of(credential) == "access-token-0007"
    assert len(endpoint.requests) == 1


async def test_the_store_is_looked_at_for_new_tokens_once_a_second(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    endpoint.alive.clear()
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    credential = endpoint.credential(store)
    loads = []
    for seconds in (0.0, 0.5, 0.5, 0.5, 0.5):
        clocks.pass_by(seconds)
        with pytest.raises(ReauthorizationRequiredError):
            await credential.authorization()
        loads.append(store.calls.count("load"))
    assert loads == [3, 3, 5, 5, 7]


async def test_tokens_that_others_saved_meanwhile_are_used(endpoint: Endpoint) -> None:
    """By a process that does not keep to the lock."""
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))

    async def refresh_elsewhere() -> None:
        endpoint.number = 5
        endpoint.alive = {"refresh-token-0005"}
        await store.save(endpoint.tokens())

    endpoint.outcomes.append(refresh_elsewhere)
    assert await token_of(endpoint.credential(store)) == "access-token-0005"
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("number", [0, 5])
async def test_tokens_that_others_saved_meanwhile_are_refreshed_if_they_have_expired(
    endpoint: Endpoint, number: int
) -> None:
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))

    async def refresh_elsewhere() -> None:
        endpoint.number = number
        endpoint.alive = {f"refresh-token-{number:04}"}
        await store.save(endpoint.tokens(lifetime=-1))

    endpoint.outcomes.append(refresh_elsewhere)
    assert await token_of(endpoint.credential(store)) == f"access-token-{number + 1:04}"
    assert endpoint.requests == ["refresh-token-0001", f"refresh-token-{number:04}"]


async def test_a_dead_refresh_token_is_borne_as_long_as_the_access_token_holds(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    endpoint.alive.clear()
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    clocks.pass_by(3400.0)
    for _ in range(3):
        assert await token_of(credential) == "access-token-0001"
        await settle()
        clocks.pass_by(1.0)
    assert len(endpoint.requests) == 1


# ---- the store


async def test_an_empty_store_says_to_authorize(endpoint: Endpoint) -> None:
    store = ShakyStore(endpoint.tokens())
    store.failures["load"] = [LookupError("nothing here")]
    with pytest.raises(ReauthorizationRequiredError, match="holds no tokens: authorize") as caught:
        await endpoint.credential(store).authorization()
    assert caught.value.status == 401


async def test_a_store_that_is_away_is_an_error_of_its_own(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["load"] = [OSError("away")]
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError, match=r"load\(\) failed: OSError: away") as caught:
        await credential.authorization()
    assert isinstance(caught.value.__cause__, OSError)
    clocks.pass_by(1.0)
    assert await token_of(credential) == "access-token-0002"


async def test_a_store_that_is_away_is_borne_as_long_as_the_token_holds(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    store = ShakyStore(endpoint.tokens())
    credential = endpoint.credential(store)
    await credential.authorization()
    store.failures["lock"] = [OSError()]
    clocks.pass_by(3400.0)
    await credential.authorization()
    await settle()
    assert await token_of(credential) == "access-token-0001"
    assert endpoint.requests == []


async def test_a_store_that_gives_something_else_is_an_error(endpoint: Endpoint) -> None:
    class Odd(MemoryTokenStore):
        async def load(self) -> OAuthTokens:
            return {}  # type: ignore[return-value]

    with pytest.raises(TokenStoreError, match=r"load\(\) gave dict, not OAuthTokens"):
        await endpoint.credential(Odd(endpoint.tokens())).authorization()


async def test_a_lock_that_nobody_gives_back_is_an_error_in_the_end(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STORE_TIMEOUT", 0.01)
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
    async with store.lock():
        with pytest.raises(TokenStoreError, match=r"lock\(\) failed: TimeoutError"):
            await endpoint.credential(store).authorization()
    assert endpoint.requests == []


async def test_a_lock_that_is_not_released_well_does_no_harm(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["unlock"] = [OSError("away")]
    assert await token_of(endpoint.credential(store)) == "access-token-0002"
    assert "lock was not released: OSError" in caplog.text


async def test_tokens_that_could_not_be_saved_are_saved_later_and_not_used_before(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["save"] = [OSError("disk full"), OSError("disk full")]
    credential = endpoint.credential(store)
    for _ in range(2):
        with pytest.raises(TokenStoreError, match="disk full"):
            await credential.authorization()
        clocks.pass_by(2.0)
    assert await token_of(credential) == "access-token-0002"
    assert (await store.load()).refresh_token == "refresh-token-0002"
    assert len(endpoint.requests) == 1


async def test_tokens_that_could_not_be_saved_ahead_of_the_end_are_saved_later(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    store = ShakyStore(endpoint.tokens())
    store.failures["save"] = [OSError("disk full")]
    credential = endpoint.credential(store)
    await credential.authorization()
    clocks.pass_by(3400.0)
    await credential.authorization()
    await settle()
    assert await token_of(credential) == "access-token-0001"
    clocks.pass_by(2.0)
    await credential.authorization()
    await settle()
    assert await token_of(credential) == "access-token-0002"
    assert len(endpoint.requests) == 1


async def test_unsaved_tokens_give_way_to_newer_ones_in_the_store(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["save"] = [OSError("disk full")]
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError):
        await credential.authorization()
    clocks.pass_by(2.0)
    endpoint.number = 9
    await store.save(endpoint.tokens())  # the user has authorized the app again
    assert await token_of(credential) == "access-token-0009"
    assert (await store.load()).refresh_token == "refresh-token-0009"


async def test_unsaved_tokens_take_the_place_of_older_ones_in_the_store(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["save"] = [OSError("disk full")]
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError):
        await credential.authorization()
    clocks.pass_by(2.0)
    endpoint.number = 0
    await store.save(endpoint.tokens(lifetime=-9))  # a backup
    endpoint.number = 2
    assert await token_of(credential) == "access-token-0002"
    assert (await store.load()).refresh_token == "refresh-token-0002"


async def test_closing_saves_what_is_not_saved_yet(endpoint: Endpoint) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["save"] = [OSError("disk full")]
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError):
        await credential.authorization()
    await credential.close()
    assert (await store.load()).refresh_token == "refresh-token-0002"
    await credential.close()
    assert store.calls.count("save") == 2


async def test_closing_saves_and_does_not_refresh(endpoint: Endpoint, clocks: Clocks) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["save"] = [OSError("disk full")]
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError):
        await credential.authorization()
    clocks.pass_by(4000.0)
    await credential.close()
    assert (await store.load()).refresh_token == "refresh-token-0002"
    assert len(endpoint.requests) == 1


async def test_closing_says_when_tokens_are_lost(endpoint: Endpoint) -> None:
    store = ShakyStore(endpoint.tokens(lifetime=-1))
    store.failures["save"] = [OSError("disk full"), OSError("disk full")]
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError):
        await credential.authorization()
    with pytest.raises(TokenStoreError, match="disk full"):
        await credential.close()


async def test_a_callback_may_use_the_session_as_long_as_the_old_token_holds(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    used = []

    async def on_save(tokens: OAuthTokens) -> None:
        used.append(await token_of(credential))
        used.append(await asyncio.create_task(token_of(credential)))
        assert await credential.refresh(await credential.authorization())

    store = MemoryTokenStore(endpoint.tokens(), on_save)
    credential = endpoint.credential(store)
    await credential.refresh(await credential.authorization())
    assert used == ["access-token-0001", "access-token-0001"]
    assert await token_of(credential) == "access-token-0002"


async def test_a_callback_that_needs_the_new_token_is_told_so(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    async def on_save(tokens: OAuthTokens) -> None:
        await credential.authorization()

    store = MemoryTokenStore(endpoint.tokens(lifetime=-1), on_save)
    credential = endpoint.credential(store)
    with pytest.raises(TokenStoreError, match="uses the session whose tokens it is saving"):
        await credential.authorization()
    store._on_save = None
    clocks.pass_by(1.0)
    assert await token_of(credential) == "access-token-0002"
    assert len(endpoint.requests) == 1


async def test_a_callback_may_close_the_session(endpoint: Endpoint) -> None:
    async def on_save(tokens: OAuthTokens) -> None:
        await credential.close()

    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1), on_save))
    assert await token_of(credential) == "access-token-0002"


async def test_a_store_that_cannot_read_what_it_holds_quotes_nothing_of_it(
    endpoint: Endpoint,
) -> None:
    """Nobody knows these tokens yet, so nobody could take them out of the error."""
    store = ShakyStore(endpoint.tokens())
    store.failures["load"] = [json.JSONDecodeError("no", '{"access_token": "unknown"}', 0)]
    with pytest.raises(TokenStoreError, match=r"load\(\) failed: JSONDecodeError$") as caught:
        await endpoint.credential(store).authorization()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_store_that_rounds_times_keeps_the_same_tokens(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    class Rounding(MemoryTokenStore):
        async def load(self) -> OAuthTokens:
            tokens = await super().load()
            return evolve(tokens, expires_at=tokens.expires_at.replace(second=0, microsecond=0))

    store = Rounding(endpoint.tokens())
    credential = endpoint.credential(store)
    await credential.authorization()
    clocks.pass_by(3400.0)
    clocks.wall -= timedelta(days=1)
    await credential.authorization()
    await settle()
    assert await token_of(credential) == "access-token-0002"


async def test_tokens_that_expire_while_they_are_saved_are_refreshed_by_the_next(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    delays = [4000.0]

    def on_save(tokens: OAuthTokens) -> None:
        if delays:
            clocks.pass_by(delays.pop())

    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1), on_save))
    first, second = await asyncio.gather(token_of(credential), token_of(credential))
    assert (first, second) == ("access-token-0002", "access-token-0003")


async def test_a_refresh_that_has_just_ended_is_not_waited_for(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    """Before the loop has told of its end, the next request may come, and time have passed."""
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    task = credential._start(None)
    task.remove_done_callback(credential._end)
    await asyncio.wait([task])
    assert credential._task is task
    clocks.pass_by(4000.0)
    assert await token_of(credential) == "access-token-0003"


async def test_a_dead_refresh_token_beside_a_fresh_access_token_is_not_sent_again(
    endpoint: Endpoint,
) -> None:
    """As when another process has refreshed without rotation, and the user then left."""
    endpoint.rotates = False
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))

    async def refresh_elsewhere() -> None:
        endpoint.number = 5
        endpoint.alive.clear()
        await store.save(endpoint.tokens())

    endpoint.outcomes.append(refresh_elsewhere)
    assert await token_of(endpoint.credential(store)) == "access-token-0005"
    assert len(endpoint.requests) == 1


# ---- clocks


async def test_a_wall_clock_that_jumps_does_not_age_a_token_in_use(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens()))
    await credential.authorization()
    for jump in (timedelta(days=400), timedelta(days=-800)):
        clocks.wall += jump
        assert await token_of(credential) == "access-token-0001"
        await settle()
    assert endpoint.requests == []
    clocks.pass_by(3600.0)
    assert await token_of(credential) == "access-token-0002"


async def test_a_wall_clock_far_behind_is_not_trusted_for_longer_than_a_day(
    endpoint: Endpoint, clocks: Clocks
) -> None:
    tokens = endpoint.tokens()
    clocks.wall -= timedelta(days=400)
    credential = endpoint.credential(MemoryTokenStore(tokens))
    await credential.authorization()
    clocks.pass_by(86_400.0)
    assert await token_of(credential) == "access-token-0002"


async def test_a_wall_clock_far_ahead_costs_one_refresh(endpoint: Endpoint, clocks: Clocks) -> None:
    tokens = endpoint.tokens()
    clocks.wall += timedelta(days=400)
    credential = endpoint.credential(MemoryTokenStore(tokens))
    for _ in range(3):
        assert await token_of(credential) == "access-token-0002"
    assert len(endpoint.requests) == 1


# ---- secrets


async def test_it_names_the_secrets_in_use_and_those_before(endpoint: Endpoint) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    await credential.authorization()
    await credential.refresh(await credential.authorization())
    assert set(credential.secrets()) == {
        "the client's secret",
        "access-token-0001",
        "refresh-token-0001",
        "access-token-0002",
        "refresh-token-0002",
    }
    shown = repr(credential) + repr(vars(credential))
    assert "token-000" not in shown
    assert "acme.pipedrive.com" in repr(credential)


async def test_the_secrets_it_names_are_bounded(endpoint: Endpoint, clocks: Clocks) -> None:
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1)))
    for _ in range(50):
        await credential.authorization()
        clocks.pass_by(3600.0)
    assert len(list(credential.secrets())) == 13


async def test_a_store_that_quotes_tokens_does_not_show_them(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    async def on_save(tokens: OAuthTokens) -> None:
        raise ValueError(f"cannot save {tokens.to_dict()}")

    caplog.set_level(logging.DEBUG)
    credential = endpoint.credential(MemoryTokenStore(endpoint.tokens(lifetime=-1), on_save))
    with pytest.raises(TokenStoreError, match="cannot save") as caught:
        await credential.authorization()
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "token-000" not in shown + caplog.text


# ---- cancelled at any moment


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_at_any_moment_nothing_is_lost(endpoint: Endpoint, turns: int) -> None:
    store = MemoryTokenStore(endpoint.tokens(lifetime=-1))
    credential = endpoint.credential(store)
    waiting = asyncio.create_task(token_of(credential))
    await settle(turns)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    await credential.close()
    assert await token_of(credential) == "access-token-0002"
    assert (await store.load()).refresh_token == "refresh-token-0002"
    assert len(endpoint.requests) == 1

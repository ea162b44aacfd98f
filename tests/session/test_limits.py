"""What a session makes of the limits: refusals, blocks, the daily budget, and who is told."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from pipeflow import BurstLimiter, PipedriveSession, RetryPolicy
from pipeflow.errors import DailyBudgetExhaustedError
from pipeflow.observing import (
    AttemptEnded,
    Observer,
    PageRead,
    RequestSent,
    RetryScheduled,
    SendingStopped,
)
from pipeflow.testing import DailyBudgetExceeded, Disconnect, FakePipedrive, Status
from tests.session.conftest import note_ids, notes, session_at

if TYPE_CHECKING:
    from pipeflow.limiting import BlockReason, Slot

PERSONS = range(1, 31)


def histories() -> dict[int, list[dict[str, object]]]:
    return dict.fromkeys(PERSONS, notes(3))


class Recorder(Observer):
    def __init__(self) -> None:
        self.events: list[object] = []

    def request_sent(self, event: RequestSent) -> None:
        self.events.append(event)

    def attempt_ended(self, event: AttemptEnded) -> None:
        self.events.append(event)

    def retry_scheduled(self, event: RetryScheduled) -> None:
        self.events.append(event)

    def sending_stopped(self, event: SendingStopped) -> None:
        self.events.append(event)

    def page_read(self, event: PageRead) -> None:
        self.events.append(event)

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


async def test_a_loop_over_persons_sends_one_request_after_the_budget_is_spent() -> None:
    async with (
        FakePipedrive(persons=histories(), daily_budget=200, block_after=10) as fake,
        session_at(fake) as pipedrive,
    ):
        outcomes: list[type[BaseException] | int] = []
        for person in PERSONS:
            try:
                outcomes.append(len((await pipedrive.get_person_flow(person)).updates))
            except DailyBudgetExhaustedError as error:
                outcomes.append(type(error))
        assert outcomes == [3] * 5 + [DailyBudgetExhaustedError] * 25
        assert (fake.request_count, fake.refused_count) == (6, 1)


async def test_a_spent_budget_holds_for_the_other_sessions_of_the_limiter() -> None:
    limiter = BurstLimiter()
    async with (
        FakePipedrive(persons=histories(), daily_retry_after=3939, daily_budget=0) as fake,
        session_at(fake, limiter=limiter) as one,
        session_at(fake, limiter=limiter) as other,
        session_at(fake) as stranger,
    ):
        with pytest.raises(DailyBudgetExhaustedError, match="daily request budget exceeded"):
            await one.get_person_flow(1)
        for session in (one, other):
            with pytest.raises(DailyBudgetExhaustedError, match="nothing was sent") as caught:
                await session.get_person_flow(1)
            assert caught.value.retry_after == pytest.approx(3939, abs=60)
            assert caught.value.resume_start == 0
        assert fake.request_count == 1
        with pytest.raises(DailyBudgetExhaustedError, match="daily request budget exceeded"):
            await stranger.get_person_flow(1)


async def test_many_walks_at_once_stop_with_few_refusals() -> None:
    async with (
        FakePipedrive(persons=histories(), daily_budget=200, block_after=10) as fake,
        session_at(fake) as pipedrive,
    ):
        with pytest.raises(ExceptionGroup) as caught:
            async for _ in pipedrive.iter_person_flows(PERSONS, concurrency=4):
                pass
        assert caught.group_contains(DailyBudgetExhaustedError)
        assert fake.refused_count <= 4


@pytest.mark.parametrize("prefetch", [0, 4])
async def test_the_reserve_is_never_touched(prefetch: int) -> None:
    async with (
        FakePipedrive(persons={1: notes(200)}, daily_budget=1000) as fake,
        session_at(fake, reserve_tokens=600) as pipedrive,
    ):
        with pytest.raises(DailyBudgetExhaustedError, match="reserve_tokens keeps 600") as caught:
            await note_ids(pipedrive.iter_person_flow(1, page_size=10, prefetch=prefetch))
        assert caught.value.resume_start is not None
        assert fake.tokens_spent == 400
        assert fake.refused_count == 0


@pytest.mark.parametrize("wrong", [-1, 1.5, True])
def test_a_reserve_is_a_number_of_tokens(wrong: int) -> None:
    with pytest.raises((ValueError, TypeError), match="reserve_tokens"):
        PipedriveSession("made-up-token", reserve_tokens=wrong)


async def test_a_limiter_of_ones_own_is_asked_for_every_attempt() -> None:
    class Counting:
        def __init__(self) -> None:
            self.inner = BurstLimiter()
            self.acquired = 0

        async def acquire(self) -> Slot:
            self.acquired += 1
            return await self.inner.acquire()

        def pause(self, seconds: float | None) -> None: ...

        def block(self, seconds: float, reason: BlockReason) -> None: ...

    limiter = Counting()
    async with (
        FakePipedrive(persons=histories()) as fake,
        session_at(fake, limiter=limiter) as pipedrive,
    ):
        fake.script(Status(503), Disconnect())
        assert await note_ids(pipedrive.iter_person_flow(1)) == [0, 1, 2]
    assert limiter.acquired == 3


async def test_observers_hear_of_a_walk() -> None:
    seen = Recorder()
    async with (
        FakePipedrive(persons=histories()) as fake,
        session_at(fake, observers=[seen]) as pipedrive,
    ):
        fake.script(Status(503))
        assert await note_ids(pipedrive.iter_person_flow(1)) == [0, 1, 2]
        fake.script(DailyBudgetExceeded())
        with pytest.raises(DailyBudgetExhaustedError):
            await pipedrive.get_person_flow(1)
        token = fake.api_token
    attempt = ["RequestSent", "AttemptEnded"]
    assert seen.names() == [
        *attempt,
        "RetryScheduled",
        *attempt,
        "PageRead",
        *attempt,
        "SendingStopped",
    ]
    assert token not in repr(seen.events)
    assert seen.events[5] == PageRead(
        owner_kind="person", owner_id=1, start=0, updates=3, more_items=False
    )


async def test_an_observer_that_raises_harms_no_walk(caplog: pytest.LogCaptureFixture) -> None:
    class Raising(Observer):
        def request_sent(self, event: RequestSent) -> None:
            raise OSError("disk full")

        page_read = attempt_ended = request_sent  # type: ignore[assignment]

    async with (
        FakePipedrive(persons=histories()) as fake,
        session_at(fake, observers=[Raising()]) as pipedrive,
    ):
        assert await note_ids(pipedrive.iter_person_flow(1)) == [0, 1, 2]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_the_log_tells_of_faults_and_holds_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "pipeflow")
    async with (
        FakePipedrive(persons=histories()) as fake,
        session_at(fake, retry=RetryPolicy(base_delay=0.0)) as pipedrive,
    ):
        fake.script(Status(503), Disconnect(), None, DailyBudgetExceeded(retry_after="90"))
        await pipedrive.get_person_flow(1)
        with pytest.raises(DailyBudgetExhaustedError):
            await pipedrive.get_person_flow(1)
        token = fake.api_token
    assert [
        (record.levelname, record.getMessage().split(" in ")[0])
        for record in caplog.records
        if "waited" not in record.getMessage()  # as on a busy machine
    ] == [
        ("DEBUG", "GET /v1/persons/1/flow: 503"),
        ("INFO", "GET /v1/persons/1/flow: 503"),
        ("DEBUG", "GET /v1/persons/1/flow: ServerDisconnectedError"),
        ("INFO", "GET /v1/persons/1/flow: ServerDisconnectedError"),
        ("DEBUG", "GET /v1/persons/1/flow: 200"),
        ("DEBUG", "GET /v1/persons/1/flow: 429"),
        (
            "WARNING",
            "nothing is sent for 90 s: the company's tokens of this day are used up",
        ),
    ]
    assert token not in caplog.text


async def test_every_attempt_that_began_ends_whenever_it_is_cancelled() -> None:
    """Also: no slot stays behind, whatever the await at which the walk is cancelled."""
    seen = Recorder()
    limiter = BurstLimiter(limit=1000, window=1000.0)
    async with (
        FakePipedrive(persons=histories()) as fake,
        session_at(fake, observers=[seen], limiter=limiter) as pipedrive,
    ):
        await pipedrive.get_person_flow(1)
        for turns in range(40):
            task = asyncio.create_task(pipedrive.get_person_flow(1))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        requests = pipedrive.stats.requests
    sent = [event for event in seen.events if isinstance(event, RequestSent)]
    ended = [event.sent for event in seen.events if isinstance(event, AttemptEnded)]
    assert len(sent) == requests
    assert set(sent) == set(ended)
    assert len(ended) == len(sent)
    assert len(limiter._queue._slots_free_at) == requests

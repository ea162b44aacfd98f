from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipeflow import (
    BurstLimiter,
    DailyBudgetExhaustedError,
    FlowsFailed,
    InvalidIdError,
    NotFoundError,
    PipedriveSession,
    RateLimit,
    SessionStats,
)
from pipeflow.testing import Disconnect, FakePipedrive, NullBody, Status
from tests.session.conftest import note_ids, notes, session_at

if TYPE_CHECKING:
    from tests.conftest import Wrong


async def test_many_persons_are_walked_over_the_wire() -> None:
    persons = {person: notes(25) for person in range(1, 31)}
    async with (
        FakePipedrive(persons=persons, burst_limit=1000) as fake,
        session_at(fake) as pipedrive,
    ):
        offsets: dict[int, list[int]] = {}
        walks = pipedrive.iter_person_flows(persons, page_size=10, prefetch=2, items="note")
        async for person_id, update in walks:
            offsets.setdefault(person_id, []).append(update.offset)
    assert offsets == {person: list(range(25)) for person in persons}


@pytest.mark.parametrize("is_shared", [True, False])
async def test_sessions_of_one_token_share_a_limiter(is_shared: bool) -> None:  # noqa: FBT001 - pytest's way
    """What each would send by itself is twice what the token may."""
    persons = {person: notes(1) for person in range(1, 41)}

    async def walk(pipedrive: PipedriveSession, ids: range) -> int:
        return len([person_id async for person_id, _ in pipedrive.iter_person_flows(ids)])

    limiters = [BurstLimiter(20, 0.5), BurstLimiter(20, 0.5)]
    async with (
        FakePipedrive(
            persons=persons, burst_limit=20, burst_window=0.5, announces_limits=False
        ) as fake,
        session_at(fake, limiter=limiters[0]) as one,
        session_at(fake, limiter=limiters[0 if is_shared else 1]) as other,
    ):
        walked = await asyncio.gather(walk(one, range(1, 21)), walk(other, range(21, 41)))
    assert sum(walked) == 40
    assert (fake.refused_count == 0) == is_shared


async def test_the_daily_budget_says_where_to_go_on() -> None:
    persons = {person: notes(10) for person in range(1, 21)}
    ids = list(persons)
    done: list[int] = []
    async with FakePipedrive(persons=persons, daily_budget=400) as fake:
        async with session_at(fake) as pipedrive:
            with pytest.raises(FlowsFailed) as caught:
                async for _ in pipedrive.iter_person_flows(ids, on_done=done.append):
                    pass
        failed = caught.value
        assert isinstance(failed.stopped_by, DailyBudgetExhaustedError)
        assert len(done) <= 10
        assert sorted([*done, *failed.unfinished]) == list(range(1, failed.begun + 1))
        fake.daily_budget = None
        async with session_at(fake) as pipedrive:
            rest = pipedrive.iter_person_flows(failed.remaining(ids), on_done=done.append)
            async for _ in rest:
                pass
    assert sorted(done) == ids


@pytest.mark.parametrize("status", [401, 402])
async def test_what_is_about_the_account_is_asked_once_by_each_walk(status: int) -> None:
    persons = {person: notes(10) for person in range(1, 61)}
    async with FakePipedrive(persons=persons) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda _: Status(status)
        with pytest.raises(FlowsFailed) as caught:
            assert [_ async for _ in pipedrive.iter_person_flows(persons, concurrency=4)]
        assert fake.request_count <= 4
        assert getattr(caught.value.stopped_by, "status", None) == status
        assert set(caught.value.unfinished) == set(range(1, caught.value.begun + 1))


async def test_missing_persons_are_passed_over() -> None:
    missing: list[int] = []
    async with FakePipedrive(persons={1: notes(2)}) as fake, session_at(fake) as pipedrive:
        walks = pipedrive.iter_person_flows([1, 2], skip_missing=True, on_missing=missing.append)
        assert [person_id async for person_id, _ in walks] == [1, 1]
        assert missing == [2]
        with pytest.raises(FlowsFailed) as caught:
            async for _ in pipedrive.iter_person_flows([1, 2]):
                pass
        (failure,) = caught.value.failures
        assert isinstance(failure, NotFoundError)
        assert failure.owner_id == 2


async def test_deals_and_organizations_are_walked_too() -> None:
    async with (
        FakePipedrive(deals={3: notes(2)}, organizations={4: notes(3)}) as fake,
        session_at(fake) as pipedrive,
    ):
        deals = pipedrive.iter_deal_flows([3, 5])
        with pytest.raises(FlowsFailed, match="1 of 2 deals failed"):
            assert [deal_id async for deal_id, _ in deals] == [3, 3]
        organizations = pipedrive.iter_organization_flows([(4, 1)], items="activityFile,note")
        assert [(one, update.offset) async for one, update in organizations] == [(4, 1), (4, 2)]


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"ids": [1], "concurrency": 0}, ValueError, "concurrency"),
        ({"ids": [1], "on_error": "ignore"}, ValueError, "on_error"),
        ({"ids": [1], "on_done": 5}, TypeError, "on_done must be a function, not 5"),
        ({"ids": [1], "on_missing": print}, ValueError, "on_missing is for skip_missing=True"),
        ({"ids": [1], "page_size": 0}, ValueError, "page_size"),
        ({"ids": [1], "items": "nonsense"}, ValueError, "items"),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(
    arguments: dict[str, object], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        PipedriveSession("token").iter_person_flows(**arguments)  # type: ignore[arg-type]


async def test_a_wrong_id_among_many_costs_nothing_and_ends_nothing() -> None:
    async with FakePipedrive(persons={1: notes(2), 2: notes(1)}) as fake:
        async with session_at(fake) as pipedrive:
            ids: list[Wrong] = [1, "4", 2]
            seen = []
            with pytest.raises(FlowsFailed) as caught:
                async for person_id, _ in pipedrive.iter_person_flows(ids):
                    seen.append(person_id)
    assert sorted(seen) == [1, 1, 2]
    assert fake.request_count == 2
    with pytest.raises(InvalidIdError, match="the person id must be an int, not '4'"):
        raise caught.value.failures[0]


# ---- what a session tells of itself


async def test_a_session_counts_what_it_does() -> None:
    async with FakePipedrive(persons={7: notes(30)}) as fake, session_at(fake) as pipedrive:
        assert pipedrive.stats == SessionStats()
        fake.script(None, Status(503), Disconnect())
        await note_ids(pipedrive.iter_person_flow(7, page_size=10))
        await pipedrive.get_person_flow(7, page_size=5)
        async for _ in pipedrive.iter_person_flow_pages(7, page_size=10, max_items=10):
            pass
        stats = pipedrive.stats
        assert (stats.requests, stats.retries, stats.updates) == (7, 2, 45)
        assert stats.requests == fake.request_count
        assert stats.tokens == 40 * 6  # all but the one that was never answered
        assert stats.waited_seconds >= 0


async def test_a_session_tells_the_limits_it_last_heard_of() -> None:
    async with (
        FakePipedrive(persons={7: notes(3)}, burst_limit=40, daily_budget=30_000) as fake,
        session_at(fake) as pipedrive,
    ):
        assert pipedrive.rate_limit == RateLimit()
        await pipedrive.get_person_flow(7)
        assert pipedrive.rate_limit.limit == 40
        assert pipedrive.rate_limit.remaining == 39
        assert pipedrive.rate_limit.daily_remaining == 30_000 - 40


async def test_nulls_are_bounded_over_a_whole_walk() -> None:
    """Each page gets through on its second try, yet not for ever."""
    async with FakePipedrive(persons={7: notes(100)}) as fake, session_at(fake) as pipedrive:
        answers = 0

        def every_other(_: object) -> NullBody | None:
            nonlocal answers
            answers += 1
            return NullBody() if answers % 2 else None

        fake.on_request = every_other
        seen = []
        with pytest.raises(Exception, match="null") as caught:
            async for update in pipedrive.iter_person_flow(7, page_size=2):
                seen.append(update.offset)
        assert seen == list(range(40))
        assert getattr(caught.value, "resume_start", None) == 40

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    BlockedError,
    CheckpointLostError,
    DailyBudgetExhaustedError,
    DecodeError,
    NotFoundError,
    PermissionDeniedError,
    PipeflowError,
    ServerError,
    TransportError,
)
from pipeflow.watching.plan import WatchPlan
from pipeflow.watching.watch import FlowWatch

if TYPE_CHECKING:
    from pipeflow.watching import Checkpoint, FlowEvent
    from tests.conftest import Wrong
    from tests.watching.simulation import History, JumpingLoop


def watch_of(
    history: History, *ids: int, checkpoints: dict[int, Checkpoint] | None = None, **plan: Wrong
) -> FlowWatch:
    return FlowWatch(
        history,
        ids or [1],
        checkpoints or {},
        WatchPlan(**plan),
        clock=history.loop.time,
        now=history.now,
        chance=lambda: 0.5,
    )


async def next_within(watch: FlowWatch, seconds: float) -> FlowEvent | None:
    try:
        return await asyncio.wait_for(anext(watch), seconds)
    except TimeoutError:
        return None


def test_it_begins_with_now_and_tells_what_comes(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            assert history.requests == 1
            note = history.add_note()
            activity = history.add_activity()
            first, second = await anext(watch), await anext(watch)
            assert (first.person_id, first.kind, first.update) == (1, "new", note)
            assert (second.kind, second.update) == ("new", activity)
            assert await next_within(watch, 3000.0) is None

    loop.run(bot())


def test_an_idle_poll_is_one_request_each_interval(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, interval=100.0) as watch:
            assert await next_within(watch, 1000.0) is None

    loop.run(bot())
    assert history.requests == 1 + 9


def test_an_activity_is_changed_once_when_it_is_done(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            done = history.mark_done(0, 4)
            event = await anext(watch)
            assert (event.kind, event.update) == ("changed", done)
            assert await next_within(watch, 3000.0) is None

    loop.run(bot())


def test_an_unchanged_record_elsewhere_is_nothing(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.past.insert(0, history.past.pop(7))
            assert await next_within(watch, 3000.0) is None

    loop.run(bot())


def test_nothing_is_polled_while_the_loop_is_busy(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.add_note()
            history.add_note()
            await anext(watch)
            before = history.requests
            await asyncio.sleep(10_000.0)
            assert history.requests == before
            await anext(watch)
            assert history.requests == before

    loop.run(bot())


def test_a_cancelled_wait_loses_no_poll(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            note = history.add_note()
            history.latency = 0.5
            events: list[FlowEvent] = []
            while not events:
                event = await next_within(watch, 0.2)
                events += [] if event is None else [event]
            assert events[0].update == note
            assert history.requests == 2

    loop.run(bot())


def test_closing_ends_a_wait_at_once(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        watch = watch_of(history)
        waiting = asyncio.create_task(next_within(watch, 1e9))
        await asyncio.sleep(1.0)
        await watch.aclose()
        await watch.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert loop.now < 86_500.0
        assert repr(watch) == "<FlowWatch of 1 closed>"

    loop.run(bot())


def test_closing_ends_a_poll_under_way(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        watch = watch_of(history, checkpoints=checkpoint_of(loop, history))
        waiting = asyncio.create_task(next_within(watch, 1e9))
        while history.requests < 2:
            await asyncio.sleep(0)
        await watch.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting

    async def begin() -> None:
        async with watch_of(history):
            pass

    loop.run(begin())
    loop.run(bot())


def checkpoint_of(loop: JumpingLoop, history: History, owner_id: int = 1) -> dict[int, Checkpoint]:
    return {
        owner_id: {
            "version": 1,
            "account": "acme",
            "owner": f"person {owner_id}",
            "items": None,
            "all_changes": False,
            "moment": history.now().isoformat(),
            "whole": False,
            "undone": [],
            "missing": [],
            "past": ["nevrseenstate00-"] * 1,
            "recent": [],
        }
    }


# ---- pokes


def test_many_pokes_are_one_poll_and_one_more_later(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, interval=3600.0) as watch:
            for _ in range(20):
                watch.poke(1)
            began = loop.now
            note = history.add_note()
            event = await anext(watch)
            assert event.update == note
            assert loop.now - began == pytest.approx(1.0)
            assert await next_within(watch, 3000.0) is None
            assert history.requests == 3

    loop.run(bot())


def test_a_poke_during_a_poll_polls_once_more(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, interval=3600.0) as watch:
            watch.poke(1)
            waiting = asyncio.create_task(next_within(watch, 5.0))
            history.latency = 0.5
            while history.requests == 1:
                await asyncio.sleep(0.1)
            watch.poke(1)
            assert await waiting is None
            assert history.requests == 3

    loop.run(bot())


def test_a_poke_of_somebody_else_is_ignored(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, interval=3600.0) as watch:
            watch.poke(99)
            assert await next_within(watch, 60.0) is None
            assert history.requests == 1

    loop.run(bot())


def test_a_poke_may_come_from_another_thread(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, interval=3600.0) as watch:
            history.add_note()
            thread = threading.Thread(target=watch.poke, args=[1])
            thread.start()
            thread.join()
            assert await next_within(watch, 60.0) is not None

    loop.run(bot())


# ---- faults


@pytest.mark.parametrize("error", [TransportError("away"), ServerError("503", status=503)])
def test_what_passes_is_retried_for_ever(
    loop: JumpingLoop, history: History, error: PipeflowError
) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.faults = [error] * 40
            note = history.add_note()
            assert (await anext(watch)).update == note
            assert history.requests == 1 + 40 + 1

    loop.run(bot())


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("401", status=401),
        ApiError("302: a redirect", status=302),
        DailyBudgetExhaustedError("429", status=429),
    ],
)
def test_what_never_passes_is_raised_at_once(
    loop: JumpingLoop, history: History, error: PipeflowError
) -> None:
    async def bot() -> None:
        async with watch_of(history, on_budget="raise") as watch:
            history.faults = [error]
            with pytest.raises(type(error)) as caught:
                await anext(watch)
            assert caught.value.owner_id == 1

    loop.run(bot())


def test_an_error_at_the_beginning_is_raised_there(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        history.faults = [AuthenticationError("401", status=401)]
        with pytest.raises(AuthenticationError):
            async with watch_of(history):
                pytest.fail("it has begun")  # pragma: no cover

    loop.run(bot())


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (BlockedError("403", status=403, retry_after=1200.0), 1200.0),
        (BlockedError("403", status=403), 300.0),
        (DailyBudgetExhaustedError("429", status=429, retry_after=600.0), 600.0),
        (DailyBudgetExhaustedError("429", status=429, retry_after=50_000.0), 900.0),
        (DailyBudgetExhaustedError("429", status=429), 900.0),
    ],
)
def test_a_block_and_a_spent_budget_pause_everything(
    loop: JumpingLoop, history: History, error: PipeflowError, pause: float
) -> None:
    async def bot() -> None:
        async with watch_of(history, 1, 2, interval=100.0) as watch:
            history.faults = [error]
            assert await next_within(watch, 101.0) is None
            watch.poke(2)
            before = history.requests
            began = loop.now
            assert await next_within(watch, pause - 101.0) is None
            assert history.requests == before
            history.add_note()
            assert await anext(watch) is not None
            assert loop.now - began <= pause

    loop.run(bot())


def test_a_pause_hears_the_closing_at_once(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.faults = [DailyBudgetExhaustedError("429", status=429)]
            waiting = asyncio.create_task(next_within(watch, 1e9))
            await asyncio.sleep(400.0)
            watch.session_closed()
            with pytest.raises(TransportError, match="closed"):
                await waiting

    loop.run(bot())


def test_a_closed_session_is_no_fault_to_survive(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.is_closed = True
            history.faults = [TransportError("closed")]
            with pytest.raises(TransportError):
                await anext(watch)

    loop.run(bot())


def test_a_missing_owner_ends_its_part_alone(
    loop: JumpingLoop, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    async def bot() -> None:
        async with watch_of(history, 1, 2) as watch:
            history.faults = [NotFoundError("404", status=404)]
            assert await next_within(watch, 700.0) is None
            assert len(watch.checkpoints) == 1

    with caplog.at_level(logging.WARNING, "pipeflow"):
        loop.run(bot())
    assert "watched no more" in caplog.text


def test_a_missing_owner_ends_a_watch_of_one(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, raises_missing=True) as watch:
            history.faults = [NotFoundError("404", status=404)]
            with pytest.raises(NotFoundError):
                await anext(watch)

    loop.run(bot())


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("verdict", ["continue", "drop", "raise"])
def test_on_error_decides_what_concerns_one_owner(
    loop: JumpingLoop, history: History, verdict: Wrong, *, is_async: bool
) -> None:
    heard: list[tuple[int, PipeflowError]] = []

    def on_error(owner_id: int, error: PipeflowError) -> Wrong:
        heard.append((owner_id, error))
        return later() if is_async else verdict

    async def later() -> Wrong:
        return verdict

    async def bot() -> None:
        async with watch_of(history, on_error=on_error) as watch:
            error = PermissionDeniedError("403", status=403)
            history.faults = [error]
            history.add_note()
            if verdict == "raise":
                with pytest.raises(PermissionDeniedError):
                    await anext(watch)
            else:
                event = await next_within(watch, 3000.0)
                assert (event is None) == (verdict == "drop")
            assert heard == [(1, error)]

    loop.run(bot())


def test_without_on_error_the_others_and_it_go_on(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.faults = [DecodeError("not a page")]
            history.add_note()
            assert await next_within(watch, 3000.0) is not None

    loop.run(bot())


def test_on_error_says_one_of_three_words(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, on_error=lambda *_: "ignore") as watch:
            history.faults = [DecodeError("not a page")]
            with pytest.raises(ValueError, match="'ignore'"):
                await anext(watch)
            history.add_note()
            assert await next_within(watch, 3000.0) is not None

    loop.run(bot())


# ---- checkpoints


def lost(history: History) -> None:
    for _ in range(12_000):
        history.add_note()
    history.loop.now += 3600.0


def test_a_checkpoint_that_cannot_be_joined_is_an_error(
    loop: JumpingLoop, history: History
) -> None:
    async def bot() -> None:
        checkpoints = checkpoint_of(loop, history)
        lost(history)
        async with watch_of(history, checkpoints=checkpoints) as watch:
            with pytest.raises(CheckpointLostError):
                await anext(watch)

    loop.run(bot())


def test_a_lost_watch_can_go_on_from_now(
    loop: JumpingLoop, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    async def bot() -> None:
        checkpoints = checkpoint_of(loop, history)
        lost(history)
        async with watch_of(history, checkpoints=checkpoints, on_lost="latest") as watch:
            assert await next_within(watch, 1.0) is None
            note = history.add_note()
            assert (await anext(watch)).update == note

    loop.run(bot())
    assert "goes on from now" in caplog.text


def test_a_lost_watch_can_tell_everything(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        checkpoints = checkpoint_of(loop, history)
        lost(history)
        async with watch_of(history, checkpoints=checkpoints, on_lost="replay") as watch:
            told = [(await anext(watch)).update for _ in range(len(history.everything()))]
            assert told == [*reversed(history.past), *reversed(history.undone)]
            assert await next_within(watch, 1000.0) is None

    loop.run(bot())


def test_the_checkpoint_of_one_owner_and_of_many(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        watch = watch_of(history)
        assert watch.checkpoint is None
        async with watch:
            assert watch.checkpoints == {1: watch.checkpoint}
            watch.add(2)
            with pytest.raises(ValueError, match=r"\.checkpoints"):
                _ = watch.checkpoint
            assert await next_within(watch, 1.0) is None
            assert list(watch.checkpoints) == [1, 2]
            watch.discard(1)
            watch.discard(1)
            assert list(watch.checkpoints) == [2]

    loop.run(bot())


def test_news_of_a_discarded_owner_is_dropped(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.add_note()
            history.add_note()
            await anext(watch)
            watch.discard(1)
            assert await next_within(watch, 1000.0) is None

    loop.run(bot())


def test_an_owner_can_be_discarded_during_its_poll(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            history.add_note()
            history.latency = 2.0
            waiting = asyncio.create_task(next_within(watch, 1000.0))
            while history.requests == 1:
                await asyncio.sleep(1.0)
            watch.add(1)  # which is there already
            watch.discard(1)
            assert await waiting is None
            assert watch.checkpoints == {}

    loop.run(bot())


def test_a_second_watch_goes_on_where_the_first_was(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history) as watch:
            notes = [history.add_note() for _ in range(3)]
            event = await anext(watch)
        async with watch_of(history, checkpoints={1: event.checkpoint}) as watch:
            assert [(await anext(watch)).update for _ in range(2)] == notes[1:]
            assert await next_within(watch, 1000.0) is None

    loop.run(bot())


def test_another_account_is_noticed_when_it_begins(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        checkpoints = checkpoint_of(loop, history)
        checkpoints[1]["account"] = "umbrella"
        watch = watch_of(history, 1, 2, checkpoints=checkpoints)
        with pytest.raises(ValueError, match="account"):
            await anext(watch)

    loop.run(bot())


def test_another_owner_is_noticed_at_once(loop: JumpingLoop, history: History) -> None:
    with pytest.raises(ValueError, match="owner"):
        watch_of(history, checkpoints={2: checkpoint_of(loop, history)[1]})


# ---- price


def test_many_owners_are_evenly_spread(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        async with watch_of(history, *range(1, 201), interval=1000.0) as watch:
            await next_within(watch, 1000.0)
            counts = []
            for _ in range(10):
                before = history.requests
                assert await next_within(watch, 100.0) is None
                counts.append(history.requests - before)
            assert sum(counts) == pytest.approx(200, abs=10)
            assert max(counts) < 30

    loop.run(bot())


def test_the_interval_grows_with_what_the_day_has_left(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        history.tokens = 4000
        async with watch_of(history, interval=10.0) as watch:
            # 16 hours are left of the day, and half of the tokens are 50 requests.
            assert await next_within(watch, 16 * 3600.0) is None

    loop.run(bot())
    assert 45 <= history.requests <= 53


def test_no_further_place_is_looked_for_after_an_error(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        history.faults = [AuthenticationError("401", status=401)]
        with pytest.raises(AuthenticationError):
            await anext(watch_of(history, *range(1, 101)))
        assert history.requests < 20

    loop.run(bot())


def test_without_deep_looks_a_sunk_note_is_not_found(loop: JumpingLoop, history: History) -> None:
    async def bot() -> None:
        for _ in range(100):
            history.add_note()
        loop.now += 3600.0
        async with watch_of(history, deep_interval=None) as watch:
            history.add_note(90)
            assert await next_within(watch, 200_000.0) is None
            note = history.add_note()
            assert (await anext(watch)).update == note

    loop.run(bot())

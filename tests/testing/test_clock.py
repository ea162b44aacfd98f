from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeflow.testing import Clock

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def standing() -> Clock:
    return Clock(NOON, speed=0)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_clock_shows_the_real_time() -> None:
    before = datetime.now(UTC)
    shown = Clock().now()
    assert before <= shown <= datetime.now(UTC) + timedelta(seconds=1)


def test_a_clock_that_stands_still_moves_by_hand() -> None:
    clock = standing()
    assert clock.now() == NOON
    clock.advance(90)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_a_clock_can_run_fast() -> None:
    clock = Clock(NOON, speed=1e9)
    assert clock.now() < clock.now()
    assert clock.now() > NOON


def test_it_shows_utc_whatever_it_is_given() -> None:
    clock = Clock(NOON.astimezone(timezone(timedelta(hours=5))), speed=0)
    assert clock.now().isoformat() == "2026-11-26T12:00:00+00:00"


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=-1)


async def test_a_sleeper_wakes_when_the_time_has_come_and_not_before() -> None:
    clock = standing()
    sleeper = asyncio.create_task(clock.sleep(30))
    await turns()
    assert clock.sleepers == 1
    clock.advance(29)
    await turns()
    assert not sleeper.done()
    clock.advance(1)
    await sleeper
    assert clock.sleepers == 0


async def test_a_sleeper_wakes_by_itself_where_time_runs() -> None:
    clock = Clock(NOON, speed=1e6)
    await clock.sleep(3600)
    assert clock.now() >= NOON + timedelta(hours=1)


async def test_a_sleeper_can_be_woken_from_another_thread() -> None:
    clock = standing()
    sleeper = asyncio.create_task(clock.sleep(30))
    await turns()
    thread = threading.Thread(target=clock.advance, args=(30,))
    thread.start()
    await sleeper
    thread.join()


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = standing()
    sleeper = asyncio.create_task(clock.sleep(30))
    await turns()
    sleeper.cancel()
    await turns()
    assert clock.sleepers == 0


def test_a_sleeper_of_a_loop_that_is_gone_does_no_harm() -> None:
    clock = standing()
    loop = asyncio.new_event_loop()
    sleeper = loop.create_task(clock.sleep(30))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    clock.advance(30)
    sleeper._log_destroy_pending = False  # type: ignore[attr-defined]
    assert clock.now() == NOON + timedelta(seconds=30)

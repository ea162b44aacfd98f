from __future__ import annotations

import math

import pytest

from pipeflow.watching.schedule import Schedule


@pytest.fixture
def schedule() -> Schedule:
    schedule = Schedule(lambda: 0.5)
    for owner_id in (1, 2, 3):
        schedule.put(owner_id, 10.0 * owner_id)
    return schedule


def test_owners_come_in_the_order_in_which_they_are_due(schedule: Schedule) -> None:
    assert schedule.next_due() == 10.0
    assert schedule.take(9.9) is None
    assert [schedule.take(30.0) for _ in range(4)] == [1, 2, 3, None]
    assert schedule.next_due() is None
    assert len(schedule) == 3


def test_poked_owners_come_first(schedule: Schedule) -> None:
    schedule.poke(3, 20.0)
    assert schedule.next_due() == 10.0
    assert schedule.take(21.0) == 3
    assert schedule.take(21.0) == 1


def test_many_pokes_are_one(schedule: Schedule) -> None:
    schedule.poke(3, 1.0)
    schedule.poke(3, 1.9)
    assert schedule.next_due() == 2.0
    assert schedule.take(2.0) == 3
    assert schedule.take(2.0) is None


def test_one_more_poll_follows_a_poke(schedule: Schedule) -> None:
    schedule.poke(3, 1.0)
    assert schedule.take(2.0) == 3
    schedule.polled(3, 2.0, 2.5, 1000.0)
    assert schedule.take(12.4) == 1
    assert schedule.take(12.5) == 3
    schedule.polled(3, 12.5, 12.6, 1000.0)
    assert schedule.take(100.0) == 2
    assert schedule.take(100.0) is None


def test_a_poke_during_a_poll_comes_before_the_one_that_follows(schedule: Schedule) -> None:
    schedule.poke(3, 1.0)
    assert schedule.take(2.0) == 3
    schedule.poke(3, 2.2)
    schedule.polled(3, 2.0, 2.5, 1000.0)
    assert schedule.take(3.2) == 3
    schedule.polled(3, 3.2, 3.3, 1000.0)
    assert schedule.take(13.2) == 1
    assert schedule.take(13.2) is None
    assert schedule.take(13.3) == 3


def test_the_next_poll_is_an_interval_after_the_last_began() -> None:
    schedule = Schedule(lambda: 1.0)
    schedule.put(1, 0.0)
    assert schedule.take(0.0) == 1
    schedule.polled(1, 0.0, 3.0, 100.0)
    assert schedule.next_due() == pytest.approx(105.0)


def test_a_poll_longer_than_its_interval_is_followed_at_once() -> None:
    schedule = Schedule(lambda: 0.5)
    schedule.put(1, 0.0)
    assert schedule.take(0.0) == 1
    schedule.polled(1, 0.0, 300.0, 100.0)
    assert schedule.next_due() == 300.0


def test_after_their_first_poll_owners_are_spread_over_the_interval() -> None:
    schedule = Schedule(lambda: 0.5)
    for owner_id in range(100):
        schedule.put(owner_id, -math.inf)
    for _ in range(100):
        first = schedule.take(0.0)
        assert first is not None
        schedule.polled(first, 0.0, 0.0, 100.0)
    times = []
    for second in range(101):
        while schedule.take(float(second)) is not None:
            times.append(second)
    assert len(times) == 100
    assert max(times.count(second) for second in range(101)) <= 2


def test_who_was_dropped_comes_no_more(schedule: Schedule) -> None:
    schedule.poke(1, 0.0)
    schedule.drop(1)
    schedule.drop(99)
    schedule.poke(1, 0.0)
    schedule.polled(1, 0.0, 0.0, 1.0)
    assert schedule.take(1000.0) == 2


def test_a_later_time_replaces_the_one_before(schedule: Schedule) -> None:
    schedule.put(1, 50.0)
    assert [schedule.take(60.0) for _ in range(3)] == [2, 3, 1]

"""Pauses after a 429, and a block."""

from __future__ import annotations

from tests.limiting.queue import Queue


def test_after_a_refusal_requests_are_spaced_before_they_come_at_once_again() -> None:
    queue = Queue(limit=10)
    queue.limiter.pause(0.0, 5.0)
    for _ in range(8):
        queue.join(0.0)
    assert queue.granted(5.0) == [0]
    assert queue.granted(5.11) == [0, 1]
    assert len(queue.granted(6.0)) == 7


def test_after_a_refusal_nobody_sends_for_as_long_as_the_server_asks(queue: Queue) -> None:
    queue.limiter.pause(1.0, 5.0)
    ticket = queue.join(1.0)
    assert queue.limiter.delay_seconds(ticket, 1.0) == 5.0
    assert queue.limiter.delay_seconds(ticket, 6.0) == 0.0


def test_a_refusal_that_asks_nothing_pauses_for_one_window(queue: Queue) -> None:
    queue.limiter.pause(1.0, None)
    assert queue.limiter.delay_seconds(queue.join(1.0), 1.0) == 2.0


def test_a_shorter_pause_does_not_end_a_longer_one(queue: Queue) -> None:
    queue.limiter.pause(0.0, 10.0)
    queue.limiter.pause(0.0, 1.0)
    assert queue.limiter.delay_seconds(queue.join(0.0), 0.0) == 10.0


def test_a_block_wakes_all_who_wait_and_says_when_it_ends(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.woken.clear()
    queue.limiter.block(1.0, 300.0)
    assert queue.woken == [2, 3]
    assert queue.limiter.blocked_seconds(101.0) == 200.0
    assert queue.limiter.blocked_seconds(400.0) == 0.0


def test_it_says_how_long_a_pause_goes_on(queue: Queue) -> None:
    assert queue.limiter.paused_seconds(0.0) == 0.0
    queue.limiter.pause(1.0, 5.0)
    assert queue.limiter.paused_seconds(2.0) == 4.0
    assert queue.limiter.paused_seconds(5.5) == 0.5
    assert queue.limiter.paused_seconds(6.0) == 0.0
    assert queue.limiter.paused_seconds(7.0) == 0.0


def test_after_a_pause_no_slot_is_granted_before_its_even_place() -> None:
    queue = Queue(limit=8)
    for _ in range(6):
        queue.join(0.0)
    queue.limiter.pause(0.0, 0.5)
    # Five went at once; evenly spaced, the sixth has its place after 5 / 8 of the window.
    assert queue.limiter.delay_seconds(queue.tickets[5], 0.0) == 1.25
    assert queue.limiter.delay_seconds(queue.tickets[5], 0.5) == 0.75
    assert queue.limiter.delay_seconds(queue.tickets[5], 0.875) == 0.0


def test_a_new_limiter_is_not_blocked(queue: Queue) -> None:
    assert queue.limiter.blocked_seconds(0.0) == 0.0

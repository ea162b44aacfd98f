"""Pauses after a 429."""

from __future__ import annotations

from tests.limiting.queue import Queue


def test_after_a_refusal_requests_are_spaced_before_they_come_at_once_again() -> None:
    queue = Queue(limit=10)
    queue.slots.pause(0.0, 5.0)
    for _ in range(8):
        queue.join(0.0)
    assert queue.granted(5.0) == [0]
    assert queue.granted(5.11) == [0, 1]
    assert len(queue.granted(6.0)) == 7


def test_after_a_refusal_nobody_sends_for_as_long_as_the_server_asks(queue: Queue) -> None:
    queue.slots.pause(1.0, 5.0)
    reservation = queue.join(1.0)
    assert queue.slots.delay_seconds(reservation, 1.0) == 5.0
    assert queue.slots.delay_seconds(reservation, 6.0) == 0.0


def test_a_refusal_that_asks_nothing_pauses_for_one_window(queue: Queue) -> None:
    queue.slots.pause(1.0, None)
    assert queue.slots.delay_seconds(queue.join(1.0), 1.0) == 2.0


def test_a_shorter_pause_does_not_end_a_longer_one(queue: Queue) -> None:
    queue.slots.pause(0.0, 10.0)
    queue.slots.pause(0.0, 1.0)
    assert queue.slots.delay_seconds(queue.join(0.0), 0.0) == 10.0


def test_all_who_wait_can_be_woken(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.woken.clear()
    queue.slots.wake_all()
    assert queue.woken == [2, 3]


def test_after_a_pause_no_slot_is_granted_before_its_even_place() -> None:
    queue = Queue(limit=8)
    for _ in range(6):
        queue.join(0.0)
    queue.slots.pause(0.0, 0.5)
    # Five went at once; evenly spaced, the sixth has its place after 5 / 8 of the window.
    assert queue.slots.delay_seconds(queue.reservations[5], 0.0) == 1.25
    assert queue.slots.delay_seconds(queue.reservations[5], 0.5) == 0.75
    assert queue.slots.delay_seconds(queue.reservations[5], 0.875) == 0.0

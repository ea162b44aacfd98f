"""Who gets a slot, and when, while nobody else uses the allowance."""

from __future__ import annotations

import pytest

from tests.limiting.queue import ANSWERED, HELD, Queue


def test_a_free_slot_is_granted_at_once(queue: Queue) -> None:
    assert queue.slots.delay_seconds(queue.join(0.0), 0.0) == 0.0


def test_slots_are_granted_first_come_first_served(queue: Queue) -> None:
    for _ in range(6):
        queue.join(0.0)
    assert queue.granted(0.0) == [0, 1]
    assert queue.granted(HELD) == [0, 1, 2, 3]
    assert queue.granted(2 * HELD) == [0, 1, 2, 3, 4, 5]


def test_half_of_the_allowance_goes_at_once_and_the_rest_evenly_spaced() -> None:
    queue = Queue(limit=8)
    for _ in range(10):
        queue.join(0.0)
    assert queue.granted(0.0) == [0, 1, 2, 3, 4]
    assert queue.granted(0.25) == [0, 1, 2, 3, 4, 5]
    assert queue.granted(0.5) == [0, 1, 2, 3, 4, 5, 6]
    assert queue.granted(0.75) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert queue.granted(2.4) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_in_the_long_run_the_whole_allowance_is_used() -> None:
    queue = Queue(limit=40)
    for _ in range(400):
        queue.join(0.0)
    answered = 0
    for step in range(20_000):
        now = step / 1000
        granted = queue.granted_count(now)
        while answered < granted:
            queue.slots.release(queue.reservations[answered], now + 0.05, ANSWERED)
            answered += 1
    assert answered >= 0.95 * 400


def test_an_answered_request_counts_for_one_window_from_its_answer(queue: Queue) -> None:
    first, second, third = (queue.join(0.0) for _ in range(3))
    queue.slots.release(first, 0.1, ANSWERED)
    queue.slots.release(second, 0.2, ANSWERED)
    assert queue.slots.delay_seconds(third, 0.2) == pytest.approx(1.9)
    assert queue.granted(2.1) == [0, 1, 2]


def test_a_request_without_an_answer_counts_as_if_it_were_long_on_its_way(queue: Queue) -> None:
    first, _, third = (queue.join(0.0) for _ in range(3))
    queue.slots.release(first, 0.01)
    assert queue.slots.delay_seconds(third, 0.01) == pytest.approx(HELD - 0.01)


def test_a_late_answer_does_not_hold_its_slot_longer(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.join(0.0)
    third = queue.join(0.0)
    queue.slots.release(first, 2.4, ANSWERED)
    assert queue.slots.delay_seconds(third, 2.5) == 0.0


def test_a_cancelled_waiter_gives_its_place_to_the_next(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.slots.cancel(queue.reservations[2], 0.0)
    queue.woken.clear()
    assert queue.slots.delay_seconds(queue.reservations[3], 0.0) == HELD
    assert queue.slots.delay_seconds(queue.reservations[3], HELD) == 0.0


def test_a_cancelled_waiter_wakes_the_new_head(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.woken.clear()
    queue.slots.cancel(queue.reservations[2], 0.0)
    assert queue.woken == [3]


def test_a_slot_handed_back_unused_is_granted_to_the_next_at_once(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.join(0.0)
    third = queue.join(0.0)
    queue.slots.cancel(first, 0.1)
    assert queue.slots.delay_seconds(third, 0.1) == 0.0


def test_a_slot_handed_back_after_its_time_changes_nothing(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.slots.cancel(first, 10.0)
    for _ in range(3):
        queue.join(10.0)
    assert queue.granted(10.0)[-2:] == [1, 2]


def test_a_slot_that_is_long_forgotten_can_be_handed_back(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.join(10.0)
    queue.slots.cancel(first, 10.0)
    queue.join(10.0)
    assert queue.granted(10.0) == [0, 1, 2]


def test_waiters_whose_loop_is_gone_leave_the_queue(queue: Queue) -> None:
    for _ in range(5):
        queue.join(0.0)
    queue.gone = {2, 3}
    assert queue.slots.delay_seconds(queue.reservations[4], 0.0) == HELD
    assert queue.slots.delay_seconds(queue.reservations[4], HELD) == 0.0


def test_a_waiter_that_is_gone_gets_no_slot(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.gone = {2}
    queue.join(HELD)
    assert queue.granted(HELD) == [0, 1, 3, 4]


def test_it_knows_its_state(queue: Queue) -> None:
    for _ in range(3):
        queue.join(0.0)
    assert (queue.slots.limit, queue.slots.window, queue.slots.waiting) == (2, 2.0, 1)


def test_a_forgotten_slot_handed_back_frees_no_other(queue: Queue) -> None:
    first = queue.join(0.0)
    for _ in range(3):
        queue.join(10.0)
    queue.slots.cancel(first, 10.0)
    assert queue.granted(10.0)[1:] == [1, 2]


def test_a_forgotten_slot_can_be_handed_back_when_there_is_no_other(queue: Queue) -> None:
    first, second = queue.join(0.0), queue.join(10.0)
    queue.slots.cancel(second, 10.0)
    queue.slots.cancel(first, 10.0)
    queue.join(10.0)
    assert queue.granted(10.0)[-1] == 2


def test_memory_does_not_grow_with_the_number_of_requests() -> None:
    queue = Queue(limit=8)
    for number in range(500):
        queue.slots.release(queue.join(float(number)), float(number), ANSWERED)
    assert len(queue.slots._slots_free_at) <= 3


def test_the_head_of_the_queue_knows_when_and_the_others_wait_to_be_woken(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    assert queue.slots.delay_seconds(queue.reservations[2], 1.0) == HELD - 1.0
    assert queue.slots.delay_seconds(queue.reservations[3], 1.0) is None


def use_all(queue: Queue) -> None:
    """Eight requests, all answered at once, and one that waits for room."""
    for _ in range(9):
        queue.join(0.0)
    for number in queue.granted_by(0.75, since=0.0):
        queue.slots.release(queue.reservations[number], 0.0, ANSWERED)
    assert queue.granted(0.75) == list(range(8))


def test_after_the_whole_allowance_was_in_use_requests_come_evenly() -> None:
    queue = Queue(limit=8)
    use_all(queue)
    for _ in range(8):
        queue.join(1.0)
    assert queue.granted(1.875) == list(range(8))
    assert queue.granted(2.0) == list(range(8 + 3))
    assert queue.granted(2.25) == list(range(8 + 4))
    assert queue.granted(2.5) == list(range(8 + 5))


def test_one_window_after_there_was_room_again_half_may_come_at_once_again() -> None:
    queue = Queue(limit=8)
    use_all(queue)
    queue.slots.cancel(queue.reservations[8], 0.75)
    # There is room from 2.0 on.
    for _ in range(9):
        queue.join(3.75)
    assert len(queue.granted(3.75)) == 8 + 3
    assert len(queue.granted(4.0)) == 8 + 3 + 3


def test_who_waits_for_an_even_place_alone_uses_up_nothing() -> None:
    queue = Queue(limit=8)
    for _ in range(7):
        queue.join(0.0)
    assert queue.granted_by(0.5, since=0.0) == list(range(7))
    for reservation in queue.reservations:
        queue.slots.release(reservation, 0.5, ANSWERED)
    for _ in range(7):
        queue.join(2.5)
    assert queue.granted(2.5) == list(range(7 + 5))


def test_for_the_smallest_limits_half_is_less_than_two_places() -> None:
    queue = Queue(limit=3)
    for _ in range(4):
        queue.join(0.0)
    assert queue.granted_by(1.5, since=0.0) == [0, 1, 2]
    for number in range(3):
        queue.slots.release(queue.reservations[number], 0.0, ANSWERED)
    for _ in range(4):
        queue.join(2.0)
    # Room again, and still crowded: half a window ahead are two of the three.
    assert queue.granted(2.0) == [0, 1, 2, 3, 4]

"""What the limiter makes of the answers: the limit, and what others use of it."""

from __future__ import annotations

import pytest

from pipeflow.answers import RateLimit
from tests.limiting.queue import ANSWERED, Queue


def test_the_servers_limit_replaces_the_assumed_one(queue: Queue) -> None:
    for _ in range(5):
        queue.join(0.0)
    assert queue.granted(0.1) == [0, 1]
    queue.slots.release(queue.reservations[0], 0.1, RateLimit(limit=8, remaining=7))
    assert queue.slots.limit == 8
    assert queue.granted(0.5) == [0, 1, 2, 3, 4]


def test_a_higher_limit_brings_forward_what_was_spaced_for_a_lower_one() -> None:
    queue = Queue(limit=1, window=60.0)
    for _ in range(20):
        queue.join(0.0)
    queue.slots.release(queue.reservations[0], 0.1, RateLimit(limit=100, remaining=99))
    assert queue.granted(0.1) == list(range(20))


def test_a_lowered_limit_holds_for_those_who_wait() -> None:
    queue = Queue(limit=4)
    for _ in range(5):
        queue.join(0.0)
    assert queue.granted(1.0) == [0, 1, 2, 3]
    queue.slots.release(queue.reservations[0], 1.0, RateLimit(limit=2))
    assert queue.granted(2.4) == [0, 1, 2, 3]
    assert queue.granted(2.5) == [0, 1, 2, 3, 4]


def test_what_others_use_of_the_allowance_is_left_to_them() -> None:
    queue = Queue(limit=10)
    first = queue.join(0.0)
    queue.slots.release(first, 0.1, RateLimit(limit=10, remaining=2, reset_seconds=1.0))
    for _ in range(5):
        queue.join(0.1)
    assert queue.granted_by(0.6, since=0.1) == [0, 1, 2]
    assert queue.granted(1.0) == [0, 1, 2]
    assert queue.granted_by(1.9, since=1.1) == [0, 1, 2, 3, 4, 5]


def test_beside_others_requests_are_evenly_spaced() -> None:
    queue = Queue(limit=10)
    first = queue.join(0.0)
    queue.slots.release(first, 0.0, RateLimit(limit=10, remaining=8))
    for _ in range(4):
        queue.join(0.1)
    assert queue.granted(0.15) == [0]
    assert queue.granted(0.25) == [0, 1]
    assert queue.granted(0.4) == [0, 1]
    assert queue.granted(0.5) == [0, 1, 2]


def test_as_much_as_others_took_between_two_answers_is_kept_free() -> None:
    queue = Queue(limit=10)
    first, second = queue.join(0.0), queue.join(0.0)
    queue.slots.release(first, 0.1, RateLimit(limit=10, remaining=9))
    queue.slots.release(second, 0.2, RateLimit(limit=10, remaining=5))
    for _ in range(9):
        queue.join(0.2)
    now, granted = 0.2, []
    while now < 2.0:
        now += 0.01
        granted = queue.granted(now)
    # Three are others', and three more are kept free.
    assert granted == [0, 1, 2, 3]


def test_others_are_forgotten_when_nothing_is_seen_of_them_any_more() -> None:
    queue = Queue(limit=10)
    first = queue.join(0.0)
    queue.slots.release(first, 0.1, RateLimit(limit=10, remaining=2))
    for _ in range(4):
        queue.join(11.0)
    assert queue.granted(11.0) == [0, 1, 2, 3, 4]


def test_an_answer_from_before_a_slot_was_free_again_is_not_taken_for_others() -> None:
    queue = Queue(limit=4)
    first, second = queue.join(0.0), queue.join(0.0)
    queue.slots.release(first, 0.05, ANSWERED)
    queue.slots.release(second, 0.05, ANSWERED)
    third = queue.join(2.0)
    # The server counted all three; two have become free here while the answer was on its way.
    queue.slots.release(third, 2.1, RateLimit(limit=4, remaining=1))
    for _ in range(3):
        queue.join(2.1)
    assert queue.granted(2.1) == [0, 1, 2, 3, 4]


def test_an_answer_that_took_long_tells_nothing_of_others() -> None:
    queue = Queue(limit=4)
    first = queue.join(0.0)
    queue.slots.release(first, 0.6, RateLimit(limit=4, remaining=0))
    queue.join(0.6)
    assert queue.granted(0.6) == [0, 1]


def test_without_a_reset_others_are_expected_to_need_one_window(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.slots.release(first, 0.0, RateLimit(limit=2, remaining=0))
    second = queue.join(0.0)
    assert queue.slots.delay_seconds(second, 0.0) == 2.0


def test_a_reset_longer_than_the_window_is_not_believed(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.slots.release(first, 0.0, RateLimit(limit=2, remaining=0, reset_seconds=900.0))
    assert queue.slots.delay_seconds(queue.join(0.0), 0.0) == 2.0


def test_requests_under_way_are_not_taken_for_those_of_others() -> None:
    queue = Queue(limit=4)
    first, *_ = (queue.join(0.0) for _ in range(3))
    queue.slots.release(first, 0.1, RateLimit(limit=4, remaining=3))
    queue.join(0.1)
    assert queue.granted(0.6) == [0, 1, 2, 3]


# ---- the limit, to the second: a window of 2 s, and fractions that floats hold exactly


def test_a_raised_limit_moves_the_even_places_nearer() -> None:
    queue = Queue(limit=8)
    for _ in range(12):
        queue.join(0.0)
    assert queue.granted(0.0) == [0, 1, 2, 3, 4]
    # The next even place was 1.25, 0.75 s from the answer; now it is half as far.
    queue.slots.release(queue.reservations[0], 0.5, RateLimit(limit=16))
    assert queue.slots.limit == 16
    granted = queue.granted(0.5)
    assert granted == list(range(5 + 6))
    assert queue.slots.delay_seconds(queue.reservations[11], 0.5) == 0.125


def test_a_lowered_limit_moves_the_even_places_further_away() -> None:
    queue = Queue(limit=8)
    first, _ = queue.join(0.0), queue.join(0.0)
    queue.slots.release(first, 0.25, RateLimit(limit=4))
    assert queue.slots.limit == 4
    for _ in range(3):
        queue.join(0.25)
    assert queue.granted(0.25) == [0, 1, 2, 3]
    assert queue.slots.delay_seconds(queue.reservations[4], 0.25) == 2.0


# ---- how many are others': what the server has counted, less what it can have counted of ours


def left_to_us(queue: Queue, now: float) -> int:
    """How many more slots are granted before any that is held, or left to others, is free."""
    before = len(queue.granted(now))
    for _ in range(queue.slots.limit + 1):
        queue.join(now)
    return len(queue.granted_by(now + 1.25, since=now)) - before


@pytest.mark.parametrize("now", [0.0, 100.0])
def test_what_is_beyond_our_own_is_others(now: float) -> None:
    queue = Queue(limit=16)
    queue.slots.release(queue.join(now), now + 0.5, RateLimit(remaining=10))
    assert left_to_us(queue, now + 0.5) == 16 - 1 - 5


@pytest.mark.parametrize(("later", "others"), [(1, 5), (2, 5)])
def test_what_was_sent_later_is_not_counted_yet(later: int, others: int) -> None:
    queue = Queue(limit=16)
    first, *_ = (queue.join(0.0) for _ in range(1 + later))
    queue.slots.release(first, 0.25, RateLimit(remaining=10))
    assert left_to_us(queue, 0.25) == 16 - (1 + later) - others


@pytest.mark.parametrize("past", [1, 2])
def test_what_the_server_counts_no_more_is_not_taken_off(past: int) -> None:
    queue = Queue(limit=16)
    for _ in range(past):
        queue.slots.release(queue.join(0.0), 0.0, ANSWERED)
    last = queue.join(2.25)
    queue.slots.release(last, 2.375, RateLimit(remaining=10))
    assert left_to_us(queue, 2.375) == 16 - 1 - 5


@pytest.mark.parametrize("handed_back", [1, 2, 3])
def test_what_was_handed_back_is_not_taken_off(handed_back: int) -> None:
    queue = Queue(limit=16)
    first, *unused = (queue.join(0.0) for _ in range(1 + handed_back))
    for reservation in unused:
        queue.slots.cancel(reservation, 0.0)
    queue.slots.release(first, 0.25, RateLimit(remaining=10))
    # It cannot be told whether one of the six is ours, so all count as others'.
    assert left_to_us(queue, 0.25) == 16 - 1 - 6


def test_a_server_that_has_counted_less_than_we_sent_grants_nothing_more() -> None:
    queue = Queue(limit=8)
    for _ in range(2):
        queue.join(0.0)
    queue.slots.release(queue.reservations[1], 0.0, RateLimit(remaining=7))
    assert left_to_us(queue, 0.0) == 8 - 2


# ---- what is kept free for others, as they may come again before it is heard


def hear_of_others(queue: Queue, *, seconds_between: float = 0.25, remaining: int = 4) -> None:
    """Two answers, the second of which tells of others."""
    queue.slots.release(queue.join(0.0), 0.0, RateLimit(remaining=queue.slots.limit - 1))
    second = queue.join(seconds_between - 0.125)
    queue.slots.release(second, seconds_between, RateLimit(remaining=remaining))


@pytest.mark.parametrize(
    ("seconds_between", "reserve"), [(0.25, 4), (0.4375, 4), (0.5, 0), (0.625, 0), (3.0, 0)]
)
def test_only_what_came_in_a_quarter_of_a_window_is_kept_free_again(
    seconds_between: float, reserve: int
) -> None:
    queue = Queue(limit=16)
    queue.slots.release(queue.join(0.0), 0.0, RateLimit(remaining=15))
    second = queue.join(seconds_between - 0.125)
    ours = 2 if seconds_between < 2.0 else 1
    queue.slots.release(second, seconds_between, RateLimit(remaining=12 - ours))
    assert left_to_us(queue, seconds_between) == 16 - ours - 4 - reserve


def test_what_is_kept_free_is_what_came_beyond_what_was_known() -> None:
    queue = Queue(limit=16)
    first, second = queue.join(0.0), queue.join(0.0)
    queue.slots.release(first, 0.25, RateLimit(remaining=14))
    queue.slots.release(second, 0.375, RateLimit(remaining=10))
    # One was others' at first, and then four.
    assert left_to_us(queue, 0.375) == 16 - 2 - 4 - (4 - 1)


def test_no_more_is_kept_free_than_half_of_what_others_leave() -> None:
    queue = Queue(limit=16)
    hear_of_others(queue, remaining=4)
    assert left_to_us(queue, 0.25) == 16 - 2 - 10 - 3


def test_it_is_kept_free_for_ten_seconds() -> None:
    queue = Queue(limit=16)
    hear_of_others(queue, remaining=4)
    for _ in range(9):
        queue.join(8.5)
    assert len(queue.granted_by(9.5, since=8.5)) == 2 + 8
    assert queue.slots.delay_seconds(queue.reservations[-1], 10.0) == 0.25
    assert queue.slots.delay_seconds(queue.reservations[-1], 10.25) == 0.0


def test_beside_others_none_comes_before_its_even_place_for_ten_seconds() -> None:
    queue = Queue(limit=16)
    hear_of_others(queue, seconds_between=0.625, remaining=13)
    for _ in range(16):
        queue.join(10.5)
    assert len(queue.granted(10.5)) == 2 + 1
    assert len(queue.granted(10.625)) == 2 + 1 + 9


def test_when_somebody_else_sends_what_may_be_theirs_counts_as_theirs() -> None:
    queue = Queue(limit=16)
    hear_of_others(queue, remaining=9)
    third = queue.join(1.9375)
    assert queue.slots.delay_seconds(third, 1.9375) == 0.0
    # The first of our own is free again at 2 s, and the server may have counted it or not.
    queue.slots.release(third, 2.0625, RateLimit(remaining=10))
    # The second is free at 2.25, while these are granted.
    assert left_to_us(queue, 2.0625) == 16 - 1 - 4 - 5


def others_use_all(queue: Queue) -> None:
    """At 0.5, for two seconds: four of four, with two of ours beside them."""
    queue.slots.release(queue.join(0.0), 0.0, ANSWERED)
    second, *unused = (queue.join(0.25) for _ in range(3))
    for reservation in unused:
        queue.slots.cancel(reservation, 0.25)
    queue.slots.release(second, 0.5, RateLimit(remaining=0))


def test_where_others_use_all_none_of_ours_makes_room() -> None:
    queue = Queue(limit=4)
    others_use_all(queue)
    assert queue.slots.delay_seconds(queue.join(0.5), 0.5) == 2.0


def test_where_others_use_more_than_a_lowered_limit_none_of_ours_makes_room() -> None:
    queue = Queue(limit=4)
    others_use_all(queue)
    queue.slots.release(queue.reservations[1], 0.5, RateLimit(limit=2))
    assert queue.slots.delay_seconds(queue.join(0.5), 0.5) == 2.0


# ---- whose it is, when some of our requests have become free while the answer was on its way


def answer_beside_past_slots(queue: Queue, began: float, past: int, remaining: int) -> None:
    """An answer at `began` + 2.0625 to a request sent before as many others were free again."""
    for place in reversed(range(past)):
        queue.slots.release(queue.join(began - 0.125 * place), began, ANSWERED)
    last = queue.join(began + 1.9375)
    assert queue.slots.delay_seconds(last, began + 1.9375) == 0.0
    queue.slots.release(last, began + 2.0625, RateLimit(remaining=remaining))


def test_as_long_as_others_may_come_again_it_is_theirs_in_doubt() -> None:
    queue = Queue(limit=16)
    hear_of_others(queue, remaining=9)
    answer_beside_past_slots(queue, 5.0, past=3, remaining=12)
    # Three of the four used may be ours of before, or not. Five are kept free.
    assert left_to_us(queue, 7.0625) == 16 - 1 - 3 - 5


def test_when_others_are_first_heard_of_it_is_theirs_in_doubt() -> None:
    queue = Queue(limit=16)
    answer_beside_past_slots(queue, 5.0, past=1, remaining=6)
    assert left_to_us(queue, 7.0625) == 16 - 1 - 9


def test_beside_others_a_server_that_has_counted_less_than_we_sent_grants_nothing_more() -> None:
    queue = Queue(limit=16)
    hear_of_others(queue, remaining=9)
    answer_beside_past_slots(queue, 5.0, past=0, remaining=16)
    assert left_to_us(queue, 7.0625) == 16 - 1 - 5


@pytest.mark.parametrize("remaining", [12, 13])
def test_alone_it_is_ours_in_doubt(remaining: int) -> None:
    queue = Queue(limit=16)
    answer_beside_past_slots(queue, 5.0, past=3, remaining=remaining)
    assert left_to_us(queue, 7.0625) == 16 - 1


@pytest.mark.parametrize("handed_back", [1, 2])
def test_alone_what_was_handed_back_is_not_taken_off_either(handed_back: int) -> None:
    queue = Queue(limit=16)
    first, *unused = (queue.join(0.0) for _ in range(1 + handed_back))
    for reservation in unused:
        queue.slots.cancel(reservation, 0.0)
    queue.slots.release(first, 0.25, RateLimit(remaining=15))
    assert left_to_us(queue, 0.25) == 16 - 1 - 1


def test_alone_what_was_sent_later_is_not_counted_yet() -> None:
    queue = Queue(limit=16)
    first, *_ = (queue.join(0.0) for _ in range(3))
    queue.slots.release(first, 0.25, RateLimit(remaining=13))
    assert left_to_us(queue, 0.25) == 16 - 3 - 2

from __future__ import annotations

import pytest

from pipeflow.answers import RateLimit
from pipeflow.limiting import LONGEST_TRAVEL, BurstLimiter, Ticket

ANSWERED = RateLimit()
HELD = 2.0 + LONGEST_TRAVEL  # an unanswered request's slot, in a window of 2 s


class Queue:
    """A limiter, its tickets in order of arrival, and who was woken."""

    def __init__(self, limit: int = 2, window: float = 2.0) -> None:
        self.limiter = BurstLimiter(limit, window)
        self.tickets: list[Ticket] = []
        self.woken: list[int] = []
        self.gone: set[int] = set()
        self._counted = 0

    def join(self, now: float) -> Ticket:
        number = len(self.tickets)

        def wake() -> bool:
            self.woken.append(number)
            return number not in self.gone

        self.tickets.append(self.limiter.join(wake, now))
        return self.tickets[-1]

    def granted(self, now: float) -> list[int]:
        delays = [self.limiter.delay_seconds(ticket, now) for ticket in self.tickets]
        return [number for number, delay in enumerate(delays) if delay == 0.0]

    def granted_count(self, now: float) -> int:
        """How many were granted, first come first served."""
        for number in range(self._counted, len(self.tickets)):
            if self.limiter.delay_seconds(self.tickets[number], now) != 0.0:
                self._counted = number
                break
        else:
            self._counted = len(self.tickets)
        return self._counted


@pytest.fixture
def queue() -> Queue:
    return Queue()


def test_a_free_slot_is_granted_at_once(queue: Queue) -> None:
    assert queue.limiter.delay_seconds(queue.join(0.0), 0.0) == 0.0


def test_the_head_of_the_queue_knows_when_and_the_others_wait_to_be_woken(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    assert queue.limiter.delay_seconds(queue.tickets[2], 1.0) == HELD - 1.0
    assert queue.limiter.delay_seconds(queue.tickets[3], 1.0) is None


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
            queue.limiter.settle(queue.tickets[answered], now + 0.05, ANSWERED)
            answered += 1
    assert answered >= 0.95 * 400


def test_an_answered_request_counts_for_one_window_from_its_answer(queue: Queue) -> None:
    first, second, third = (queue.join(0.0) for _ in range(3))
    queue.limiter.settle(first, 0.1, ANSWERED)
    queue.limiter.settle(second, 0.2, ANSWERED)
    assert queue.limiter.delay_seconds(third, 0.2) == pytest.approx(1.9)
    assert queue.granted(2.1) == [0, 1, 2]


def test_a_request_without_an_answer_counts_as_if_it_were_long_on_its_way(queue: Queue) -> None:
    first, _, third = (queue.join(0.0) for _ in range(3))
    queue.limiter.settle(first, 0.01)
    assert queue.limiter.delay_seconds(third, 0.01) == pytest.approx(HELD - 0.01)


def test_a_late_answer_does_not_hold_its_slot_longer(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.join(0.0)
    third = queue.join(0.0)
    queue.limiter.settle(first, 2.4, ANSWERED)
    assert queue.limiter.delay_seconds(third, 2.5) == 0.0


def test_a_cancelled_waiter_gives_its_place_to_the_next(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.limiter.hand_back(queue.tickets[2], 0.0)
    queue.woken.clear()
    assert queue.limiter.delay_seconds(queue.tickets[3], 0.0) == HELD
    assert queue.limiter.delay_seconds(queue.tickets[3], HELD) == 0.0


def test_a_cancelled_waiter_wakes_the_new_head(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.woken.clear()
    queue.limiter.hand_back(queue.tickets[2], 0.0)
    assert queue.woken == [3]


def test_a_slot_handed_back_unused_is_granted_to_the_next_at_once(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.join(0.0)
    third = queue.join(0.0)
    queue.limiter.hand_back(first, 0.1)
    assert queue.limiter.delay_seconds(third, 0.1) == 0.0


def test_a_slot_handed_back_after_its_time_changes_nothing(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.limiter.hand_back(first, 10.0)
    for _ in range(3):
        queue.join(10.0)
    assert queue.granted(10.0)[-2:] == [1, 2]


def test_a_slot_that_is_long_forgotten_can_be_handed_back(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.join(10.0)
    queue.limiter.hand_back(first, 10.0)
    queue.join(10.0)
    assert queue.granted(10.0) == [0, 1, 2]


def test_the_servers_limit_replaces_the_assumed_one(queue: Queue) -> None:
    for _ in range(5):
        queue.join(0.0)
    assert queue.granted(0.1) == [0, 1]
    queue.limiter.settle(queue.tickets[0], 0.1, RateLimit(limit=8, remaining=7))
    assert queue.limiter.limit == 8
    assert queue.granted(0.5) == [0, 1, 2, 3, 4]


def test_a_higher_limit_brings_forward_what_was_spaced_for_a_lower_one() -> None:
    queue = Queue(limit=1, window=60.0)
    for _ in range(20):
        queue.join(0.0)
    queue.limiter.settle(queue.tickets[0], 0.1, RateLimit(limit=100, remaining=99))
    assert queue.granted(0.1) == list(range(20))


def test_a_lowered_limit_holds_for_those_who_wait() -> None:
    queue = Queue(limit=4)
    for _ in range(5):
        queue.join(0.0)
    assert queue.granted(1.0) == [0, 1, 2, 3]
    queue.limiter.settle(queue.tickets[0], 1.0, RateLimit(limit=2))
    assert queue.granted(2.4) == [0, 1, 2, 3]
    assert queue.granted(2.5) == [0, 1, 2, 3, 4]


def test_what_others_use_of_the_allowance_is_left_to_them() -> None:
    queue = Queue(limit=10)
    first = queue.join(0.0)
    queue.limiter.settle(first, 0.1, RateLimit(limit=10, remaining=2, reset_seconds=1.0))
    for _ in range(5):
        queue.join(0.1)
    assert queue.granted(0.3) == [0, 1, 2]
    assert queue.granted(1.0) == [0, 1, 2]
    assert queue.granted(1.2) == [0, 1, 2, 3, 4, 5]


def test_beside_others_requests_are_evenly_spaced() -> None:
    queue = Queue(limit=10)
    first = queue.join(0.0)
    queue.limiter.settle(first, 0.0, RateLimit(limit=10, remaining=8))
    for _ in range(4):
        queue.join(0.1)
    assert queue.granted(0.1) == [0, 1, 2]
    assert queue.granted(0.15) == [0, 1, 2]
    assert queue.granted(0.25) == [0, 1, 2, 3]
    assert queue.granted(0.45) == [0, 1, 2, 3, 4]


def test_as_much_as_others_took_between_two_answers_is_kept_free() -> None:
    queue = Queue(limit=10)
    first, second = queue.join(0.0), queue.join(0.0)
    queue.limiter.settle(first, 0.1, RateLimit(limit=10, remaining=9))
    queue.limiter.settle(second, 0.2, RateLimit(limit=10, remaining=5))
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
    queue.limiter.settle(first, 0.1, RateLimit(limit=10, remaining=2))
    for _ in range(4):
        queue.join(11.0)
    assert queue.granted(11.0) == [0, 1, 2, 3, 4]


def test_after_a_refusal_requests_are_spaced_before_they_come_at_once_again() -> None:
    queue = Queue(limit=10)
    queue.limiter.pause(0.0, 5.0)
    for _ in range(8):
        queue.join(0.0)
    assert queue.granted(5.0) == [0]
    assert queue.granted(5.11) == [0, 1]
    assert len(queue.granted(6.0)) == 7


def test_an_answer_from_before_a_slot_was_free_again_is_not_taken_for_others() -> None:
    queue = Queue(limit=4)
    first, second = queue.join(0.0), queue.join(0.0)
    queue.limiter.settle(first, 0.05, ANSWERED)
    queue.limiter.settle(second, 0.05, ANSWERED)
    third = queue.join(2.0)
    # The server counted all three; two have become free here while the answer was on its way.
    queue.limiter.settle(third, 2.1, RateLimit(limit=4, remaining=1))
    for _ in range(3):
        queue.join(2.1)
    assert queue.granted(2.1) == [0, 1, 2, 3, 4]


def test_an_answer_that_took_long_tells_nothing_of_others() -> None:
    queue = Queue(limit=4)
    first = queue.join(0.0)
    queue.limiter.settle(first, 0.6, RateLimit(limit=4, remaining=0))
    queue.join(0.6)
    assert queue.granted(0.6) == [0, 1]


def test_without_a_reset_others_are_expected_to_need_one_window(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.limiter.settle(first, 0.0, RateLimit(limit=2, remaining=0))
    second = queue.join(0.0)
    assert queue.limiter.delay_seconds(second, 0.0) == 2.0


def test_a_reset_longer_than_the_window_is_not_believed(queue: Queue) -> None:
    first = queue.join(0.0)
    queue.limiter.settle(first, 0.0, RateLimit(limit=2, remaining=0, reset_seconds=900.0))
    assert queue.limiter.delay_seconds(queue.join(0.0), 0.0) == 2.0


def test_requests_under_way_are_not_taken_for_those_of_others() -> None:
    queue = Queue(limit=4)
    first, *_ = (queue.join(0.0) for _ in range(3))
    queue.limiter.settle(first, 0.1, RateLimit(limit=4, remaining=3))
    queue.join(0.1)
    assert queue.granted(0.6) == [0, 1, 2, 3]


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


def test_waiters_whose_loop_is_gone_leave_the_queue(queue: Queue) -> None:
    for _ in range(5):
        queue.join(0.0)
    queue.gone = {2, 3}
    assert queue.limiter.delay_seconds(queue.tickets[4], 0.0) == HELD
    assert queue.limiter.delay_seconds(queue.tickets[4], HELD) == 0.0


def test_a_waiter_that_is_gone_gets_no_slot(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.gone = {2}
    queue.join(HELD)
    assert queue.granted(HELD) == [0, 1, 3, 4]


def test_a_block_wakes_all_who_wait_and_says_when_it_ends(queue: Queue) -> None:
    for _ in range(4):
        queue.join(0.0)
    queue.woken.clear()
    queue.limiter.block(1.0, 300.0)
    assert queue.woken == [2, 3]
    assert queue.limiter.blocked_seconds(101.0) == 200.0
    assert queue.limiter.blocked_seconds(400.0) == 0.0


@pytest.mark.parametrize(
    ("limit", "window", "named"),
    [(0, 2.0, "limit"), (1, 0.0, "window"), (1, float("nan"), "window")],
)
def test_values_out_of_bounds_are_named(limit: int, window: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        BurstLimiter(limit, window)


def test_it_shows_its_state(queue: Queue) -> None:
    for _ in range(3):
        queue.join(0.0)
    assert repr(queue.limiter) == "<BurstLimiter 2 per 2 s, 1 waiting>"
    assert (queue.limiter.limit, queue.limiter.window) == (2, 2.0)

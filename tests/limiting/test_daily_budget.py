"""Midnight, and the tokens that are kept for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeflow.errors import DailyBudgetExhaustedError
from pipeflow.limiting.daily_budget import REASK_AFTER, TokenReserve, seconds_until_midnight

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
FLOW = 40


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (NOON, 12 * 3600),
        (NOON + timedelta(hours=12), 24 * 3600),
        (datetime(2026, 3, 31, 23, 59, 59, 500_000, tzinfo=UTC), 0.5),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), 3600),
        (datetime(2026, 3, 30, 1, 0, tzinfo=timezone(timedelta(hours=3))), 2 * 3600),
    ],
)
def test_midnight_is_that_of_utc(now: datetime, seconds: float) -> None:
    assert seconds_until_midnight(now) == seconds


def request(reserve: TokenReserve, left: int | None, now: datetime = NOON) -> None:
    """One request from its beginning to its end."""
    reserve.check(FLOW, now)
    reserve.end(reserve.send(FLOW), FLOW, left, now)


def is_refused(reserve: TokenReserve, now: datetime = NOON) -> bool:
    try:
        reserve.check(FLOW, now)
    except DailyBudgetExhaustedError:
        return True
    return False


def test_it_stops_before_the_reserve_is_touched() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 1041)
    assert not is_refused(reserve)
    request(reserve, 1040)
    assert not is_refused(reserve)
    request(reserve, 1039)
    assert is_refused(reserve)


def test_a_cheaper_request_may_still_go() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 1020)
    assert is_refused(reserve)
    reserve.check(20, NOON)
    reserve.send(10)
    reserve.check(10, NOON)
    with pytest.raises(DailyBudgetExhaustedError):
        reserve.check(11, NOON)


def test_the_error_says_what_is_left_and_for_how_long() -> None:
    reserve = TokenReserve(5000)
    request(reserve, 4980)
    with pytest.raises(DailyBudgetExhaustedError, match=r"4,980 tokens .* keeps 5,000") as caught:
        reserve.check(FLOW, NOON)
    assert (caught.value.retry_after, caught.value.status) == (12 * 3600, 429)


def test_without_a_reserve_nothing_is_stopped() -> None:
    reserve = TokenReserve(None)
    request(reserve, 0)
    assert not is_refused(reserve)


def test_a_reserve_of_nothing_stops_where_a_request_could_not_be_paid() -> None:
    reserve = TokenReserve(0)
    request(reserve, 40)
    assert not is_refused(reserve)
    request(reserve, 39)
    assert is_refused(reserve)


def test_until_an_answer_tells_nothing_is_stopped() -> None:
    reserve = TokenReserve(10**9)
    request(reserve, None)
    assert not is_refused(reserve)


def test_what_is_under_way_counts_as_not_told_of() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 1120)
    reserve.send(FLOW)
    assert not is_refused(reserve)
    reserve.send(FLOW)
    assert not is_refused(reserve)
    reserve.send(FLOW)
    assert is_refused(reserve)


def test_an_attempt_that_told_nothing_may_have_been_counted() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 1080)
    request(reserve, None)
    assert not is_refused(reserve)
    request(reserve, None)
    assert is_refused(reserve)


def test_of_answers_in_any_order_the_lowest_counts() -> None:
    reserve = TokenReserve(1000)
    first, second, third = reserve.send(FLOW), reserve.send(FLOW), reserve.send(FLOW)
    reserve.end(third, FLOW, 1040, NOON)
    reserve.end(first, FLOW, 1000, NOON)
    reserve.end(second, FLOW, 1080, NOON)
    assert is_refused(reserve)


def test_an_answer_to_a_later_request_knows_better() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 1080)
    request(reserve, 30_000)
    for _ in range(5):
        reserve.send(FLOW)
    assert not is_refused(reserve)


def test_after_an_hour_one_request_may_ask_again() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 900)
    assert is_refused(reserve, NOON + REASK_AFTER - timedelta(seconds=1))
    later = NOON + REASK_AFTER
    assert not is_refused(reserve, later)
    asking = reserve.send(FLOW)
    assert is_refused(reserve, later)
    reserve.end(asking, FLOW, 860, later)
    assert is_refused(reserve, later)
    assert not is_refused(reserve, later + REASK_AFTER)


def test_after_midnight_one_request_may_ask() -> None:
    reserve = TokenReserve(1000)
    late = NOON + timedelta(hours=11, minutes=50)
    request(reserve, 900, late)
    assert is_refused(reserve, late + timedelta(minutes=9))
    assert not is_refused(reserve, late + timedelta(minutes=10))


def test_the_new_days_answer_opens_for_all() -> None:
    reserve = TokenReserve(1000)
    request(reserve, 900)
    request(reserve, 29_960, NOON + timedelta(hours=12))
    reserve.send(FLOW)
    assert not is_refused(reserve, NOON + timedelta(hours=12))

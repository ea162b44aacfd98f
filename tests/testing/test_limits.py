from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeflow.testing import Clock
from pipeflow.testing.gateway import Gateway
from pipeflow.testing.limits import DailyBudget, FixedWindow, RollingWindow


def test_a_rolling_window_grants_no_more_than_its_limit_in_any_two_seconds() -> None:
    window = RollingWindow(3, 2.0)
    times = [0.0, 1.5, 1.6, 1.9, 2.0, 3.4, 3.5]
    assert [window.use(1, now) for now in times] == [1, 1, 1, 0, 1, 0, 1]


def test_a_fixed_window_grants_its_limit_between_two_beats() -> None:
    window = FixedWindow(3, 2.0)
    times = [1.7, 1.8, 1.9, 1.95, 2.0, 2.1, 2.2, 3.9, 4.0]
    assert [window.use(1, now) for now in times] == [1, 1, 1, 0, 1, 1, 1, 0, 1]


@pytest.mark.parametrize("kind", [RollingWindow, FixedWindow])
def test_another_program_uses_what_is_left_and_no_more(
    kind: type[RollingWindow | FixedWindow],
) -> None:
    window = kind(10, 2.0)
    assert window.use(8, 0.0) == 8
    assert window.remaining(0.1) == 2
    assert window.use(8, 0.1) == 2
    assert window.remaining(0.1) == 0


@pytest.mark.parametrize("kind", [RollingWindow, FixedWindow])
def test_a_lowered_limit_counts_what_was_used_before(
    kind: type[RollingWindow | FixedWindow],
) -> None:
    window = kind(10, 2.0)
    window.use(6, 0.0)
    window.limit = 4
    assert window.remaining(0.1) == 0
    window.limit = 8
    assert window.remaining(0.1) == 2


def test_a_rolling_window_grows_again_when_its_oldest_request_leaves_it() -> None:
    window = RollingWindow(3, 2.0)
    assert window.seconds_left(0.0) == 2.0
    for now in (0.0, 0.5, 1.0):
        window.use(1, now)
    assert window.seconds_left(1.25) == 0.75
    assert window.seconds_left(2.25) == 0.25


def test_a_rolling_window_over_its_lowered_limit_takes_longer_to_grow() -> None:
    window = RollingWindow(3, 2.0)
    for now in (0.0, 0.5, 1.0):
        window.use(1, now)
    window.limit = 2
    assert window.seconds_left(1.0) == 1.5


def test_a_fixed_window_grows_again_at_the_next_beat() -> None:
    assert FixedWindow(3, 2.0).seconds_left(5.5) == 0.5


def test_the_headers_say_the_limit_what_remains_and_whole_seconds_left() -> None:
    gateway = Gateway(RollingWindow(5, 2.0))
    assert gateway.admit(0.0) is None
    assert gateway.headers(0.5) == {
        "x-ratelimit-limit": "5",
        "x-ratelimit-remaining": "4",
        "x-ratelimit-reset": "2",
    }


def test_the_daily_budget_has_headers_of_its_own() -> None:
    gateway = Gateway(RollingWindow(5, 2.0), daily=DailyBudget(100))
    gateway.admit(0.0)
    headers = gateway.headers(0.0)
    assert headers["x-daily-ratelimit-token-limit"] == "100"
    assert headers["x-daily-ratelimit-token-remaining"] == "60"


def test_a_budget_lowered_below_what_was_spent_leaves_nothing() -> None:
    gateway = Gateway(RollingWindow(5, 2.0), daily=DailyBudget(100))
    gateway.admit(0.0)
    gateway.daily.tokens = 10
    assert gateway.headers(0.0)["x-daily-ratelimit-token-remaining"] == "0"


def test_the_headers_can_be_missing() -> None:
    gateway = Gateway(RollingWindow(5, 2.0), daily=DailyBudget(100), announces_limits=False)
    assert gateway.headers(0.0) == {}


def statuses(gateway: Gateway, times: list[float]) -> list[int]:
    answers = [gateway.admit(now) for now in times]
    return [200 if answer is None else answer.status for answer in answers]


def test_going_on_after_many_refusals_leads_to_a_block() -> None:
    gateway = Gateway(RollingWindow(1, 2.0), block_after=2)
    assert statuses(gateway, [0, 0, 0, 0, 99]) == [200, 429, 429, 403, 403]
    gateway.blocked = False
    assert statuses(gateway, [100, 100]) == [200, 429]


def test_refusals_with_a_granted_request_between_do_not_add_up() -> None:
    gateway = Gateway(RollingWindow(1, 2.0), block_after=2)
    assert statuses(gateway, [0, 0, 2, 2, 4, 4]) == [200, 429, 200, 429, 200, 429]


def test_without_an_allowance_for_it_a_block_never_comes() -> None:
    gateway = Gateway(RollingWindow(1, 2.0))
    assert set(statuses(gateway, [0.0] * 1000)) == {200, 429}


def test_a_budget_that_is_too_small_for_one_more_request_refuses_it() -> None:
    gateway = Gateway(RollingWindow(9, 2.0), daily=DailyBudget(119), daily_retry_after=3939)
    assert statuses(gateway, [0.0, 0.0, 0.0]) == [200, 200, 429]
    refusal = gateway.admit(0.0)
    assert refusal is not None
    assert refusal.headers["Retry-After"] == "3939"
    assert gateway.burst.remaining(0.0) == 7


BEFORE_MIDNIGHT = datetime(2026, 11, 26, 23, 59, 0, 500_000, tzinfo=UTC)


def test_the_daily_budget_starts_anew_at_midnight() -> None:
    clock = Clock(BEFORE_MIDNIGHT, speed=0)
    gateway = Gateway(RollingWindow(99, 2.0), daily=DailyBudget(80), clock=clock)
    assert statuses(gateway, [0.0] * 3) == [200, 200, 429]
    clock.advance(59)
    assert statuses(gateway, [0.0]) == [429]
    clock.advance(1)
    assert gateway.headers(0.0)["x-daily-ratelimit-token-remaining"] == "80"
    assert statuses(gateway, [0.0] * 3) == [200, 200, 429]
    assert gateway.tokens_spent == 160


def test_its_refusal_can_say_when_that_is() -> None:
    gateway = Gateway(
        RollingWindow(99, 2.0),
        daily=DailyBudget(0),
        daily_retry_after="midnight",
        clock=Clock(BEFORE_MIDNIGHT, speed=0),
    )
    refusal = gateway.admit(0.0)
    assert refusal is not None
    assert refusal.headers["Retry-After"] == "60"


def test_a_request_that_the_burst_limit_refuses_costs_nothing_of_the_day() -> None:
    gateway = Gateway(RollingWindow(1, 2.0), daily=DailyBudget(100))
    assert statuses(gateway, [0.0, 0.0]) == [200, 429]
    assert gateway.headers(0.0)["x-daily-ratelimit-token-remaining"] == "60"


def test_what_is_taken_back_can_be_spent_again() -> None:
    gateway = Gateway(RollingWindow(9, 2.0), daily=DailyBudget(40))
    gateway.admit(0.0)
    gateway.refund(40)
    assert statuses(gateway, [0.0]) == [200]
    assert gateway.tokens_spent == 40


def test_a_cheaper_request_passes_where_a_dearer_one_does_not() -> None:
    gateway = Gateway(RollingWindow(9, 2.0), daily=DailyBudget(30))
    assert gateway.admit(0.0, cost=40) is not None
    assert gateway.admit(0.0, cost=20) is None
    assert gateway.admit(0.0, cost=10) is None
    assert gateway.admit(0.0, cost=10) is not None


def test_what_is_taken_back_after_midnight_does_not_give_more_than_there_is() -> None:
    clock = Clock(BEFORE_MIDNIGHT, speed=0)
    gateway = Gateway(RollingWindow(9, 2.0), daily=DailyBudget(40), clock=clock)
    gateway.admit(0.0)
    clock.advance(60)
    gateway.refund(40)
    assert statuses(gateway, [0.0, 0.0]) == [200, 429]

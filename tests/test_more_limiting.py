from __future__ import annotations

from pipeflow.limiting import BurstLimiter


def test_the_smallest_plan_is_assumed() -> None:
    assert (BurstLimiter().limit, BurstLimiter().window) == (20, 2.0)


def test_a_new_limiter_is_not_blocked() -> None:
    assert BurstLimiter().blocked_seconds(0.0) == 0.0

from __future__ import annotations

import pytest

from pipeflow.retrying import IDEMPOTENT_METHODS, RETRIED_STATUSES, RetryPolicy


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert RetryPolicy() == RetryPolicy(attempts=5, base_delay=0.5, max_delay=30.0, max_wait=60.0)


def test_only_what_another_try_may_better_is_retried() -> None:
    assert set(RETRIED_STATUSES) == {408, 425, 429, 500, 502, 503, 504}


def test_only_idempotent_methods_are_sent_twice() -> None:
    assert set(IDEMPOTENT_METHODS) == {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}


@pytest.mark.parametrize(("asked", "delay"), [(0.25, 0.25), (60.0, 60.0), (60.5, None)])
def test_an_asked_wait_is_kept_to_the_letter_or_not_at_all(
    asked: float, delay: float | None
) -> None:
    assert RetryPolicy().delay_seconds(1, asked, lambda: 0.5) == delay

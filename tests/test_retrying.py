from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow.answers import Answer
from pipeflow.retrying import (
    IDEMPOTENT_METHODS,
    RETRIED_STATUSES,
    RetryPolicy,
    is_null,
    is_worth_retrying,
    needs_body,
)

if TYPE_CHECKING:
    from tests.conftest import Wrong


def longest() -> float:
    return 1.0


def test_backoff_doubles_up_to_its_ceiling() -> None:
    policy = RetryPolicy(attempts=9, base_delay=0.5, max_delay=3.0)
    delays = [policy.delay_seconds(attempt, None, longest) for attempt in range(1, 9)]
    assert delays == [0.5, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0]


def test_the_jitter_is_full() -> None:
    policy = RetryPolicy(base_delay=1.0)
    assert policy.delay_seconds(2, None, lambda: 0.0) == 0.0
    assert policy.delay_seconds(2, None, lambda: 0.25) == 0.5


def test_attempts_counts_the_first_too() -> None:
    policy = RetryPolicy(attempts=3)
    assert policy.delay_seconds(2, None, longest) is not None
    assert policy.delay_seconds(3, None, longest) is None
    assert RetryPolicy(attempts=1).delay_seconds(1, None, longest) is None


def test_an_asked_wait_is_waited_in_full_or_not_at_all() -> None:
    policy = RetryPolicy(max_delay=1.0, max_wait=60.0)
    assert policy.delay_seconds(1, 60.0, longest) == 60.0
    assert policy.delay_seconds(1, 60.1, longest) is None


@pytest.mark.parametrize(
    ("argument", "value"),
    [("attempts", 0), ("base_delay", -1), ("max_delay", -0.1), ("max_wait", -1)],
)
def test_values_out_of_bounds_are_named(argument: str, value: Wrong) -> None:
    with pytest.raises(ValueError, match=argument):
        RetryPolicy(**{argument: value})


def test_attempts_is_a_whole_number() -> None:
    with pytest.raises(TypeError, match="attempts"):
        RetryPolicy(attempts=2.5)  # type: ignore[arg-type]


@given(
    attempt=st.integers(1, 10_000),
    base_delay=st.floats(0, 1e6),
    max_delay=st.floats(0, 1e6),
    drawn=st.floats(0, 1),
)
def test_backoff_stays_between_0_and_max_delay(
    attempt: int, base_delay: float, max_delay: float, drawn: float
) -> None:
    policy = RetryPolicy(base_delay=base_delay, max_delay=max_delay)
    assert 0 <= policy.backoff_seconds(attempt, lambda: drawn) <= max_delay


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert RetryPolicy() == RetryPolicy(attempts=5, base_delay=0.5, max_delay=30.0, max_wait=60.0)


def test_only_a_status_after_which_a_retry_may_succeed_is_retried() -> None:
    cloudflares = {520, 521, 522, 523, 524, 525, 526, 527, 529, 530}
    assert set(RETRIED_STATUSES) == {408, 425, 429, 500, 502, 503, 504} | cloudflares


def test_only_idempotent_methods_are_sent_twice() -> None:
    assert set(IDEMPOTENT_METHODS) == {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}


@pytest.mark.parametrize(("asked", "delay"), [(0.25, 0.25), (60.0, 60.0), (60.5, None)])
def test_an_asked_wait_is_kept_to_the_letter_or_not_at_all(
    asked: float, delay: float | None
) -> None:
    assert RetryPolicy().delay_seconds(1, asked, lambda: 0.5) == delay


@pytest.mark.parametrize(("attempt", "is_last"), [(4, False), (5, True), (6, True)])
def test_after_the_last_attempt_there_is_none(attempt: int, is_last: bool) -> None:  # noqa: FBT001 - pytest's way
    assert (RetryPolicy(attempts=5).delay_seconds(attempt, None, lambda: 0.5) is None) == is_last


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


@pytest.mark.parametrize("status", sorted(RETRIED_STATUSES))
def test_a_refusal_that_may_pass_is_worth_a_retry(status: int) -> None:
    assert is_worth_retrying(answer(status), NOW)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 410, 501])
def test_a_refusal_that_stays_is_not(status: int) -> None:
    assert not is_worth_retrying(answer(status), NOW)


def test_a_block_and_a_spent_budget_are_not() -> None:
    assert not is_worth_retrying(answer(429, b"error code: 1015"), NOW)
    assert not is_worth_retrying(answer(429, retry_after="3600"), NOW)
    assert is_worth_retrying(answer(429, retry_after="2"), NOW)


@pytest.mark.parametrize("body", [b"null", b" null\n", b'{"data": [{"id"', b'{"success": tr', b""])
def test_an_answer_that_breaks_off_or_is_null_is_worth_a_retry(body: bytes) -> None:
    assert is_worth_retrying(answer(200, body), NOW)


@pytest.mark.parametrize("body", [b"{}", b"nul!", b"<html>", b"[" * 100_000, b'{"data": null}'])
def test_an_answer_that_ends_is_not(body: bytes) -> None:
    assert not is_worth_retrying(answer(200, body), NOW)


def test_only_an_answer_that_succeeds_is_null() -> None:
    assert is_null(answer(200, b"null"))
    assert not is_null(answer(502, b"null"))


@pytest.mark.parametrize(
    ("method", "status", "content_type", "is_read"),
    [
        ("GET", 200, "application/json; charset=utf-8", True),
        ("GET", 200, " Application/Problem+JSON", True),
        ("GET", 200, "text/html", False),
        ("GET", 200, "", False),
        ("PUT", 200, "application/json", False),
        ("PUT", 503, "", True),
        ("GET", 404, "application/json", False),
        ("GET", 206, "application/json", False),
    ],
)
def test_only_what_may_be_retried_is_read(
    method: str, status: int, content_type: str, *, is_read: bool
) -> None:
    assert needs_body(method, status, content_type) is is_read

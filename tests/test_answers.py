from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow import errors
from pipeflow.answers import (
    HIGHEST_LIMIT,
    LONGEST_RESET,
    RateLimit,
    asked_wait_seconds,
    is_blocked,
    is_daily_budget_exhausted,
    read_rate_limit,
    refusal,
)
from pipeflow.errors import ApiError, ServerError

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
BURST = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}


def said(**answer: object) -> bytes:
    return json.dumps({"success": False, **answer}).encode()


def test_the_headers_of_an_answer_tell_its_limits() -> None:
    assert read_rate_limit(
        {
            "x-ratelimit-limit": "40",
            "x-ratelimit-remaining": "39",
            "x-ratelimit-reset": "2",
            "x-daily-ratelimit-token-limit": "30000",
            "x-daily-ratelimit-token-remaining": "29960",
        }
    ) == RateLimit(40, 39, 2.0, 30000, 29960)


def test_missing_headers_say_nothing() -> None:
    assert read_rate_limit({}) == RateLimit()


@pytest.mark.parametrize(
    "garbage", ["", "abc", "-1", "1e9", "nan", "inf", "0x10", "9" * 5000, "٣", "1,000", "1 2"]
)
def test_garbage_in_a_header_counts_as_not_said(garbage: str) -> None:
    headers = {
        "x-ratelimit-limit": garbage,
        "x-ratelimit-remaining": garbage,
        "x-ratelimit-reset": garbage,
    }
    assert read_rate_limit(headers) == RateLimit()


@pytest.mark.parametrize(
    ("limit", "kept"), [("0", None), ("1", 1), ("100000", 100000), ("100001", None)]
)
def test_an_implausible_limit_counts_as_not_said(limit: str, kept: int | None) -> None:
    assert read_rate_limit({"x-ratelimit-limit": limit}).limit == kept


def test_a_reset_that_is_an_epoch_counts_as_not_said() -> None:
    assert read_rate_limit({"x-ratelimit-reset": "1763899200"}).reset_seconds is None
    assert read_rate_limit({"x-ratelimit-reset": "86400"}).reset_seconds == 86400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "99999999999"}, 99999999999.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Monday, 23-Nov-26 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:07 -0000"}, 7.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, None),
        ({"retry-after": "Mon, 99 Nov 2026 11:00:00 GMT"}, None),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 09:00:07 GMT",
                "date": "Mon, 23 Nov 2026 09:00:00 GMT",
            },
            7.0,
        ),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert asked_wait_seconds(503, headers, NOW) == seconds


def test_the_reset_counts_for_a_429_alone() -> None:
    assert asked_wait_seconds(429, BURST, NOW) == 2.0
    assert asked_wait_seconds(503, BURST, NOW) is None


def test_retry_after_comes_before_the_reset() -> None:
    assert asked_wait_seconds(429, {**BURST, "retry-after": "9"}, NOW) == 9.0


@pytest.mark.parametrize(
    ("status", "headers", "body", "blocked"),
    [
        (403, {"content-type": "text/html; charset=UTF-8"}, b"", True),
        (403, {}, b"\n<!DOCTYPE html>", True),
        (403, {"content-type": "application/json"}, b"{}", False),
        (403, {}, b"", False),
        (502, {"content-type": "text/html"}, b"<html>", False),
    ],
)
def test_only_an_html_403_is_a_block(
    status: int, headers: dict[str, str], body: bytes, *, blocked: bool
) -> None:
    assert is_blocked(status, headers, body) is blocked


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, said(error="daily request budget exceeded", errorCode=429)),
        ({"x-daily-ratelimit-token-remaining": "0"}, b""),
        ({"x-daily-ratelimit-token-remaining": "39"}, b""),
        ({"x-ratelimit-remaining": "5"}, b""),
        ({"retry-after": "3939"}, b""),
        ({"x-ratelimit-reset": "3939"}, b""),
    ],
)
def test_each_sign_of_the_daily_budget_is_enough(headers: dict[str, str], body: bytes) -> None:
    assert is_daily_budget_exhausted(429, headers, body)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (429, {}, b""),
        (429, BURST, said(error="rate limit exceeded", errorCode=429)),
        (429, {**BURST, "retry-after": "600"}, b"not json"),
        (429, {"x-daily-ratelimit-token-remaining": "40"}, b"[]"),
        (200, {"x-daily-ratelimit-token-remaining": "0"}, said(error="daily")),
    ],
)
def test_a_burst_429_is_not_the_daily_one(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    assert not is_daily_budget_exhausted(status, headers, body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (402, errors.PaymentRequiredError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (410, errors.NotFoundError),
        (429, errors.RateLimitError),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (599, errors.ServerError),
        (418, errors.ApiError),
        (204, errors.ApiError),
        (301, errors.ApiError),
    ],
)
def test_the_status_decides_the_error(status: int, kind: type[errors.ApiError]) -> None:
    assert type(refusal(status, {}, b"")) is kind


def test_an_error_holds_all_that_the_server_said() -> None:
    error = refusal(
        404,
        {"x-correlation-id": "c-1"},
        said(error="Person not found", error_info="Look it up.", errorCode=404),
    )
    assert str(error) == "404 Person not found (Look it up.) [correlation id c-1]"
    assert (error.status, error.error, error.error_info) == (404, "Person not found", "Look it up.")
    assert (error.error_code, error.correlation_id) == (404, "c-1")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>", b"\xff", b"[" * 100_000, said(error=5, errorCode="x")]
)
def test_a_body_without_a_reason_is_no_obstacle(body: bytes) -> None:
    error = refusal(500, {}, body)
    assert str(error) == "500 without a reason"
    assert (error.error, error.error_info, error.error_code) == (None, None, None)


def test_a_burst_429_says_how_long_to_wait() -> None:
    error = refusal(429, BURST, said(error="rate limit exceeded"))
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after == 2.0
    assert "asks to wait 2 s" in str(error)


def test_a_daily_429_is_an_error_of_its_own() -> None:
    error = refusal(429, {"retry-after": "3939"}, said(error="daily request budget exceeded"))
    assert isinstance(error, errors.DailyBudgetExhaustedError)
    assert error.retry_after == 3939.0


def test_a_block_says_for_how_long_nothing_is_sent() -> None:
    error = refusal(403, {"content-type": "text/html"}, b"<html>", cooldown=300.0)
    assert isinstance(error, errors.BlockedError)
    assert error.retry_after == 300.0
    assert "300 s" in str(error)


def test_a_block_without_a_cooldown_says_nothing_of_it() -> None:
    assert "nothing is sent" not in str(refusal(403, {}, b"<html>"))


def test_a_redirect_is_named_as_one() -> None:
    assert "redirect" in str(refusal(302, {}, b""))


def test_a_reason_as_long_as_a_page_is_cut() -> None:
    assert len(str(refusal(500, {}, said(error="x" * 100_000)))) < 1000


@given(
    status=st.integers(201, 599),
    headers=st.dictionaries(
        st.sampled_from(
            ["retry-after", "date", "content-type", "x-ratelimit-limit", "x-ratelimit-remaining",
             "x-ratelimit-reset", "x-daily-ratelimit-token-remaining", "x-correlation-id"]
        ),
        st.text(max_size=40),
    ),
    body=st.binary(max_size=60),
)  # fmt: skip
def test_no_answer_whatever_breaks_the_reading(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    assert isinstance(refusal(status, headers, body), errors.ApiError)
    wait = asked_wait_seconds(status, headers, NOW)
    assert wait is None or wait > 0


HTML = {"content-type": "text/html"}


@pytest.mark.parametrize("status", [200, 402, 404, 502])
def test_a_page_with_another_status_is_no_block(status: int) -> None:
    assert not is_blocked(status, HTML, b"<html>")


@pytest.mark.parametrize(
    ("status", "is_redirect"), [(299, False), (300, True), (399, True), (400, False)]
)
def test_a_redirect_is_named_as_such(status: int, is_redirect: bool) -> None:  # noqa: FBT001 - pytest's way
    assert ("redirect" in str(refusal(status, {}, b""))) == is_redirect


@pytest.mark.parametrize(
    ("status", "kind"),
    [(499, ApiError), (500, ServerError), (501, ServerError), (599, ServerError)],
)
def test_the_servers_own_failures_begin_at_500(status: int, kind: type[ApiError]) -> None:
    assert type(refusal(status, {}, b"")) is kind


@pytest.mark.parametrize(
    ("said", "seconds"), [(f"{LONGEST_RESET:.0f}", LONGEST_RESET), ("86400.5", None)]
)
def test_a_reset_beyond_a_day_is_not_believed(said: str, seconds: float | None) -> None:
    assert read_rate_limit({"x-ratelimit-reset": said}).reset_seconds == seconds


@pytest.mark.parametrize(
    ("said", "limit"),
    [("0", None), ("1", 1), (str(HIGHEST_LIMIT), HIGHEST_LIMIT), (str(HIGHEST_LIMIT + 1), None)],
)
def test_a_limit_must_be_plausible(said: str, limit: int | None) -> None:
    assert read_rate_limit({"x-ratelimit-limit": said}).limit == limit


@pytest.mark.parametrize("length", [500, 501])
def test_a_reason_is_cut_where_it_stops_being_one(length: int) -> None:
    error = refusal(400, {}, b'{"error":"%b"}' % (b"x" * length))
    assert error.error == "x" * 500


@pytest.mark.parametrize(("seconds", "is_daily"), [("600", False), ("600.5", True), ("601", True)])
def test_a_wait_above_ten_minutes_means_the_day(seconds: str, is_daily: bool) -> None:  # noqa: FBT001 - pytest's way
    assert is_daily_budget_exhausted(429, {"retry-after": seconds}, b"") == is_daily


@pytest.mark.parametrize("status", [403, 408, 425, 503])
def test_a_reset_is_a_wait_after_a_429_alone(status: int) -> None:
    assert asked_wait_seconds(status, BURST, NOW) is None
    assert asked_wait_seconds(429, BURST, NOW) == 2.0


@pytest.mark.parametrize("status", [400, 428, 430, 503])
def test_only_a_429_can_mean_the_day(status: int) -> None:
    body = said(error="daily request budget exceeded")
    assert not is_daily_budget_exhausted(status, {}, body)


@pytest.mark.parametrize(("left", "is_daily"), [("39", True), ("40", False), ("41", False)])
def test_tokens_for_another_request_mean_the_burst(left: str, is_daily: bool) -> None:  # noqa: FBT001 - pytest's way
    headers = {**BURST, "x-daily-ratelimit-token-remaining": left}
    assert is_daily_budget_exhausted(429, headers, b"") == is_daily

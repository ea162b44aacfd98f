from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeflow.answers.headers import (
    HIGHEST_LIMIT,
    LONGEST_RESET,
    RateLimit,
    retry_after_seconds,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def test_the_headers_of_an_answer_tell_its_limits() -> None:
    assert RateLimit.from_headers(
        {
            "x-ratelimit-limit": "40",
            "x-ratelimit-remaining": "39",
            "x-ratelimit-reset": "2",
            "x-daily-ratelimit-token-limit": "30000",
            "x-daily-ratelimit-token-remaining": "29960",
        }
    ) == RateLimit(40, 39, 2.0, 30000, 29960)


def test_missing_headers_say_nothing() -> None:
    assert RateLimit.from_headers({}) == RateLimit()


@pytest.mark.parametrize(
    "garbage", ["", "abc", "-1", "1e9", "nan", "inf", "0x10", "9" * 5000, "٣", "1,000", "1 2"]
)
def test_garbage_in_a_header_counts_as_not_said(garbage: str) -> None:
    headers = {
        "x-ratelimit-limit": garbage,
        "x-ratelimit-remaining": garbage,
        "x-ratelimit-reset": garbage,
    }
    assert RateLimit.from_headers(headers) == RateLimit()


@pytest.mark.parametrize(
    ("said", "limit"),
    [("0", None), ("1", 1), (str(HIGHEST_LIMIT), HIGHEST_LIMIT), (str(HIGHEST_LIMIT + 1), None)],
)
def test_a_limit_must_be_plausible(said: str, limit: int | None) -> None:
    assert RateLimit.from_headers({"x-ratelimit-limit": said}).limit == limit


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("0", 0.0), (f"{LONGEST_RESET:.0f}", LONGEST_RESET), ("86400.5", None), ("1763899200", None)],
)
def test_a_reset_beyond_a_day_is_not_believed(said: str, seconds: float | None) -> None:
    assert RateLimit.from_headers({"x-ratelimit-reset": said}).reset_seconds == seconds


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
    assert retry_after_seconds(headers, NOW) == seconds

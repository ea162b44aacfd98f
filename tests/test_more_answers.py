from __future__ import annotations

import pytest

from pipeflow.answers import (
    HIGHEST_LIMIT,
    LONGEST_RESET,
    is_blocked,
    read_rate_limit,
    refusal,
)
from pipeflow.errors import ApiError, ServerError

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

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow import errors
from pipeflow.answers import Answer
from pipeflow.errors import ApiError, NotFoundError, ServerError
from pipeflow.testing.cloudflare import CLOUDFLARE_HEADERS, cloudflare_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeflow.testing.cloudflare import BlockForm

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
BURST = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}
HTML = {"content-type": "text/html; charset=UTF-8"}
FORMS: list[BlockForm] = ["html", "json", "problem", "text"]


def said(**document: object) -> bytes:
    return json.dumps({"success": False, **document}).encode()


def cloudflares(
    status: int, code: int, form: BlockForm, headers: Mapping[str, str] | None = None
) -> Answer:
    answer = cloudflare_answer(status, code, form)
    assert isinstance(answer.body, bytes)
    lower = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(status, {**lower, **CLOUDFLARE_HEADERS, **(headers or {})}, answer.body)


def refused(status: int, body: bytes = b"", **headers: str) -> ApiError:
    return Answer(status, {n.replace("_", "-"): v for n, v in headers.items()}, body).error(NOW)


# ---- waits


def test_the_reset_counts_for_a_burst_429_alone() -> None:
    assert Answer(429, BURST, b"").requested_wait(NOW) == 2.0
    for status in (403, 408, 425, 503):
        assert Answer(status, BURST, b"").requested_wait(NOW) is None
    assert Answer(429, BURST, said(error="daily budget")).requested_wait(NOW) is None
    assert cloudflares(429, 1015, "json", BURST).requested_wait(NOW) is None


def test_a_reset_of_nothing_asks_for_nothing() -> None:
    assert Answer(429, {"x-ratelimit-reset": "0"}, b"").requested_wait(NOW) is None


def test_retry_after_comes_before_the_reset() -> None:
    assert Answer(429, {**BURST, "retry-after": "9"}, b"").requested_wait(NOW) == 9.0
    assert Answer(503, {"retry-after": "9"}, b"").requested_wait(NOW) == 9.0


# ---- blocks


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("status", "code"), [(403, 1020), (403, 1006), (429, 1015)])
def test_cloudflares_block_is_known_in_every_form(status: int, code: int, form: BlockForm) -> None:
    answer = cloudflares(status, code, form)
    assert answer.is_block()
    assert not answer.is_daily_budget(NOW)
    assert type(answer.error(NOW)) is errors.BlockedError


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, HTML, b""),
        (403, {}, b"\n<!DOCTYPE html>"),
        (403, {}, b'{"error_code":1020}'),
        (403, {}, b'{"status":403,"cloudflare_error":true}'),
        (403, {}, b"error code: 1020\n"),
        (429, HTML, b"<title>Cloudflare</title>"),
    ],
)
def test_a_block_is_known_by_little(status: int, headers: dict[str, str], body: bytes) -> None:
    assert Answer(status, headers, body).is_block()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {}, b""),
        (403, {}, b"{}"),
        (403, {}, b"forbidden"),
        (403, dict(CLOUDFLARE_HEADERS), said(error="Scope and URL mismatch", errorCode=403)),
        (403, {}, said(error_code=1020, cloudflare_error=True)),
        (403, {}, b'{"title":"Forbidden","detail":"Not yours.","error_code":403}'),
        (403, {}, b'{"error_code":"1020","cloudflare_error":"true"}'),
        (403, {}, b"error code: 403"),
        (403, {}, b"error code: 1020 and more"),
        (429, dict(CLOUDFLARE_HEADERS), said(error="request over limit")),
        (429, HTML, b"<html>slow down</html>"),
        (200, HTML, b"<html>"),
        (404, HTML, b"<html>"),
        (502, HTML, b"<html>"),
        (530, {}, b"error code: 1016"),
    ],
)
def test_other_answers_are_no_block(status: int, headers: dict[str, str], body: bytes) -> None:
    assert not Answer(status, headers, body).is_block()


def test_a_block_says_for_how_long_nothing_is_sent() -> None:
    error = cloudflares(403, 1020, "html").error(NOW, cooldown=300.0)
    assert isinstance(error, errors.BlockedError)
    assert error.retry_after == 300.0
    assert str(error) == "403: Cloudflare blocks this client; nothing is sent for 300 s"


def test_a_block_that_says_for_how_long_is_believed() -> None:
    answer = cloudflares(429, 1015, "json", {"retry-after": "30"})
    assert answer.requested_wait(NOW) == 30.0
    error = answer.error(NOW, cooldown=300.0)
    assert isinstance(error, errors.BlockedError)
    assert (error.status, error.retry_after) == (429, 30.0)
    assert "30 s" in str(error)


def test_a_block_without_a_cooldown_says_nothing_of_it() -> None:
    error = cloudflares(403, 1020, "html").error(NOW)
    assert isinstance(error, errors.BlockedError)
    assert error.retry_after is None
    assert "nothing is sent" not in str(error)


def test_a_failure_of_cloudflares_own_is_the_servers() -> None:
    error = cloudflares(520, 520, "json").error(NOW)
    assert type(error) is ServerError
    assert error.error_code == 520


# ---- the daily budget


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, said(error="daily request budget exceeded", errorCode=429)),
        ({}, said(error="refused", error_info="The Daily budget is spent.")),
        ({}, b'{"message":"daily quota"}'),
        ({"x-daily-ratelimit-token-remaining": "0"}, b""),
        ({"x-daily-ratelimit-token-remaining": "39"}, b""),
        ({"x-ratelimit-remaining": "5"}, b""),
        ({"retry-after": "3939"}, b""),
        ({"retry-after": "600.5"}, b""),
        ({"x-ratelimit-reset": "3939"}, b""),
    ],
)
def test_each_sign_of_the_daily_budget_is_enough(headers: dict[str, str], body: bytes) -> None:
    assert Answer(429, headers, body).is_daily_budget(NOW)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (429, {}, b""),
        (429, BURST, said(error="rate limit exceeded", errorCode=429)),
        (429, {**BURST, "retry-after": "600"}, b"not json"),
        (429, {"x-daily-ratelimit-token-remaining": "40"}, b"[]"),
        (200, {"x-daily-ratelimit-token-remaining": "0"}, said(error="daily")),
        (400, {}, said(error="daily request budget exceeded")),
        (428, {}, said(error="daily request budget exceeded")),
        (503, {}, said(error="daily request budget exceeded")),
    ],
)
def test_other_answers_are_not_the_daily_one(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    assert not Answer(status, headers, body).is_daily_budget(NOW)


def test_a_daily_429_is_an_error_of_its_own() -> None:
    error = refused(429, said(error="daily request budget exceeded"), retry_after="3939")
    assert isinstance(error, errors.DailyBudgetExhaustedError)
    assert error.retry_after == 3939.0
    assert str(error) == (
        "429 daily request budget exceeded: the company's tokens of this day are used up; "
        "the server asks to wait 3939 s"
    )


def test_the_day_does_not_begin_anew_with_the_burst_window() -> None:
    error = Answer(429, BURST, said(error="daily request budget exceeded")).error(NOW)
    assert isinstance(error, errors.DailyBudgetExhaustedError)
    assert error.retry_after is None


def test_a_burst_429_says_how_long_to_wait() -> None:
    error = Answer(429, BURST, said(error="rate limit exceeded")).error(NOW)
    assert type(error) is errors.RateLimitError
    assert error.retry_after == 2.0
    assert "asks to wait 2 s" in str(error)


# ---- errors


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, errors.ApiError),
        (301, errors.ApiError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (402, errors.PaymentRequiredError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (410, errors.NotFoundError),
        (418, errors.ApiError),
        (429, errors.RateLimitError),
        (499, errors.ApiError),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_the_status_decides_the_error(status: int, kind: type[errors.ApiError]) -> None:
    assert type(refused(status)) is kind


def test_an_error_holds_all_that_the_server_said() -> None:
    body = said(error="Person not found", error_info="Look it up.", errorCode=404)
    error = refused(404, body, x_correlation_id="c-1")
    assert str(error) == "404 Person not found (Look it up.) [correlation id c-1]"
    assert (error.status, error.error, error.error_info) == (404, "Person not found", "Look it up.")
    assert (error.error_code, error.correlation_id) == (404, "c-1")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>", b"\xff", b"[" * 100_000, said(error=5, errorCode="")]
)
def test_a_body_without_a_reason_is_no_obstacle(body: bytes) -> None:
    error = refused(500, body)
    assert str(error) == "500 without a reason"
    assert (error.error, error.error_info, error.error_code) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "is_redirect"), [(299, False), (300, True), (399, True), (400, False)]
)
def test_a_redirect_is_named_as_such(status: int, *, is_redirect: bool) -> None:
    assert ("redirect" in str(refused(status))) == is_redirect


@pytest.mark.parametrize(
    ("body", "missing_record", "hint"),
    [
        (said(error="Person not found"), True, ""),
        (b'{"message":"Deal not found"}', True, ""),
        (said(error="Not found"), False, "either there is no such record, or base_url is wrong"),
        (b'{"message":"Not found"}', False, "either there is no such record, or"),
        (said(error="Unknown method ."), False, "nothing at this address; check base_url"),
        (b"<html>404</html>", False, "nothing at this address; check base_url"),
        (b"404 page not found", False, "nothing at this address; check base_url"),
        (b"", False, "nothing at this address; check base_url"),
    ],
)
def test_an_unknown_address_is_not_an_unknown_person(
    body: bytes, *, missing_record: bool, hint: str
) -> None:
    error = refused(404, body)
    assert isinstance(error, NotFoundError)
    assert error.missing_record == missing_record
    assert hint in str(error)
    assert ("base_url" in str(error)) == bool(hint)


def test_what_is_gone_was_there() -> None:
    error = refused(410)
    assert isinstance(error, NotFoundError)
    assert error.missing_record
    assert str(error) == "410 without a reason"


def test_the_json_of_an_answer_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    decode = msgspec.json.decode

    def noted(body: bytes) -> object:
        parsed.append(body)
        return decode(body)

    monkeypatch.setattr(msgspec.json, "decode", noted)
    answer = Answer(429, BURST, said(error="request over limit"))
    assert not answer.is_block()
    assert answer.requested_wait(NOW) == 2.0
    assert not answer.is_daily_budget(NOW)
    answer.error(NOW)
    assert len(parsed) == 1


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
    answer = Answer(status, headers, body)
    assert isinstance(answer.error(NOW), errors.ApiError)
    wait = answer.requested_wait(NOW)
    assert wait is None or wait > 0

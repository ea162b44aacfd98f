from __future__ import annotations

import logging

import pytest

from pipeflow.observing import (
    AttemptEnded,
    LimitWaited,
    LogObserver,
    RequestDetails,
    RequestSent,
    RetryScheduled,
    SendingStopped,
)
from pipeflow.observing.log import LONG_WAIT


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "pipeflow")
    return caplog


def only(log: pytest.LogCaptureFixture) -> tuple[str, str]:
    (record,) = log.records
    assert record.name == "pipeflow"
    return record.levelname, record.getMessage()


def test_an_attempt_is_debug(sent: RequestSent, log: pytest.LogCaptureFixture) -> None:
    LogObserver().attempt_ended(AttemptEnded(sent=sent, seconds=0.12345, status=200, tokens=40))
    assert only(log) == (
        "DEBUG",
        "GET /api/v1/persons/1101/flow: 200 in 0.123 s (attempt 1, 40 tokens)",
    )


def test_an_attempt_without_an_answer_names_the_error(
    sent: RequestSent, log: pytest.LogCaptureFixture
) -> None:
    LogObserver().attempt_ended(AttemptEnded(sent=sent, seconds=30.0, error="TimeoutError"))
    assert only(log)[1].startswith("GET /api/v1/persons/1101/flow: TimeoutError in 30.000 s")


@pytest.mark.parametrize(
    ("status", "error", "named"), [(503, None, "503"), (None, "ClientOSError", "ClientOSError")]
)
def test_a_retry_is_info(
    status: int | None,
    error: str | None,
    named: str,
    request_details: RequestDetails,
    log: pytest.LogCaptureFixture,
) -> None:
    LogObserver().retry_scheduled(
        RetryScheduled(request=request_details, attempt=2, delay=0.5, status=status, error=error)
    )
    assert only(log) == (
        "INFO",
        f"GET /api/v1/persons/1101/flow: {named} in attempt 2; it is sent again in 0.50 s",
    )


@pytest.mark.parametrize(("seconds", "level"), [(LONG_WAIT, "DEBUG"), (LONG_WAIT + 0.1, "INFO")])
def test_a_long_wait_is_info(
    seconds: float, level: str, request_details: RequestDetails, log: pytest.LogCaptureFixture
) -> None:
    LogObserver().limit_waited(LimitWaited(request=request_details, seconds=seconds))
    assert only(log) == (
        level,
        f"GET /api/v1/persons/1101/flow: waited {seconds:.2f} s for the burst limit",
    )


def test_that_sending_stops_is_a_warning(log: pytest.LogCaptureFixture) -> None:
    LogObserver().sending_stopped(SendingStopped(reason="cloudflare", seconds=300.0))
    assert only(log) == ("WARNING", "nothing is sent for 300 s: Cloudflare blocks this client")


def test_without_a_configured_log_nothing_is_written_to_stderr() -> None:
    handlers = logging.getLogger("pipeflow").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from pipeflow import errors
from pipeflow.errors import ApiError, DecodeError, PipeflowError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: list[type[PipeflowError]] = [getattr(errors, name) for name in errors.__all__]


def make(kind: type[PipeflowError]) -> PipeflowError:
    if issubclass(kind, ApiError):
        error: PipeflowError = kind(
            "message",
            status=418,
            error="no",
            error_info="info",
            error_code=7,
            correlation_id="c-1",
            resume_start=40,
        )
    else:
        error = kind("message", resume_start=40)
    error.add_note("a note")
    return error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_every_error_survives_pickling_and_copying(
    kind: type[PipeflowError], copied: Callable[[PipeflowError], PipeflowError]
) -> None:
    error = make(kind)
    twin = copied(error)
    assert type(twin) is kind
    assert str(twin) == "message"
    assert vars(twin) == vars(error)
    assert twin.__notes__ == ["a note"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_pipeflow_error_drawn_in_the_tree(kind: type[PipeflowError]) -> None:
    assert issubclass(kind, PipeflowError)
    assert kind.__name__ in str(errors.__doc__)


def test_a_timeout_is_also_pythons_own() -> None:
    assert issubclass(errors.RequestTimeoutError, TimeoutError)
    assert issubclass(errors.RequestTimeoutError, errors.TransportError)


def test_the_daily_budget_is_a_kind_of_rate_limit() -> None:
    error = errors.DailyBudgetExhaustedError("m", status=429, retry_after=3939.0)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 3939.0


def test_a_decode_error_says_where() -> None:
    assert DecodeError("m").path == "$"
    assert DecodeError("m", path="$.data[3]").path == "$.data[3]"

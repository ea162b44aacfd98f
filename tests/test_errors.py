from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from pipeflow import errors
from pipeflow.errors import (
    ApiError,
    BlockedError,
    DecodeError,
    FlowsFailed,
    InvalidIdError,
    PipeflowError,
    RateLimitError,
    ServerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: list[type[PipeflowError]] = [
    getattr(errors, name) for name in errors.__all__ if name != "FlowsFailed"
]


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


def test_an_invalid_id_is_also_pythons_own() -> None:
    assert issubclass(InvalidIdError, ValueError)


# ---- the account of a walk over many


def an_account() -> FlowsFailed:
    failure = ServerError("no", status=500, resume_start=4)
    failure.owner_id = 7
    block = BlockedError("blocked", status=403)
    return FlowsFailed(
        "1 of 2 persons failed",
        [failure, block],
        failures=[failure],
        failure_count=3,
        stopped_by=block,
        begun=2,
        unfinished={8: 500},
    )


@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_account_survives_pickling_and_copying(
    copied: Callable[[FlowsFailed], FlowsFailed],
) -> None:
    account = an_account()
    account.add_note("a note")
    twin = copied(account)
    assert type(twin) is FlowsFailed
    assert str(twin) == "1 of 2 persons failed (2 sub-exceptions)"
    assert twin.failures == twin.exceptions[:1]
    assert twin.stopped_by is twin.exceptions[1]
    assert (twin.failure_count, twin.begun, twin.unfinished) == (3, 2, {8: 500})
    assert twin.failures[0].owner_id == 7
    assert twin.__notes__ == ["a note"]


def test_a_part_of_an_account_is_the_same_account() -> None:
    account = an_account()
    blocked, rest = account.split(BlockedError)
    for part, exceptions in ((blocked, account.exceptions[1:]), (rest, account.exceptions[:1])):
        assert isinstance(part, FlowsFailed)
        assert part.exceptions == exceptions
        assert {**vars(part)} == {**vars(account)}


def test_an_account_can_be_made_of_errors_alone() -> None:
    account = FlowsFailed("message", [KeyError()])
    assert (account.failures, account.failure_count, account.stopped_by) == ((), 0, None)
    assert (account.begun, account.unfinished) == (0, {})
    account.unfinished[1] = 0
    assert FlowsFailed("message", [KeyError()]).unfinished == {}


def test_what_remains_is_the_unfinished_and_what_was_not_begun() -> None:
    assert list(an_account().remaining([7, 8, 9, (10, 5)])) == [(8, 500), 9, (10, 5)]
    assert list(FlowsFailed("message", [KeyError()]).remaining(range(1, 3))) == [1, 2]

"""What each error means for a watch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    BlockedError,
    CheckpointLostError,
    DailyBudgetExhaustedError,
    DecodeError,
    NotFoundError,
    PaginationError,
    PaymentRequiredError,
    PermissionDeniedError,
    PipeflowError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)
from pipeflow.watching.faults import (
    BUDGET_CHECK,
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    Action,
    Decision,
    decide,
)
from pipeflow.watching.plan import WatchPlan

if TYPE_CHECKING:
    from tests.conftest import Wrong

RETRY = Decision(Action.RETRY, FIRST_BACKOFF)
RAISE = Decision(Action.RAISE)
DROP = Decision(Action.DROP)

PASSING = [
    TransportError("made up"),
    RequestTimeoutError("made up"),
    ServerError("made up", status=503),
    RateLimitError("made up", status=429),
]
FOR_EVER = [
    AuthenticationError("made up", status=401),
    PaymentRequiredError("made up", status=402),
    ApiError("made up", status=301),
    ApiError("made up", status=399),
]
OF_ONE = [
    PermissionDeniedError("made up", status=403),
    BadRequestError("made up", status=400),
    ApiError("made up", status=418),
    ApiError("made up", status=299),
    DecodeError("made up"),
    PaginationError("made up"),
]


async def decided(error: PipeflowError, *, failures: int = 1, **plan: Wrong) -> Decision:
    return await decide(error, 7, WatchPlan(**plan), failures=failures)


def name(error: PipeflowError) -> str:
    return f"{type(error).__name__} {getattr(error, 'status', '')}".strip()


@pytest.mark.parametrize("error", PASSING, ids=name)
async def test_what_passes_is_retried_and_nobody_is_asked(error: PipeflowError) -> None:
    def never(owner_id: int, error: PipeflowError) -> Wrong:
        raise AssertionError

    assert await decided(error, on_error=never) == RETRY


@pytest.mark.parametrize("error", FOR_EVER, ids=name)
async def test_what_never_passes_is_raised_and_nobody_is_asked(error: PipeflowError) -> None:
    assert await decided(error, on_error=lambda *_: "continue") == RAISE


@pytest.mark.parametrize("error", OF_ONE, ids=name)
@pytest.mark.parametrize(
    ("verdict", "decision"), [("continue", RETRY), ("drop", DROP), ("raise", RAISE)]
)
async def test_what_concerns_one_is_decided_by_on_error(
    error: PipeflowError, verdict: str, decision: Decision
) -> None:
    asked = []

    def on_error(owner_id: int, told: PipeflowError) -> Wrong:
        asked.append((owner_id, told))
        return verdict

    async def later(owner_id: int, told: PipeflowError) -> Wrong:
        await asyncio.sleep(0)
        return on_error(owner_id, told)

    assert await decided(error, on_error=on_error) == decision
    assert await decided(error, on_error=later) == decision
    assert asked == [(7, error)] * 2


@pytest.mark.parametrize("error", OF_ONE, ids=name)
async def test_what_concerns_one_is_retried_by_default(error: PipeflowError) -> None:
    assert await decided(error) == RETRY


@pytest.mark.parametrize("verdict", [None, "stop", True])
async def test_another_verdict_is_refused(verdict: object) -> None:
    with pytest.raises(ValueError, match="'continue', 'drop' or 'raise', not"):
        await decided(DecodeError("made up"), on_error=lambda *_: verdict)


async def test_who_is_missing_is_dropped_from_many_and_ends_a_watch_of_one() -> None:
    missing = NotFoundError("made up", status=404)
    assert await decided(missing) == DROP
    assert await decided(missing, raises_missing=True) == RAISE
    assert await decided(missing, raises_missing=True, on_error=lambda *_: "drop") == DROP


@pytest.mark.parametrize(
    ("on_lost", "decision"),
    [
        ("raise", RAISE),
        ("latest", Decision(Action.START_ANEW)),
        ("replay", Decision(Action.START_ANEW)),
    ],
)
async def test_a_lost_checkpoint_is_for_on_lost(on_lost: str, decision: Decision) -> None:
    assert await decided(CheckpointLostError("made up"), on_lost=on_lost) == decision


async def test_a_lost_checkpoint_that_is_raised_can_be_answered() -> None:
    lost = CheckpointLostError("made up")
    assert await decided(lost, on_error=lambda *_: "drop") == DROP


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(42.0, 42.0), (None, LONGEST_BACKOFF), (0.0, LONGEST_BACKOFF)]
)
async def test_a_block_pauses_everybody_to_its_end(
    retry_after: float | None, seconds: float
) -> None:
    blocked = BlockedError("made up", status=403, retry_after=retry_after)
    assert await decided(blocked) == Decision(Action.PAUSE, seconds)


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(42.0, 42.0), (None, BUDGET_CHECK), (50_000.0, BUDGET_CHECK)]
)
async def test_a_spent_budget_is_waited_for_and_asked_about_now_and_then(
    retry_after: float | None, seconds: float
) -> None:
    spent = DailyBudgetExhaustedError("made up", status=429, retry_after=retry_after)
    assert await decided(spent) == Decision(Action.PAUSE, seconds)
    assert await decided(spent, on_budget="raise") == RAISE


@pytest.mark.parametrize(
    ("failures", "interval", "seconds"),
    [
        (1, 60.0, 5.0),
        (2, 60.0, 10.0),
        (6, 60.0, 160.0),
        (7, 60.0, 300.0),
        (10_000, 60.0, 300.0),
        (7, 3600.0, 320.0),
        (10_000, 3600.0, 3600.0),
    ],
)
async def test_waits_double_up_to_the_longest(
    failures: int, interval: float, seconds: float
) -> None:
    decision = await decided(TransportError("made up"), failures=failures, interval=interval)
    assert decision == Decision(Action.RETRY, seconds)

"""What a failed poll means for a watch: wait, go on, or end."""

from __future__ import annotations

import inspect
from enum import Enum, auto
from typing import TYPE_CHECKING

from attrs import frozen

from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    BlockedError,
    CheckpointLostError,
    DailyBudgetExhaustedError,
    NotFoundError,
    PaymentRequiredError,
    PipeflowError,
    RateLimitError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from pipeflow.watching.plan import Verdict, WatchPlan

__all__ = ["Action", "Decision", "decide"]

FIRST_BACKOFF = 5.0
"""Seconds until an owner whose poll failed is polled again; doubled with each further failure."""

LONGEST_BACKOFF = 300.0
"""Seconds between two polls of an owner whose polls fail, unless `interval` is longer."""

BUDGET_CHECK = 900.0
"""Seconds after which a watch asks whether a spent daily budget has started anew, at the latest."""

_OF_THE_ACCOUNT = (AuthenticationError, PaymentRequiredError, DailyBudgetExhaustedError)
_PASSING = (TransportError, ServerError, RateLimitError)


class Action(Enum):
    """What a watch does after a poll has failed.

    Attributes:
        RETRY: Poll this owner again later.
        PAUSE: Poll nobody for a while.
        DROP: Watch this owner no more.
        START_ANEW: Give the lost checkpoint up, as `on_lost` says.
        RAISE: Raise the error where the loop waits.
    """

    RETRY = auto()
    PAUSE = auto()
    DROP = auto()
    START_ANEW = auto()
    RAISE = auto()


@frozen
class Decision:
    """An action, and the seconds until the owner is polled again."""

    action: Action
    seconds: float = 0.0


async def decide(
    error: PipeflowError, owner_id: int, plan: WatchPlan, *, failures: int
) -> Decision:
    """What to do about an error.

    What passes is retried for ever, what never will is raised at once, and what concerns one owner
    alone is for `on_error` to say.

    Args:
        error: Why the poll failed.
        owner_id: Whose poll it was.
        plan: What the watch was asked to do.
        failures: How many polls of this owner have failed in a row, this one included.
    """
    if isinstance(error, BlockedError):
        return Decision(Action.PAUSE, error.retry_after or LONGEST_BACKOFF)
    if isinstance(error, DailyBudgetExhaustedError) and plan.on_budget == "wait":
        return Decision(Action.PAUSE, min(error.retry_after or BUDGET_CHECK, BUDGET_CHECK))
    if isinstance(error, CheckpointLostError) and plan.on_lost != "raise":
        return Decision(Action.START_ANEW)
    if isinstance(error, _OF_THE_ACCOUNT) or _is_redirect(error):
        return Decision(Action.RAISE)
    longest = max(LONGEST_BACKOFF, plan.interval)
    retry = Decision(Action.RETRY, min(longest, FIRST_BACKOFF * 2.0 ** min(failures - 1, 30)))
    if isinstance(error, _PASSING):
        return retry
    verdict = await _verdict(error, owner_id, plan)
    others: dict[Verdict, Decision] = {
        "raise": Decision(Action.RAISE),
        "drop": Decision(Action.DROP),
    }
    return others.get(verdict, retry)


async def _verdict(error: PipeflowError, owner_id: int, plan: WatchPlan) -> Verdict:
    if plan.on_error is not None:
        answer = plan.on_error(owner_id, error)
        verdict = await answer if inspect.isawaitable(answer) else answer
        if verdict not in {"continue", "drop", "raise"}:
            raise ValueError(f"on_error must return 'continue', 'drop' or 'raise', not {verdict!r}")
        return verdict
    if isinstance(error, CheckpointLostError):
        return "raise"
    if isinstance(error, NotFoundError):
        return "raise" if plan.raises_missing else "drop"
    return "continue"


def _is_redirect(error: PipeflowError) -> bool:
    """Whether the address is wrong, which does not pass."""
    return isinstance(error, ApiError) and 300 <= error.status < 400

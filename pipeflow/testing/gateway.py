"""Who is let through to the API: the burst limit, the daily budget and Cloudflare's block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from attrs import define, field

from pipeflow.testing.answers import Answer, error_answer
from pipeflow.testing.clock import Clock
from pipeflow.testing.cloudflare import accepted_form, cloudflare_answer
from pipeflow.testing.limits import DailyBudget

if TYPE_CHECKING:
    from pipeflow.testing.limits import BurstWindow

__all__ = ["Gateway"]


@define
class Gateway:
    """The limits of one token.

    For the burst limit the time is an argument, seconds of any monotonic clock; days go by
    `clock`.
    """

    burst: BurstWindow
    daily: DailyBudget = field(factory=DailyBudget)
    daily_retry_after: int | Literal["midnight"] | None = None
    block_after: int | None = None
    announces_limits: bool = True
    clock: Clock = field(factory=Clock)
    blocked: bool = False
    tokens_spent: int = field(default=0, init=False)
    _refusals_in_a_row: int = field(default=0, init=False)

    def admit(self, now: float, *, cost: int = 40, accept: str = "*/*") -> Answer | None:
        """Count a request that comes at `now`: None lets it through, an answer turns it away.

        Args:
            now: The time.
            cost: The tokens that the request costs.
            accept: The forms of an answer that the client accepts.
        """
        if self.blocked:
            return cloudflare_answer(403, 1020, accepted_form(accept))
        today = self.clock.now()
        if not self.daily.use(cost, today):
            until = self.daily_retry_after
            wait = math.ceil(self.daily.seconds_left(today)) if until == "midnight" else until
            return self._refuse("daily request budget exceeded", wait)
        if not self.burst.use(1, now):
            self.daily.refund(cost, today)
            return self._refuse("request over limit", None)
        self._refusals_in_a_row = 0
        self.tokens_spent += cost
        return None

    def refund(self, cost: int) -> None:
        """Take back the price of a request that was turned away after all, by a fault."""
        self.tokens_spent -= cost
        self.daily.refund(cost, self.clock.now())

    def _refuse(self, error: str, retry_after: int | None) -> Answer:
        self._refusals_in_a_row += 1
        self.blocked = self._refusals_in_a_row == self.block_after
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return error_answer(429, error, error_info=None, headers=headers)

    def headers(self, now: float) -> dict[str, str]:
        """What every answer says about the limits. `x-ratelimit-reset` is in seconds left."""
        if not self.announces_limits:
            return {}
        said = {
            "x-ratelimit-limit": str(self.burst.limit),
            "x-ratelimit-remaining": str(self.burst.remaining(now)),
            "x-ratelimit-reset": str(math.ceil(self.burst.seconds_left(now))),
        }
        left = self.daily.remaining(self.clock.now())
        if left is not None:
            said["x-daily-ratelimit-token-limit"] = str(self.daily.tokens)
            said["x-daily-ratelimit-token-remaining"] = str(left)
        return said

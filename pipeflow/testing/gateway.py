"""Who is let through to the API: the burst limit, the daily budget and Cloudflare's block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from attrs import define, field

from pipeflow.testing.answers import Answer, error_answer
from pipeflow.testing.cloudflare import accepted_form, cloudflare_answer

if TYPE_CHECKING:
    from pipeflow.testing.limits import BurstWindow

__all__ = ["TOKENS_PER_REQUEST", "Gateway"]

TOKENS_PER_REQUEST: Final = 40
"""What a flow request costs of the daily budget, whatever its `limit`."""


@define
class Gateway:
    """The limits of one token. The time is an argument: seconds of any monotonic clock."""

    burst: BurstWindow
    daily_budget: int | None = None
    daily_retry_after: int | None = None
    block_after: int | None = None
    announces_limits: bool = True
    blocked: bool = False
    tokens_spent: int = field(default=0, init=False)
    _refusals_in_a_row: int = field(default=0, init=False)

    def admit(self, now: float, accept: str = "*/*") -> Answer | None:
        """Count a request that comes at `now`: None lets it through, an answer turns it away."""
        if self.blocked:
            return cloudflare_answer(403, 1020, accepted_form(accept))
        if self.daily_budget is not None and (
            self.tokens_spent + TOKENS_PER_REQUEST > self.daily_budget
        ):
            return self._refuse("daily request budget exceeded", self.daily_retry_after)
        if not self.burst.use(1, now):
            return self._refuse("request over limit", None)
        self._refusals_in_a_row = 0
        self.tokens_spent += TOKENS_PER_REQUEST
        return None

    def refund(self) -> None:
        """Take back the price of a request that was turned away after all, by a fault."""
        self.tokens_spent -= TOKENS_PER_REQUEST

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
        if self.daily_budget is not None:
            left = max(0, self.daily_budget - self.tokens_spent)
            said["x-daily-ratelimit-token-limit"] = str(self.daily_budget)
            said["x-daily-ratelimit-token-remaining"] = str(left)
        return said

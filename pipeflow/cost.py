"""What it costs to keep an eye on persons, in requests and tokens: arithmetic, before you start.

Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from attrs import define, field, frozen

from pipeflow.answers import REQUEST_TOKENS
from pipeflow.arguments import plain_int, seconds, whole_number
from pipeflow.limiting.daily_budget import seconds_until_midnight

__all__ = ["DAY", "PLANS", "DailyShare", "WatchCost", "daily_tokens", "request_tokens"]

DAY = 86_400.0
"""Seconds."""

_BASE_TOKENS = 30_000

PLANS: dict[str, int] = {"Lite": 1, "Growth": 2, "Premium": 5, "Ultimate": 7}
"""Pipedrive's plans and the multipliers of their daily budgets."""


def daily_tokens(plan: str = "Lite", seats: int = 1) -> int:
    """The tokens that a company may spend a day: 30,000 for each seat, times the plan's multiplier.

    Raises:
        ValueError: There is no such plan.
    """
    if plan not in PLANS:
        raise ValueError(f"there is no plan {plan!r}; the plans are {', '.join(PLANS)}")
    return _BASE_TOKENS * PLANS[plan] * seats


def request_tokens(path: str) -> int:
    """The tokens that a request costs, by its path: a flow 40, a v1 list 20, a v2 list 10."""
    if path.endswith("/flow"):
        return REQUEST_TOKENS
    return 10 if "/v2/" in path else 20


@frozen(kw_only=True)
class WatchCost:
    """What a watch costs a day while nothing happens; each poll that finds news costs little more.

    ```python
    from pipeflow.cost import WatchCost, daily_tokens

    cost = WatchCost(owners=1, interval=300.0)
    assert cost.tokens == 288 * 40
    assert cost.share_of(daily_tokens("Lite")) < 0.5
    ```

    Attributes:
        owners: How many persons, deals or organizations are watched.
        interval: Seconds from the start of one poll of an owner to the start of the next.
        deep_interval: Seconds between two deep looks; None means that there are none.
        deep_pages: Requests of one deep look: the updates of an average history / 500, at least 1.
    """

    owners: int = field(default=1, converter=plain_int, validator=whole_number(least=0))
    interval: float = field(default=300.0, validator=seconds())
    deep_interval: float | None = DAY
    deep_pages: int = field(default=1, converter=plain_int, validator=whole_number(least=1))

    @property
    def requests(self) -> int:
        """Requests a day."""
        polls = DAY / self.interval
        # A deep look takes the place of a poll.
        deep_looks = 0.0 if self.deep_interval is None else min(polls, DAY / self.deep_interval)
        return round(self.owners * (polls + deep_looks * (self.deep_pages - 1)))

    @property
    def tokens(self) -> int:
        """Tokens a day, 40 for each request. With OAuth requests cost none."""
        return self.requests * REQUEST_TOKENS

    def share_of(self, tokens: int) -> float:
        """The share of a day's tokens that this is; above 1 it cannot be done."""
        return self.tokens / tokens


@define
class DailyShare:
    """Keeps whatever polls to its share of the tokens that a day has left.

    Attributes:
        share: The part of them that may be spent here, from 0 to 1.
        spent: Tokens spent here so far on `day`.
        day: The day, in UTC, that `spent` is of.
    """

    share: float
    spent: int = 0
    day: date | None = None

    def spend(self, tokens: int, now: datetime) -> None:
        """Counts tokens that were spent."""
        self._begin_day(now)
        self.spent += tokens

    def interval(
        self, interval: float, *, owners: int, tokens_left: int | None, now: datetime
    ) -> float:
        """The interval at which no more than the share is spent until the day ends.

        Args:
            interval: Seconds; what was asked for, and the least that comes back.
            owners: How many are polled, one request each.
            tokens_left: Tokens left today, as the last answer said; None when none did.
            now: The aware time.
        """
        self._begin_day(now)
        if tokens_left is None or not owners:
            return interval
        allowed = (tokens_left + self.spent) * self.share - self.spent
        seconds_left = seconds_until_midnight(now)
        polls = max(allowed / REQUEST_TOKENS, owners)  # or wait for the next day
        return max(interval, owners * seconds_left / polls)

    def _begin_day(self, now: datetime) -> None:
        day = now.astimezone(UTC).date()
        if day != self.day:
            self.day, self.spent = day, 0

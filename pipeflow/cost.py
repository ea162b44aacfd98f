"""What it costs to keep an eye on persons, in requests and tokens: arithmetic, before you start.

Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`).
"""

from __future__ import annotations

from attrs import field, frozen

from pipeflow.answers import REQUEST_TOKENS
from pipeflow.arguments import plain_int, seconds, whole_number

__all__ = ["DAY", "PLANS", "WatchCost", "daily_tokens", "slowed_interval"]

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


@frozen(kw_only=True)
class WatchCost:
    """What a watch costs a day while nothing happens; each poll that finds news costs little more.

    ```python
    from pipeflow.cost import WatchCost, daily_tokens

    cost = WatchCost(owners=1, interval=300.0)
    assert cost.tokens == 288 * 40 + 40
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
        deep_looks = 0.0 if self.deep_interval is None else DAY / self.deep_interval
        return round(self.owners * (polls + deep_looks * self.deep_pages))

    @property
    def tokens(self) -> int:
        """Tokens a day, 40 for each request. With OAuth requests cost none."""
        return self.requests * REQUEST_TOKENS

    def share_of(self, tokens: int) -> float:
        """The share of a day's tokens that this is; above 1 it cannot be done."""
        return self.tokens / tokens


def slowed_interval(
    interval: float, *, owners: int, tokens_left: int | None, seconds_left: float, share: float
) -> float:
    """The interval at which a watch takes no more than its share of what is left of the day.

    Args:
        interval: Seconds; what was asked for.
        owners: How many are watched.
        tokens_left: Tokens left today, as the last answer said; None when none did.
        seconds_left: Seconds until the day's budget starts anew.
        share: The part of `tokens_left` that the watch may take, from 0 to 1.
    """
    if tokens_left is None or not owners:
        return interval
    polls = tokens_left * share / REQUEST_TOKENS
    if polls < 1:
        return max(interval, seconds_left)
    return max(interval, owners * seconds_left / polls)

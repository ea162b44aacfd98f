"""Blocks, in which no request is sent at all. Arithmetic only; the time is an argument."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define

from pipeflow.errors import BlockedError, DailyBudgetExhaustedError, RateLimitError

if TYPE_CHECKING:
    from pipeflow.errors import ApiError
    from pipeflow.observing.events import BlockReason

__all__ = ["PROBE_INTERVAL", "Block", "DailyBlock", "block_error"]

PROBE_INTERVAL = 900.0
"""Seconds between two requests that ask whether the day's budget is there again. A 429 costs no
tokens, and four an hour are far from what makes Cloudflare block a client."""


@define
class Block:
    """Nothing is sent until a moment. Further blocks extend it and never shorten it."""

    until: float = -math.inf

    def begin(self, now: float, seconds: float) -> None:
        """Sends nothing for so many seconds."""
        self.until = max(self.until, now + seconds)

    def seconds_left(self, now: float) -> float:
        """Seconds until it ends, 0.0 without a block."""
        return max(0.0, self.until - now)


@define
class DailyBlock:
    """The day's budget is used up until a moment, as far as is known.

    That moment may be a guess, so now and then one request, the *probe*, asks.
    """

    until: float = -math.inf
    _next_probe_at: float = -math.inf
    _probe: int = 0  # counts probes and blocks, so that an old probe's answer lifts no newer block

    def begin(self, now: float, seconds: float) -> None:
        """The server has just said no: the newest word counts."""
        self.until = now + seconds
        self._next_probe_at = now + PROBE_INTERVAL
        self._probe += 1

    def seconds_left(self, now: float) -> float:
        """Seconds until it ends, 0.0 without a block."""
        return max(0.0, self.until - now)

    def take_probe(self, now: float) -> int | None:
        """The number of a probe that may be sent now; None if it is too early, or no block."""
        if now >= self.until or now < self._next_probe_at:
            return None
        self._next_probe_at = now + PROBE_INTERVAL
        self._probe += 1
        return self._probe

    def give_probe_back(self, probe: int) -> None:
        """The probe was not sent: the next request is one."""
        if probe == self._probe:
            self._next_probe_at = -math.inf

    def lift(self, probe: int) -> None:
        """The probe was answered: unless a block has begun since, this one is over."""
        if probe == self._probe:
            self.until = -math.inf


def block_error(reason: BlockReason, seconds: float) -> ApiError:
    """The error for a request that is not sent, because a block ends in so many seconds only."""
    if reason == "cloudflare":
        return BlockedError(
            f"nothing was sent: Cloudflare has blocked this client, and the block ends in "
            f"{seconds:.0f} s",
            status=403,
            retry_after=seconds,
        )
    if reason == "daily_budget":
        return DailyBudgetExhaustedError(
            "nothing was sent: the company's tokens of this day are used up, and there will be new "
            f"ones in {seconds:.0f} s",
            status=429,
            retry_after=seconds,
        )
    return RateLimitError(
        "nothing was sent: after a 429 the server asked to wait longer than max_wait, and "
        f"{seconds:.0f} s of it are left",
        status=429,
        retry_after=seconds,
    )

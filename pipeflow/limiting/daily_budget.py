"""The tokens of the day: when there are new ones, and how many are kept for others."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from pipeflow.errors import DailyBudgetExhaustedError

__all__ = ["TokenReserve", "seconds_until_midnight"]

REASK_AFTER = timedelta(hours=1)
"""What an answer told of the tokens left counts for so long. Then one request may ask again: the
day may have begun anew, for Pipedrive does not publish in which time zone it does."""


def seconds_until_midnight(now: datetime) -> float:
    """Seconds until the next midnight in UTC, when new tokens are assumed.

    Pipedrive's guide says that the budget starts anew at midnight of the server, but not in which
    time zone. Source: "Rate limiting" (`core-api-concepts-rate-limiting`).
    """
    return (_next_midnight(now) - now).total_seconds()


def _next_midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


class TokenReserve:
    """Stops before the last tokens of the day are spent, by what the answers told.

    Requests that are under way count as if no answer had told of them yet. Until an answer tells
    how many tokens are left, nothing is stopped.

    Args:
        tokens: How many tokens of the day to leave for others; None stops nothing.
    """

    def __init__(self, tokens: int | None) -> None:
        self._tokens = tokens
        self._left: int | None = None
        self._ask_at = datetime.min.replace(tzinfo=UTC)
        self._sent = 0
        self._sent_when_told = 0
        self._under_way = 0  # tokens

    def check(self, cost: int, now: datetime) -> None:
        """Refuses a request that would spend tokens of the reserve.

        Args:
            cost: What the request costs, in tokens.
            now: The aware local time.

        Raises:
            DailyBudgetExhaustedError: It would.
        """
        if self._tokens is None or self._left is None:
            return
        if now >= self._ask_at and not self._under_way:
            return
        if self._left - self._under_way - cost < self._tokens:
            seconds = seconds_until_midnight(now)
            raise DailyBudgetExhaustedError(
                f"nothing was sent: {self._left:,} tokens are left of this day, and reserve_tokens "
                f"keeps {self._tokens:,} of them; there will be new ones in {seconds:.0f} s",
                status=429,
                retry_after=seconds,
            )

    def send(self, cost: int) -> int:
        """A request is sent; gives its number, to be passed to `end`."""
        self._sent += 1
        self._under_way += cost
        return self._sent

    def end(self, number: int, cost: int, daily_remaining: int | None, now: datetime) -> None:
        """The request with this number is over.

        Args:
            number: What `send` gave.
            cost: What `send` was given.
            daily_remaining: The tokens left of the day by its answer, or None if none told.
            now: The aware local time.
        """
        self._under_way -= cost
        self._ask_at = min(now + REASK_AFTER, _next_midnight(now))
        if daily_remaining is None:
            if self._left is not None:
                self._left -= cost  # it may have been counted
            return
        # The server may have answered requests that were under way together in any order: the
        # lowest counts. One that was sent after the last word was heard knows better.
        if self._left is None or number > self._sent_when_told:
            self._left = daily_remaining
            self._sent_when_told = self._sent
        else:
            self._left = min(self._left, daily_remaining)

"""How long an access token is used, and when to look for the next: arithmetic alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Lifetime"]

_AHEAD: Final = 300.0
"""Seconds before its end that a token is refreshed, at least; up to twice as many with jitter, so
that many processes do not come at once."""

_MARGIN: Final = 10.0
"""Seconds before its end that a token is no longer sent: it must still hold when it arrives."""

_LONGEST: Final = 86_400.0
"""Seconds. More than this is trusted to nobody's wall clock: the token is looked at again."""


@frozen
class Lifetime:
    """The rest of a token's life, in seconds of a monotonic clock.

    A monotonic clock does not jump. One that stood still while the machine slept leaves a token
    that has expired, and the 401 brings a new one.

    Attributes:
        refresh_at: From here on the next token is looked for, while this one is still used.
        ends_at: From here on it is no longer used.
    """

    refresh_at: float
    ends_at: float

    @classmethod
    def until(cls, expires_at: datetime, *, now: datetime, clock: float, random: float) -> Lifetime:
        """The rest of a life that ends at a time of the wall clock.

        Args:
            expires_at: The end.
            now: The wall clock's time.
            clock: The monotonic clock's time.
            random: From 0 to 1, for the jitter.
        """
        left = min((expires_at - now).total_seconds(), _LONGEST)
        ahead = min(_AHEAD, left / 4) * (1 + random)
        return cls(
            refresh_at=clock + left - ahead,
            ends_at=clock + left - min(_MARGIN, left / 10),
        )

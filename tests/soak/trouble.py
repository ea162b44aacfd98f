"""Every fault of the soak test by name, drawn with the chance of a seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from pipeflow.testing import (
    BadGateway,
    ClampPages,
    Disconnect,
    Headers,
    InvalidJson,
    MissingNextStart,
    NullBody,
    Outage,
    Reset,
    Stall,
    Status,
    TooManyRequests,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from pipeflow.testing import Fault

__all__ = ["TROUBLE"]

if TYPE_CHECKING:
    Draw = Callable[[Random], Fault]

LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
GARBAGE = ("", "many", "-1", "0x10", "1e9", "NaN", "9" * 400, "٣")


def _at(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def _rarely(chance: Random) -> bool:
    # A session waits as long as it is asked to, and all its walks with it.
    return chance.random() < 0.1


def _garbage(chance: Random) -> dict[str, str | None]:
    return {name: chance.choice(GARBAGE).encode().decode("latin-1") for name in LIMIT_HEADERS}


_ABSENT: Mapping[str, str | None] = dict.fromkeys(LIMIT_HEADERS)

TROUBLE: Mapping[str, Draw] = {
    "connection refused": lambda chance: Outage(0.03),
    "reset before the answer": lambda chance: Reset(),
    "reset during the answer": lambda chance: Reset(after=chance.randrange(80)),
    "closed before the answer": lambda chance: Disconnect(),
    "stalled header": lambda chance: Stall(),
    "stalled body": lambda chance: Stall(after=chance.randrange(80)),
    "truncated body": lambda chance: Disconnect(after=chance.randrange(80)),
    "truncated chunks": lambda chance: Disconnect(after=chance.randrange(80), chunked=True),
    "invalid JSON": lambda chance: InvalidJson(),
    "200 with null": lambda chance: NullBody(),
    "HTML 502": lambda chance: BadGateway(),
    "429, seconds": lambda chance: TooManyRequests("1" if _rarely(chance) else "0"),
    "429, a date": lambda chance: TooManyRequests(_at(1.0 if _rarely(chance) else 0.0)),
    "429, a date in the past": lambda chance: TooManyRequests(_at(-3600.0)),
    "429, nothing said": lambda chance: TooManyRequests(None, _ABSENT),
    "429, negative": lambda chance: TooManyRequests("-5"),
    # A number that can be read would be the budget of the day, which ends every walk there is.
    "429, absurd": lambda chance: TooManyRequests(chance.choice(["1e9", "soon", "9" * 400])),
    "429, garbage": lambda chance: TooManyRequests(None, _garbage(chance)),
    "x-ratelimit-* absent": lambda chance: Headers(_ABSENT),
    "x-ratelimit-* garbage": lambda chance: Headers(_garbage(chance)),
    "500": lambda chance: Status(500),
    "503": lambda chance: Status(503),
    "504": lambda chance: Status(504),
    "504 without a body": lambda chance: Status(504, b""),
    "clamped pages": lambda chance: ClampPages(chance.choice([10, 25, 60, 500])),
    "missing next_start": lambda chance: MissingNextStart(),
}
"""What goes wrong with one request."""

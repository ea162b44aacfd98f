"""What a session has done so far, in numbers."""

from __future__ import annotations

from attrs import define

__all__ = ["SessionStats"]


@define
class SessionStats:
    """Counters of one session, which only grow. They may be set to 0 at any time.

    Attributes:
        requests: Requests sent, every try counted.
        retries: Those of them that were not the first try.
        waited_seconds: Seconds spent waiting for the burst limit and between tries, added up over
            all walks.
        tokens: Tokens spent of the company's daily budget: 40 for every request that was answered
            and not refused (401, 403, 429).
        updates: Updates yielded or returned.
    """

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    tokens: int = 0
    updates: int = 0

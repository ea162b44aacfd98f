"""What every request of a session passes, put together in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow.cookies import keep_cookies_out
from pipeflow.middleware.auth import AuthMiddleware, RefreshMiddleware
from pipeflow.middleware.observe import ObserverMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import ClientMiddlewareType

    from pipeflow.credentials import Credential
    from pipeflow.middleware.attempt import AttemptMiddleware
    from pipeflow.middleware.rate_limit import RateLimitMiddleware
    from pipeflow.middleware.retry import RetryMiddleware
    from pipeflow.observing import Observer

__all__ = ["Stack"]


class Stack:
    """The middlewares of one session.

    From the outside in, and why:

    - the retry, of which each walk has its own: each attempt passes all that follows anew, the
      limit too;
    - the refresh of the credential: it holds no place in the limit, and sends once more through it;
    - the limit;
    - the user's own: they see each attempt, its answer whole and as text, and no secret;
    - the credential;
    - the observer: it tells of what really is sent, and how long that takes;
    - the attempt, innermost, where the request goes out.

    Args:
        credential: What authenticates.
        rate_limit: What waits for the limit.
        users: The user's middlewares, from the outside in.
        observer: Whom to tell of each attempt.
        attempt: What sends and reads.
    """

    def __init__(
        self,
        *,
        credential: Credential,
        rate_limit: RateLimitMiddleware,
        users: Iterable[ClientMiddlewareType],
        observer: Observer,
        attempt: AttemptMiddleware,
    ) -> None:
        self._inside_retry: tuple[ClientMiddlewareType, ...] = (
            RefreshMiddleware(credential),
            rate_limit,
            *users,
            AuthMiddleware(credential),
            ObserverMiddleware(observer),
            attempt,
        )

    def within(self, retry: RetryMiddleware) -> tuple[ClientMiddlewareType, ...]:
        """All that one request passes, from the outside in."""
        return (keep_cookies_out, retry, *self._inside_retry)

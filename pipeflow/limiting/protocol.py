"""What a limiter is: everything that `RateLimitMiddleware` needs of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pipeflow.answers import RateLimit
    from pipeflow.observing.events import BlockReason

__all__ = ["Limiter", "Slot"]


class Slot(Protocol):
    """The right to send one request, from `Limiter.acquire`.

    Its holder calls exactly one of the two methods, exactly once. Both are plain functions, because
    they are called while a task is being cancelled, too. A limiter that has to talk to a server
    starts a task of its own for that, and then owns it: it keeps a reference, logs what the task
    raises, and cancels it when it is closed.
    """

    def release(self, rate_limit: RateLimit | None) -> None:
        """The request was sent and is over.

        Args:
            rate_limit: What the answer's headers told; its fields are None where they told
                nothing. None means that no answer came, so the request may still be on its way to
                the server and counts as long as it can be.
        """
        ...

    def cancel(self) -> None:
        """Nothing was sent: the slot goes to the next that waits."""
        ...


@runtime_checkable
class Limiter(Protocol):
    """Decides when each request may be sent. `BurstLimiter` is one; write your own for another.

    If you implement it, you are responsible for:

    - **Order**: first come, first served, so that no walk starves.
    - **Cancellation**: an `acquire` that is cancelled gives its place back, and its slot if it had
      one already.
    - **Pauses and blocks** hold for all sessions that share the limiter.
    - **Its own state**: it outlives sessions. Nobody closes it, so it keeps nothing open.

    A limiter is used in one event loop at a time. Nothing else is asked of it: it knows neither
    HTTP nor credentials.
    """

    async def acquire(self) -> Slot:
        """Waits for a slot.

        Raises:
            ApiError: There is a block. Raise `pipeflow.limiting.block_error` of its reason and the
                seconds left, at once when you are asked and at once for all that wait.
        """
        ...

    def pause(self, seconds: float | None) -> None:
        """Grants no slot for so many seconds, because the server refused a request.

        Requests wait meanwhile. A shorter pause does not end a longer one.

        Args:
            seconds: None means that the server did not say; one window is right.
        """
        ...

    def block(self, seconds: float, reason: BlockReason) -> None:
        """Refuses all requests for so many seconds, those that wait as well.

        A block of `"cloudflare"` or `"long_wait"` is never shortened by another. One of
        `"daily_budget"` ends when the newest says. It may let a single request through now and then
        to ask whether the day's budget is there again: a `release` of that one with a `rate_limit`,
        without another such block in between, means that it is.

        Args:
            seconds: How long, from now.
            reason: Why; it decides which error `acquire` raises.
        """
        ...

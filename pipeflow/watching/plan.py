"""How a watch polls, checked before any request, and where it reads from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from attrs import field, frozen

from pipeflow.arguments import check_seconds, plain_int, seconds, whole_number
from pipeflow.errors import PipeflowError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from pipeflow.records import FlowPage
    from pipeflow.watching.checkpoint import Binding

__all__ = ["OnBudget", "OnLost", "OnWatchError", "Source", "Verdict", "WatchPlan"]

OnLost: TypeAlias = Literal["raise", "latest", "replay"]
OnBudget: TypeAlias = Literal["wait", "raise"]
Verdict: TypeAlias = Literal["continue", "drop", "raise"]
OnWatchError: TypeAlias = Callable[[int, PipeflowError], Verdict | Awaitable[Verdict]]


def _check_deep_interval(_: object, __: object, value: object) -> None:
    if value is not None:
        check_seconds("deep_interval", value)


def _check_share(_: object, __: object, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"daily_share must be a number from 0 to 1, not {value!r}")
    if not 0 < value <= 1:
        raise ValueError(f"daily_share must be above 0 and at most 1, not {value!r}")


def _check_on_lost(_: object, __: object, value: object) -> None:
    if value not in {"raise", "latest", "replay"}:
        raise ValueError(f"on_lost must be 'raise', 'latest' or 'replay', not {value!r}")


def _check_on_budget(_: object, __: object, value: object) -> None:
    if value not in {"wait", "raise"}:
        raise ValueError(f"on_budget must be 'wait' or 'raise', not {value!r}")


@frozen(kw_only=True)
class WatchPlan:
    """How a watch polls.

    Attributes:
        interval: Seconds from the start of one poll of an owner to the start of the next.
        deep_interval: Seconds between two deep looks at an owner; None means that there are none.
        deep_pages: The most pages of 500 that a deep look reads.
        max_pages: The most pages in which a poll looks for a record that it knows.
        daily_share: The part of what is left of the day's tokens that the watch may take.
        on_lost: How to go on from a checkpoint that cannot be joined.
        on_budget: Whether to wait when the day's tokens are used up.
        on_error: Asked what to do about an error that concerns one owner.
        raises_missing: Whether an owner that does not exist ends the watch, rather than its part.

    Raises:
        ValueError: A value is out of bounds; the message names it.
        TypeError: A value is of another type.
    """

    interval: float = field(default=300.0, validator=seconds())
    deep_interval: float | None = field(default=86_400.0, validator=_check_deep_interval)
    deep_pages: int = field(default=20, converter=plain_int, validator=whole_number(least=1))
    max_pages: int = field(default=20, converter=plain_int, validator=whole_number(least=1))
    daily_share: float = field(default=0.5, validator=_check_share)
    on_lost: OnLost = field(default="raise", validator=_check_on_lost)
    on_budget: OnBudget = field(default="wait", validator=_check_on_budget)
    on_error: OnWatchError | None = None
    raises_missing: bool = False


class Source(Protocol):
    """Where a watch reads histories from."""

    async def begin(self) -> None:
        """Learns what can be known only by waiting: whose account it is."""
        ...

    def walk(self, owner_id: int, first_page: int) -> AsyncGenerator[FlowPage, None]:
        """A walk through a history from its newest record, the first page of this size."""
        ...

    def server_time(self) -> datetime:
        """The server's time when it gave the last answer."""
        ...

    def tokens_left(self) -> int | None:
        """Tokens left today, as the last answer said; None when none did."""
        ...

    def closed(self) -> bool:
        """Whether nothing more can be read."""
        ...

    def binding(self, owner_id: int) -> Binding:
        """What the checkpoints of a history belong to.

        Raises:
            ValueError: The id is out of bounds.
            TypeError: The id is not an int.
        """
        ...

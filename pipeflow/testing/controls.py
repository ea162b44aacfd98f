"""What a test, or a fault, may ask of the server and do to it while it runs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Unpack

from pipeflow.testing.log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeflow.testing.api import Api
    from pipeflow.testing.listener import Listener
    from pipeflow.testing.requests import SeenRequest, Whose

__all__ = ["Controls"]


class Controls:
    """The side of `FakePipedrive` that a fault sees: its histories, limits and connections."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._store = api.store
        self._gateway = api.gateway
        self._log = RequestLog()
        self._tokens_forgotten = 0
        self._listener: Listener | None = None

    def _running(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("the fake is not running; use `async with FakePipedrive() as fake:`")
        return self._listener

    # What it was asked

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request since the start or `reset_counts()`, in the order of their arrival."""
        return self._log.requests

    @property
    def request_count(self) -> int:
        """How many requests came."""
        return self._log.count()

    @property
    def refused_count(self) -> int:
        """How many of them were answered with 429."""
        return self._log.count(429)

    @property
    def tokens_spent(self) -> int:
        """What they cost of the daily budget: 40 each, refused ones (401, 403, 429) nothing."""
        return self._gateway.tokens_spent - self._tokens_forgotten

    def reset_counts(self) -> None:
        """Forget the requests so far. The limits still know them."""
        self._log.clear()
        self._tokens_forgotten = self._gateway.tokens_spent

    # Limits

    @property
    def burst_limit(self) -> int:
        """Requests in every window; may be changed at any time."""
        return self._gateway.burst.limit

    @burst_limit.setter
    def burst_limit(self, limit: int) -> None:
        self._gateway.burst.limit = limit

    @property
    def daily_budget(self) -> int | None:
        """Tokens, the spent ones included, or None; may be changed at any time."""
        return self._gateway.daily_budget

    @daily_budget.setter
    def daily_budget(self, tokens: int | None) -> None:
        self._gateway.daily_budget = tokens

    @property
    def blocked(self) -> bool:
        """Whether every request gets Cloudflare's 403; may be changed at any time."""
        return self._gateway.blocked

    @blocked.setter
    def blocked(self, blocked: bool) -> None:
        self._gateway.blocked = blocked

    def use_allowance(self, count: int) -> int:
        """Let another program use `count` requests of the allowance, or what is left of it.

        Returns how many there were.
        """
        return self._gateway.burst.use(count, time.monotonic())

    # Histories

    @property
    def max_page_size(self) -> int:
        """What a greater `limit` is clamped to; may be changed at any time."""
        return self._api.max_page_size

    @max_page_size.setter
    def max_page_size(self, size: int) -> None:
        self._api.max_page_size = size

    def records(
        self,
        *,
        items: Iterable[str] | None = None,
        all_changes: bool = True,
        **whose: Unpack[Whose],
    ) -> list[Any]:
        """A history as it stands, such as `fake.records(person=1101)`.

        It is what a walk with the same `items` and `all_changes` reads if nothing changes.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history.
        """
        wanted = None if items is None else frozenset(items)
        view = self._store.named(whose).view(wanted, all_changes=all_changes)
        return [json.loads(entry.body) for entry in view]

    def insert(self, record: object, *, index: int = 0, **whose: Unpack[Whose]) -> None:
        """Put a record into a history: `fake.insert(record, person=1101)`.

        It comes before the record at `index`, counting those that only `all_changes` shows.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history.
        """
        self._store.named(whose).insert(index, record)

    def remove(self, index_or_record: object = 0, **whose: Unpack[Whose]) -> None:
        """Take the record at an index, or an equal one, out: `fake.remove(3, person=1101)`.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given, or there
                is no such record.
            LookupError: There is no such index, or the fake holds no such history.
        """
        self._store.named(whose).remove(index_or_record)

    # Connections

    def go_away(self, seconds: float) -> None:
        """Reset every connection and refuse new ones for some seconds, as the fault `Outage`."""
        self._running().go_away(seconds)

"""A server that answers from some moment between a request and its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipeflow.records import FlowPage

if TYPE_CHECKING:
    from random import Random

    from pipeflow.walking.plan import PageRequest
    from tests.walking.model.history import History, Record

__all__ = ["Server", "TooManyRequestsError"]


class TooManyRequestsError(AssertionError):
    """A walk has made more requests than any bound allows."""


class Server:
    """Answers requests for pages of a history that changes meanwhile.

    Args:
        chance: What draws.
        history: What is served.
        kinds: What may happen to it.
        changes: How many changes happen at the most.
        rate: How likely one happens at each of the moments of a request.
        slow: For how many turns of the event loop a request may take.
        clamp: The most records that an answer holds.
        clamped_from: After which request it clamps.
        reworded: Whether one field differs in each answer.
        rewords_all: Whether it does in records without an id, too, which nothing else tells apart.
        most_requests: After how many requests the walk is taken for endless.
    """

    def __init__(
        self,
        chance: Random,
        history: History,
        *,
        kinds: list[str],
        changes: int,
        rate: float,
        slow: int,
        clamp: int,
        clamped_from: int,
        reworded: bool,
        rewords_all: bool,
        most_requests: int,
    ) -> None:
        self._chance = chance
        self._history = history
        self._kinds = kinds
        self.changes_left = changes
        self._rate = rate
        self._slow = slow
        self._clamp = clamp
        self._clamped_from = clamped_from
        self._reworded = reworded
        self._rewords_all = rewords_all
        self._most_requests = most_requests
        self._size = len(history.records)
        self.bursts = 0
        self.requests: list[PageRequest] = []
        self.at_first: list[Record] | None = None

    @property
    def added(self) -> int:
        """By how many records the history has become longer, if it has."""
        return max(len(self._history.records) - self._size, 0)

    async def __call__(self, request: PageRequest) -> FlowPage:
        self.requests.append(request)
        if len(self.requests) > self._most_requests:
            raise TooManyRequestsError
        number = len(self.requests)
        self._let_time_pass()
        for _ in range(self._chance.randint(0, self._slow)):
            await asyncio.sleep(0)
        page = self._page(request, number)
        for _ in range(self._chance.randint(0, self._slow)):
            await asyncio.sleep(0)
        self._let_time_pass()
        return page

    def _let_time_pass(self) -> None:
        if self.changes_left > 0 and self._chance.random() < self._rate:
            self.bursts += 1
            count = self._chance.choice([1, 1, 1, 2, 3, self._chance.randint(1, self.changes_left)])
            for _ in range(min(count, self.changes_left)):
                self.changes_left -= 1
                self._history.change(self._chance.choice(self._kinds))

    def _page(self, request: PageRequest, number: int) -> FlowPage:
        records = self._history.records
        if self.at_first is None:
            self.at_first = records[request.start :]
        limit = min(request.limit, self._clamp if number > self._clamped_from else 500)
        stop = request.start + limit
        wording = str(number) if self._reworded else "as ever"
        updates = tuple(
            record.update(offset, wording if record.id is not None or self._rewords_all else "")
            for offset, record in enumerate(records[request.start : stop], request.start)
        )
        more = stop < len(records)
        return FlowPage(
            updates=updates,
            start=request.start,
            page_size=limit,
            more_items=more,
            next_start=request.start + len(updates) if more else None,
        )

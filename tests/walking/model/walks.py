"""One random walk over a history that changes, and what is wrong with it."""

from __future__ import annotations

import re
from contextlib import aclosing
from random import Random
from typing import TYPE_CHECKING

from attrs import Factory, define, frozen

from pipeflow.errors import PaginationError
from pipeflow.walking.plan import WalkPlan
from pipeflow.walking.prefetching import walk_pages_ahead
from tests.walking.model.history import KINDS, History
from tests.walking.model.server import Server, TooManyRequestsError

if TYPE_CHECKING:
    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["Outcome", "RandomWalk", "what_is_wrong"]

STILL = {"nothing", "edited", "renamed"}
"""Kinds of walk in which no record moves."""

MOST_REQUESTS = 5000


@define
class Outcome:
    """What came of a walk.

    Attributes:
        wrong: The promises that it broke.
        requests: How many requests it made.
        pages: How many plain paging would take, at the most.
        changes: At how many moments the history changed.
        records: How many it yielded.
        lost_its_place: Whether it gave up, as it may when all that it had read is gone.
    """

    wrong: list[str] = Factory(list)
    requests: int = 0
    pages: int = 0
    changes: int = 0
    records: int = 0
    lost_its_place: bool = False


@frozen
class Drawn:
    """What a walk's seed decides."""

    size: int
    clamp: int
    plan: WalkPlan
    history: History
    server: Server
    nameless: float


def draw(chance: Random, kind: str) -> Drawn:
    page_size = chance.choice([1, 2, 3, 5, 8, 10, 20, 33, 100, 499, 500])
    clamp = chance.choice([500, 500, 500, chance.randint(2, 20)])
    size = chance.randint(0, chance.choice([12, 60, 60, 4 * page_size]))
    still = kind in STILL
    # Records without an id that say the same, or something else in each answer, cannot be told
    # apart where a page holds nothing else: then they are only tried where nothing moves.
    tiny = min(page_size, clamp) < 10
    nameless = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0] if still else [0.0, 0.0, 0.0, 0.1, 0.5])
    history = History(
        chance,
        size,
        nameless=nameless,
        equal=0.0 if tiny and not still else chance.choice([0.0, 0.5, 1.0]),
        one_time=chance.random() < 0.1,
    )
    server = Server(
        chance,
        history,
        kinds=KINDS[kind],
        changes=chance.choice([1, 2, 5, 12, chance.randint(1, 2 * min(page_size, clamp) + 12)]),
        rate=chance.choice([0.05, 0.2, 0.5]),
        slow=chance.choice([0, 2, 6]),
        clamp=clamp,
        clamped_from=chance.choice([0, chance.randint(0, 6)]),
        reworded=chance.random() < 0.2,
        rewords_all=still and not tiny,
        most_requests=MOST_REQUESTS,
    )
    # Where the first page holds no record with an id, nothing tells whether the second joins it.
    start = chance.choice([0, 0, chance.randint(0, size)]) if still or not nameless else 0
    plan = WalkPlan(
        start=start,
        page_size=page_size,
        max_items=chance.choice([None, None, None, chance.randint(1, size + 1)]),
        prefetch=chance.choice([0, 0, 1, 2, 3, 4, 8, 64]),
    )
    return Drawn(size, clamp, plan, history, server, nameless)


@frozen
class RandomWalk:
    """A walk that its seed tells all about: the history, what happens to it, and how it is read."""

    seed: str
    kind: str

    async def run(self) -> Outcome:
        """Walks, and judges."""
        drawn = draw(Random(f"{self.kind}/{self.seed}"), self.kind)
        outcome = Outcome()
        pages: list[FlowPage] = []
        walk = walk_pages_ahead(drawn.server, lambda page, _: page, drawn.plan)
        try:
            async with aclosing(walk):
                async for page in walk:
                    pages.append(page)
        except TooManyRequestsError:
            outcome.wrong.append("it was endless")
        except PaginationError as error:
            outcome.lost_its_place = "lost its place" in str(error) and self._may_be_lost(
                drawn, pages
            )
            if not outcome.lost_its_place:
                outcome.wrong.append(f"it ended: {error}")
        else:
            outcome.wrong = what_is_wrong(pages, self._stood(drawn), drawn.plan.max_items)
        outcome.records = sum(len(page.updates) for page in pages)
        outcome.requests = len(drawn.server.requests)
        outcome.changes = drawn.server.bursts
        per_page = min(drawn.plan.page_size, drawn.clamp - 1, 499)
        outcome.pages = -(-(drawn.size + drawn.server.added) // per_page) + 1
        ahead = drawn.plan.prefetch
        most = 4 * outcome.pages + (12 + ahead) * outcome.changes + ahead + 20
        if outcome.requests > most:
            outcome.wrong.append(f"it made {outcome.requests} requests for {outcome.pages} pages")
        return outcome

    def _stood(self, drawn: Drawn) -> list[str]:
        """What must come, once and in this order: what stood throughout and was not touched.

        Where something moves, only of records with an id: others are told apart by what they say.
        """
        return [
            record.name
            for record in drawn.server.at_first or []
            if record.number not in drawn.history.touched
            and (record.id is not None or self.kind in STILL or not drawn.server.bursts)
        ]

    def _may_be_lost(self, drawn: Drawn, pages: list[FlowPage]) -> bool:
        """Whether a walk from the middle may say that it has lost its place.

        It may when all that it has read is gone or has moved; and where the server clamps, as then
        the few records that it has read may be passed over.
        """
        read = {name_of(update) for page in pages for update in page.updates}
        gone = {f"record {number}" for number in drawn.history.touched}
        return drawn.plan.start > 0 and (drawn.clamp < 500 or read <= gone)


def what_is_wrong(pages: list[FlowPage], stood: list[str], max_items: int | None) -> list[str]:
    """A line for each promise that the pages of a walk break."""
    wrong = []
    expected = set(stood)
    read = [name_of(update) for page in pages for update in page.updates]
    got = [name for name in read if name in expected]
    if max_items is not None:
        if len(read) > max_items:
            wrong.append(f"it yielded {len(read)} records and not {max_items}")
        if len(read) >= max_items:
            stood = stood[: len(got)]
    if lost := sorted(set(stood) - set(got)):
        wrong.append(f"it lost {lost[:5]}")
    elif len(got) > len(stood):
        wrong.append(f"it yielded {len(got)} records and not {len(stood)}")
    elif got != stood:
        wrong.append("its records came out of order")
    if any(not page.updates or page.start != page.updates[0].offset for page in pages):
        wrong.append("a page does not start with its first update")
    return wrong


def name_of(update: FlowUpdate) -> str:
    """Which record of the model an update is; records that say the same have one name."""
    assert isinstance(update.data, dict)
    found = re.match(r"record \d+|the same", update.data["text"])
    assert found is not None
    return found[0]

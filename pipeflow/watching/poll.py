"""One poll: how far to read, what is news, and where the watch stands after each piece of it.

A poll reads from the newest record down until it has met a *run* of records that are known and
unchanged: a single one may have moved, and times say nothing about the order. Above the end of
the run whatever is unknown is new. Below it only what was written since the last deep look is news.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import Factory, field, frozen

from pipeflow.errors import CheckpointLostError
from pipeflow.walking.plan import LARGEST_PAGE
from pipeflow.watching.place import REMEMBERED, Place, sightings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from pipeflow.records import FlowPage
    from pipeflow.watching.events import Kind
    from pipeflow.watching.place import Sighting

__all__ = ["CROWDED", "RUN", "Poll", "Reading", "first_place", "read"]

RUN = 5
"""Known and unchanged records in a row at which a poll has found where it was."""

CROWDED = 100
"""Records written since the last deep look, above which the next one is due: they are remembered
one by one until then, and a checkpoint is to stay small."""

MARGIN = timedelta(seconds=60)
"""What was written less than this before a deep look may not have shown in it yet."""

MOST_MISSING = 200
"""Vanished activities that are remembered, as long as no deep look has come to the end."""


@frozen(eq=False)
class Reading:
    """What one poll has read.

    Attributes:
        records: The records, in the order of the history, each once.
        moment: The server's time when the first page was answered.
        ended: Whether they are all that the history holds.
        deep: Whether the read went as deep as a deep look does.
        pages: How many pages were read.
        join: Up to which of the `past` records the read is joined to what was known before; -1
            where none of them is known.
    """

    records: tuple[Sighting, ...]
    moment: datetime
    ended: bool
    deep: bool
    pages: int
    join: int

    @property
    def past(self) -> list[Sighting]:
        """The records that are not activities still to be done."""
        return [record for record in self.records if not record.is_undone]


async def read(
    place: Place | None,
    walk: Callable[[int], AsyncGenerator[FlowPage, None]],
    server_time: Callable[[], datetime],
    *,
    deep: bool,
    max_pages: int,
    deep_pages: int,
) -> Reading:
    """Reads as far as a poll has to.

    Args:
        place: Where the watch stands; None begins with now.
        walk: Begins a walk from the newest record, with so many records in the first page.
        server_time: The server's time when it gave the last answer.
        deep: Whether to read on to the end, or `deep_pages`.
        max_pages: The most pages to read in search of a known record.
        deep_pages: The most pages of a deep look; 0 means that there are none.

    Raises:
        CheckpointLostError: No known record was found within `max_pages`.
        PipeflowError: Whatever the walk raises.
    """
    found = _Found(place)
    moment: datetime | None = None
    pages_read = 0
    ended = True
    pages_after_join = 0
    async with aclosing(walk(_first_page(place, deep=deep))) as pages:
        async for page in pages:
            moment = moment or server_time()
            pages_read += 1
            found.take(page)
            ended = page.next_start is None
            deep = deep or bool(deep_pages and found.unknown > CROWDED)
            if ended or (pages_read >= deep_pages if deep and found.joined else False):
                break
            if not deep and found.joined:
                # Once more: an activity that has vanished was perhaps done, and sank a little.
                if pages_after_join or not found.has_vanished():
                    break
                pages_after_join += 1
            if not found.joined and pages_read >= max_pages:
                break
    if place is not None and not ended and found.run_end is None and found.last_known < 0:
        raise CheckpointLostError(
            f"none of the records that this watch remembers is among the newest "
            f"{len(found.records)}: too much has happened since its checkpoint"
        )
    join = found.run_end if found.run_end is not None else found.last_known
    return Reading(
        records=tuple(found.records),
        moment=moment or server_time(),
        ended=ended,
        deep=deep or ended,
        pages=pages_read,
        join=join,
    )


def _first_page(place: Place | None, *, deep: bool) -> int:
    """No more than an idle poll needs: every request costs the same, but not its bytes."""
    if place is None or deep:
        return LARGEST_PAGE
    past = REMEMBERED if place.whole else 2 * RUN
    return min(LARGEST_PAGE, len(place.undone) + past + 10)


class _Found:
    """What a read has come across so far."""

    def __init__(self, place: Place | None) -> None:
        self.records: list[Sighting] = []
        self.unknown = 0
        self.run_end: int | None = None
        self.last_known = -1
        self._place = place
        self._counts: dict[str, int] = {}
        self._seen: set[str] = set()
        self._past = 0
        self._run = 0

    @property
    def joined(self) -> bool:
        """Whether there is no need to read on."""
        if self._place is None:
            return self._past > 0
        return self.run_end is not None and not self._place.whole

    def has_vanished(self) -> bool:
        """Whether an activity that was still to be done has not been seen."""
        return self._place is not None and not self._place.undone.keys() <= self._seen

    def take(self, page: FlowPage) -> None:
        for record in sightings(page.updates, self._counts):
            if record.identity in self._seen:
                continue
            self._seen.add(record.identity)
            self.records.append(record)
            if self._place is not None:
                self._compare(record, self._place)
            if not record.is_undone:
                self._past += 1

    def _compare(self, record: Sighting, place: Place) -> None:
        if place.state_of(record.identity) is None and self.run_end is None:
            self.unknown += 1
        if record.is_undone:
            return
        known = place.past.get(record.identity)
        self._run = self._run + 1 if known == record.state else 0
        if known is not None:
            self.last_known = self._past
        if self.run_end is None and self._run == max(1, min(RUN, len(place.past))):
            self.run_end = self._past


def first_place(reading: Reading) -> Place:
    """Where a watch stands that begins with now."""
    past = reading.past
    moment, recent = _known_at(reading.moment, past)
    return Place(
        moment=moment,
        undone={one.identity: one.state for one in reading.records if one.is_undone},
        past={one.identity: one.state for one in past[:REMEMBERED]},
        recent=recent,
        whole=reading.ended and len(past) <= REMEMBERED,
    )


@frozen(eq=False)
class _News:
    """Something to tell."""

    record: Sighting
    kind: Kind
    known_state: str | None
    above_join: bool


@frozen(eq=False)
class Poll:
    """What a poll found: the news, the oldest first, and the place after each piece of them.

    Attributes:
        before: Where the watch stood.
        reading: What was read.
        forget: Whether no deep look will come, so that what was told need not be remembered.
    """

    before: Place
    reading: Reading
    forget: bool = False
    news: tuple[_News, ...] = field(
        init=False, default=Factory(lambda poll: poll.compare(), takes_self=True)
    )

    def compare(self) -> tuple[_News, ...]:
        """The news, the oldest first."""
        undone: list[_News] = []
        past: list[_News] = []
        index = -1
        for record in self.reading.records:
            index += not record.is_undone
            above = record.is_undone or index <= self.reading.join
            known = self.before.state_of(record.identity)
            kind = self._kind(record, known, above=above)
            if kind is not None:
                news = _News(record, kind, known, above)
                (undone if record.is_undone else past).append(news)
        return (*reversed(past), *reversed(undone))

    def _kind(self, record: Sighting, known: str | None, *, above: bool) -> Kind | None:
        if known is not None:
            return None if known == record.state else "changed"
        if above or self.before.whole:
            return "new"
        if record.touched is None or record.touched < self.before.moment:
            return None
        return "new" if record.added is None or record.added >= self.before.moment else "changed"

    def place_after(self, told: int) -> Place:
        """Where the watch stands once so many of the news are handled."""
        untold = {news.record.identity: news for news in self.news[told:]}
        reading, before = self.reading, self.before
        kept = [one for one in reading.records if one.identity not in untold]
        past = [one for one in kept if not one.is_undone]
        waiting = {
            identity: news.known_state
            for identity, news in untold.items()
            if news.known_state is not None
        }
        recent = dict(before.recent) | {
            news.record.identity: news.record.state
            for news in self.news[:told]
            if not news.record.is_undone
        }
        moment = before.moment
        known_all = reading.deep or (self.forget and len(recent) > CROWDED)
        if known_all and all(news.above_join for news in untold.values()):
            known_at, touched = _known_at(reading.moment, past)
            if known_at > moment:
                moment, recent = known_at, touched
        remembered = {one.identity: one.state for one in past[:REMEMBERED]}
        if not reading.ended and len(remembered) < REMEMBERED:
            remembered |= self._below(remembered.keys() | untold.keys(), len(remembered))
        return Place(
            moment=moment,
            undone={one.identity: one.state for one in kept if one.is_undone},
            missing=waiting | self._vanished(),
            past=remembered,
            recent=_newest({k: v for k, v in recent.items() if k not in waiting}, 2 * CROWDED),
            whole=reading.ended and len(past) <= REMEMBERED,
        )

    def _below(self, known: set[str], count: int) -> dict[str, str]:
        """What was remembered further down than this poll has read."""
        seen = {one.identity for one in self.reading.records}
        before = list(self.before.past)
        last = max((place for place, one in enumerate(before) if one in seen), default=-1)
        below = [one for one in before[last + 1 :] if one not in known]
        return {one: self.before.past[one] for one in below[: REMEMBERED - count]}

    def _vanished(self) -> dict[str, str]:
        if self.reading.ended:
            return {}
        seen = {one.identity for one in self.reading.records}
        gone = {**self.before.missing, **self.before.undone}
        return _newest({k: v for k, v in gone.items() if k not in seen}, MOST_MISSING)


def _known_at(moment: datetime, past: list[Sighting]) -> tuple[datetime, dict[str, str]]:
    """Since when what is written is news, and what of that is known already."""
    known_at = moment - MARGIN
    recent = _touched_since(known_at, past)
    if len(recent) > CROWDED:
        known_at = moment
        recent = _touched_since(known_at, past)
    return known_at, _newest(recent, 2 * CROWDED)


def _touched_since(moment: datetime, past: list[Sighting]) -> dict[str, str]:
    oldest_first = reversed(past)
    return {
        one.identity: one.state for one in oldest_first if one.touched and one.touched >= moment
    }


def _newest(entries: dict[str, str], most: int) -> dict[str, str]:
    return dict(list(entries.items())[-most:])

"""A collection of updates as the server keeps it, in the order in which it is served."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import define, field

from pipeflow.testing.clock import Clock
from pipeflow.testing.entries import Entry, encode, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from pipeflow.testing.entries import Identity

__all__ = ["History", "Pace"]


@define
class Pace:
    """When what has happened can be seen.

    Attributes:
        clock: The time.
        lag: Seconds from what happens until the flow shows it.
    """

    clock: Clock = field(factory=Clock)
    lag: float = 0.0


class History:
    """The updates of one person, deal or organization.

    Newest first, after the activities that are not done, whose timestamps are the times at which
    they are due. A history that is given in another order stays in it.
    """

    def __init__(self, entries: Iterable[Entry], pace: Pace) -> None:
        self._entries: Sequence[Entry] = tuple(entries)
        self._pace = pace
        self._shown: Sequence[Entry] = self._entries
        self._coming: deque[tuple[datetime, Sequence[Entry]]] = deque()
        self._views: dict[tuple[frozenset[str] | None, bool], Sequence[Entry]] = {}

    @property
    def entries(self) -> Sequence[Entry]:
        """What has happened, whether the flow shows it or not."""
        return self._entries

    def view(self, items: frozenset[str] | None, *, all_changes: bool) -> Sequence[Entry]:
        """What a request with these parameters walks through."""
        now = self._pace.clock.now()
        while self._coming and self._coming[0][0] <= now:
            _, self._shown = self._coming.popleft()
            self._views.clear()
        key = (items, all_changes)
        if key not in self._views:
            self._views[key] = [
                entry
                for entry in self._shown
                if (all_changes or not entry.custom) and (items is None or entry.items & items)
            ]
        return self._views[key]

    def insert(self, index: int, record: object) -> None:
        """Put a record before the one at `index`, counting all of them."""
        changed = list(self._entries)
        changed.insert(index, encode(record))
        self._become(changed)

    def add(self, record: object) -> Entry:
        """Put a record where it belongs, before what is as old."""
        entry = encode(record)
        self._become(_placed(self._entries, entry))
        return entry

    def replace(self, identity: Identity, change: Callable[[Entry], object]) -> tuple[Entry, Entry]:
        """Make another record of one, and put it where it belongs now: what it was and is.

        Raises:
            LookupError: There is no such record.
        """
        index = self._find(identity)
        before, after = self._entries[index], encode(change(self._entries[index]))
        if before.order == after.order:
            self._become([*self._entries[:index], after, *self._entries[index + 1 :]])
        else:
            self._become(_placed([*self._entries[:index], *self._entries[index + 1 :]], after))
        return before, after

    def remove(self, which: object) -> Entry:
        """Take a record out: the one at an index, with an identity, or the first that equals it.

        Raises:
            IndexError: There is no such index.
            LookupError: There is none with this identity.
            ValueError: There is no such record.
        """
        match which:
            case int() as index:
                entry = self._entries[index]
                index %= len(self._entries)
            case (str() as kind, number):
                index = self._find((kind, number))
                entry = self._entries[index]
            case record:
                body = to_json(record)
                found = (at for at, each in enumerate(self._entries) if each.body == body)
                index = next(found, -1)
                if index < 0:
                    raise ValueError("the history holds no such record")
                entry = self._entries[index]
        self._become([*self._entries[:index], *self._entries[index + 1 :]])
        return entry

    def _find(self, identity: Identity) -> int:
        for index, entry in enumerate(self._entries):
            if entry.identity == identity:
                return index
        kind, number = identity
        raise LookupError(f"the history holds no {kind} {number}")

    def _become(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        if self._pace.lag:
            shown_at = self._pace.clock.now() + timedelta(seconds=self._pace.lag)
            self._coming.append((shown_at, entries))
        else:
            self._coming.clear()
            self._shown = entries
            self._views.clear()


def _placed(entries: Sequence[Entry], entry: Entry) -> Sequence[Entry]:
    after = (at for at, other in enumerate(entries) if other.order <= entry.order)
    index = next(after, len(entries))
    return [*entries[:index], entry, *entries[index:]]

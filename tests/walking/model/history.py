"""Records in the order in which Pipedrive sorts them, and what can happen to them."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import define, evolve

from pipeflow.records import FlowUpdate

if TYPE_CHECKING:
    from random import Random

__all__ = ["KINDS", "History", "Record"]

EPOCH = 1_700_000_000


@define(eq=False)
class Record:
    """A record of the model. `number` tells it from all others, even where its answer does not."""

    number: int
    object: str
    id: int | None
    time: float
    undone: bool
    text: str

    @property
    def name(self) -> str:
        """What a judge calls it."""
        return "the same" if self.text == "the same" else f"record {self.number}"

    @property
    def order(self) -> tuple[bool, float, int]:
        """What it is sorted by: what is not done, then the newest; of equal times the older."""
        return (not self.undone, -self.time, self.number)

    def update(self, offset: int, wording: str) -> FlowUpdate:
        """The record as an answer holds it."""
        data: dict[str, Any] = {"text": self.text, "wording": wording}
        if self.id is not None:
            data["id"] = self.id
        if self.object == "activity":
            data["done"] = not self.undone
        return FlowUpdate(
            object=self.object,
            timestamp=datetime.fromtimestamp(EPOCH + int(self.time), UTC),
            data=data,
            offset=offset,
        )


class History:
    """A history of `size` records; records without an id are as often as `nameless` says.

    Args:
        chance: What draws.
        size: Records to begin with.
        nameless: The share of records without an id.
        equal: The share of those that say the same as all others of their kind.
        one_time: Whether all have the same time, as after an import.
    """

    def __init__(
        self, chance: Random, size: int, *, nameless: float, equal: float, one_time: bool
    ) -> None:
        self._chance = chance
        self._nameless = nameless
        self._equal = equal
        self._one_time = one_time
        self._next = 0
        self._ids: Counter[str] = Counter()
        self.records: list[Record] = []
        self.touched: set[int] = set()
        undone = chance.randint(0, min(size, 5))
        for number in range(size):
            self._add(undone=number < undone, time=chance.uniform(0, 1e6))

    def _add(self, *, undone: bool, time: float) -> None:
        chance = self._chance
        number = self._next
        self._next += 1
        named = undone or chance.random() >= self._nameless
        equal = not named and chance.random() < self._equal
        kind = "follower"
        given = None
        if named:
            # Ids are unique for each kind only.
            kind = "activity" if undone else chance.choice(["note", "personChange", "activity"])
            given = self._ids[kind] = self._ids[kind] + 1
        record = Record(
            number=number,
            object=kind,
            id=given,
            time=0.0 if self._one_time else time,
            undone=undone,
            text="the same" if equal else f"record {number}",
        )
        insort(self.records, record, key=lambda other: other.order)

    # ---- what happens

    def change(self, kind: str) -> None:
        """One change of a kind."""
        getattr(self, f"_{kind}")()

    def _grown(self) -> None:
        newest = max((record.time for record in self.records), default=0.0)
        self._add(undone=self._chance.random() < 0.2, time=newest + 1.0)

    def _inserted(self) -> None:
        self._add(undone=False, time=self._chance.uniform(0, 1e6))

    def _removed(self) -> None:
        if self.records:
            gone = self.records.pop(self._chance.randrange(len(self.records)))
            self.touched.add(gone.number)

    def _done(self) -> None:
        """An activity is marked done, and goes to where its time belongs."""
        undone = [record for record in self.records if record.undone]
        if undone:
            self._replace(self._chance.choice(undone), undone=False)
        else:
            self._moved()

    def _moved(self) -> None:
        """A record gets another time, or is marked not done after all."""
        if self.records:
            record = self._chance.choice(self.records)
            if record.object == "activity" and self._chance.random() < 0.2:
                self._replace(record, undone=not record.undone)
            elif record.id is not None and not self._one_time:
                self._replace(record, time=self._chance.uniform(0, 1e6))

    def _replace(self, record: Record, **changes: Any) -> None:  # noqa: ANN401 - of any field
        self.records.remove(record)
        self.touched.add(record.number)
        insort(self.records, evolve(record, **changes), key=lambda other: other.order)

    def _edited(self) -> None:
        named = [record for record in self.records if record.id is not None]
        if named:
            self._chance.choice(named).text += ", edited"

    def _renamed(self) -> None:
        for record in self.records:
            if record.id is not None:
                record.text += ", renamed"

    def _nothing(self) -> None:
        pass


KINDS = {
    "nothing": ["nothing"],
    "grown": ["grown"],
    "inserted": ["inserted"],
    "removed": ["removed"],
    "done": ["done"],
    "moved": ["moved"],
    "edited": ["edited"],
    "renamed": ["renamed"],
    "mixed": ["grown", "inserted", "removed", "done", "moved", "edited", "renamed"],
}
"""What may happen in a walk of each kind."""

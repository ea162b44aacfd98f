"""What the fake holds, and what can happen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from pipeflow.testing.happenings import Happening
from pipeflow.testing.histories.payloads import wire_time
from pipeflow.testing.store import owner_keys

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeflow.testing.clock import Clock
    from pipeflow.testing.entries import Entry
    from pipeflow.testing.happenings import Action
    from pipeflow.testing.requests import Whose
    from pipeflow.testing.store import OwnerKey, Store

__all__ = ["Account"]

_OWNING_FIELD: Final = {"person": "person_id", "deal": "deal_id", "organization": "org_id"}


class Account:
    """The histories of persons, deals and organizations, as they stand and as they change.

    What happens can be told from any thread, also while the fake does not run. A history is named
    by `person=`, `deal=` or `organization=`.

    Attributes:
        lock: Hold it for several changes of which a request must see all or none.
    """

    def __init__(self, store: Store) -> None:
        self.lock: threading.RLock = store.lock
        self._store = store
        self._listeners: list[Callable[[Happening], None]] = []

    @property
    def clock(self) -> Clock:
        """The clock that days, webhooks and the account's life go by."""
        return self._store.pace.clock

    @property
    def lag(self) -> float:
        """Seconds from what happens, and its webhooks, until the flow shows it."""
        return self._store.pace.lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._store.pace.lag = seconds

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
        with self.lock:
            view = self._store.named(whose).view(wanted, all_changes=all_changes)
            return [entry.record for entry in view]

    def exists(self, **whose: Unpack[Whose]) -> bool:
        """Whether there is such a person, deal or organization."""
        return self._store.find(whose) is not None

    def newest(self, count: int, **whose: Unpack[Whose]) -> Sequence[Entry]:
        """The first `count` records of a history, those included that the flow does not show yet.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history.
        """
        return self._store.named(whose).entries[:count]

    # What happens to records

    def add(self, record: object, **whose: Unpack[Whose]) -> None:
        """A record appears, at the place where Pipedrive's order puts it.

        Newest first, after the activities that are not done, which are ordered by when they are
        due. What is older than others, such as a backdated note, comes below them.
        `fake.add(record, person=7, deal=3)` puts it into both histories.

        Raises:
            ValueError: None of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history.
        """
        with self.lock:
            keys = self._store.keys(whose)
            [entry, *_] = [self._store[key].add(record) for key in keys]
            self._tell("added", keys, after=entry)

    def insert(self, record: object, *, index: int = 0, **whose: Unpack[Whose]) -> None:
        """Put a record before the one at `index`, counting those that only `all_changes` shows.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history.
        """
        with self.lock:
            self._store.named(whose).insert(index, record)

    def mark_done(self, activity_id: int, **whose: Unpack[Whose]) -> None:
        """An activity is done: it moves down, to the others of the time at which it was due.

        Raises:
            ValueError: None of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history, or the history no such activity.
        """
        now = wire_time(self.clock.now())
        self.edit("activity", activity_id, {"done": True, "marked_as_done_time": now}, **whose)

    def edit(
        self, kind: str, number: object, changes: Mapping[str, Any], **whose: Unpack[Whose]
    ) -> None:
        """A record changes: `fake.edit("note", 5, {"content": "new"}, person=7)`.

        It stays where it is, unless it is an activity that is done now, or no longer. An
        `update_time` moves to the present unless it is among the changes.

        Args:
            kind: The record's `object`.
            number: Its `id`, or its `uuid` where it has no id.
            changes: Fields of its `data`; the key `timestamp` is the record's own, and moves it.
            whose: In whose history, or histories.

        Raises:
            ValueError: None of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history, or the history no such record.
        """
        now = wire_time(self.clock.now())

        def change(entry: Entry) -> object:
            record = entry.record
            touched = {"update_time": now} if "update_time" in record["data"] else {}
            record["data"] |= {**touched, **changes}
            record["timestamp"] = record["data"].pop("timestamp", record.get("timestamp"))
            return record

        with self.lock:
            keys = self._store.keys(whose)
            [(before, after), *_] = [
                self._store[key].replace((kind, number), change) for key in keys
            ]
            self._tell("changed", keys, before, after)

    def move(self, kind: str, number: object, *, to: int, **whose: Unpack[Whose]) -> None:
        """A record goes to another person: `fake.move("activity", 5, person=7, to=8)`.

        An `update_time` moves to the present.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history, or the history no such record.
        """
        with self.lock:
            self._store.named(whose)
            [source] = self._store.keys(whose)
            owner, left = source
            target: OwnerKey = (owner, to)
            self._store.keys(cast("Whose", {owner: to}))
            before = self._store[source].remove((kind, number))
            record = before.record
            if "update_time" in record["data"]:
                record["data"]["update_time"] = wire_time(self.clock.now())
            _give(record["data"], _OWNING_FIELD[owner], left, to)
            after = self._store[target].add(record)
            self._tell("changed", [source, target], before, after)

    def remove(self, which: object = 0, **whose: Unpack[Whose]) -> None:
        """A record disappears: `fake.remove(("note", 5), person=7)`.

        Args:
            which: Its kind and id, its index, or an equal record.
            whose: From whose history.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given, or there
                is no equal record.
            LookupError: There is no such index or identity, or the fake holds no such history.
        """
        with self.lock:
            entry = self._store.named(whose).remove(which)
            self._tell("deleted", self._store.keys(whose), before=entry)

    # What happens to persons, deals and organizations

    def create(self, **whose: Unpack[Whose]) -> None:
        """One appears, with an empty history: `fake.create(person=7)`.

        Raises:
            ValueError: None of `person`, `deal` and `organization` is given, or there is one.
        """
        with self.lock:
            for key in owner_keys(whose):
                self._store.create(key)
                kind, number = key
                at = self.clock.now()
                self._emit(Happening("added", kind, number, at, (key,), after={"id": number}))

    def merge(self, *, into: int, **whose: Unpack[Whose]) -> None:
        """Two become one: `fake.merge(person=7, into=8)` gives 8 the history of 7, which is gone.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given, or both
                are the same.
            LookupError: The fake holds no such history.
        """
        with self.lock:
            self._store.named(whose)
            [source] = self._store.keys(whose)
            kind, number = source
            [target] = self._store.keys(cast("Whose", {kind: into}))
            if source == target:
                raise ValueError(f"{kind} {number} cannot be merged into itself")
            for entry in reversed(self._store.drop(source).entries):
                self._store[target].add(entry.record)
            self._store.touch([target])
            self._emit(
                Happening(
                    "merged",
                    kind,
                    number,
                    self.clock.now(),
                    (source, target),
                    before={"id": number},
                    after={"id": into},
                )
            )

    def delete(self, **whose: Unpack[Whose]) -> None:
        """One is gone: after `fake.delete(person=7)` the history of 7 is answered with 404.

        Raises:
            ValueError: Not exactly one of `person`, `deal` and `organization` is given.
            LookupError: The fake holds no such history.
        """
        with self.lock:
            self._store.named(whose)
            [key] = self._store.keys(whose)
            self._store.drop(key)
            kind, number = key
            at = self.clock.now()
            self._emit(Happening("deleted", kind, number, at, (key,), before={"id": number}))

    def _tell(
        self,
        action: Action,
        keys: Iterable[OwnerKey],
        before: Entry | None = None,
        after: Entry | None = None,
    ) -> None:
        keys = tuple(keys)
        self._store.touch(keys)
        told = after or before
        if told is None or told.identity is None:  # odd records are told to nobody
            return
        kind, number = told.identity
        data = [None if entry is None else entry.record["data"] for entry in (before, after)]
        self._emit(Happening(action, kind, number, self.clock.now(), keys, *data))

    def _emit(self, happening: Happening) -> None:
        for listener in self._listeners:
            listener(happening)


def _give(data: dict[str, Any], field: str, left: int, to: int) -> None:
    data[field] = to
    participants = data.get("participants")
    for participant in participants if isinstance(participants, list) else ():
        if field == "person_id" and participant.get(field) == left:
            participant[field] = to

"""What goes on in an account by itself, drawn from a seed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeflow.testing.histories.cast import Cast
from pipeflow.testing.histories.generation import SHARES
from pipeflow.testing.histories.mails import mail_time
from pipeflow.testing.histories.payloads import wire_time
from pipeflow.testing.histories.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeflow.testing.account import Account
    from pipeflow.testing.entries import Entry

__all__ = ["Life"]

_FIRST_ID: Final = 1_000_000
"""Far above those of the generated histories."""

_WITHIN: Final = 30
"""So many of the newest records are edited, moved and removed."""

_DEEDS: Final = {
    "add": 50,
    "plan": 14,
    "finish": 10,
    "edit": 12,
    "backdate": 6,
    "move": 4,
    "remove": 4,
}
"""How often each thing happens, of a hundred. One that cannot happen is a new record instead."""


class Life:
    """Records that appear, are done, edited, moved and removed, the same for the same seed.

    Attributes:
        steps: How many things have happened.
        stopped: Whether nothing more happens by itself.
    """

    def __init__(self, account: Account, *, seed: int, persons: Iterable[int]) -> None:
        self.steps: int = 0
        self.stopped: bool = False
        self._account = account
        self._persons = sorted(persons)
        if not self._persons:
            raise ValueError("there is nobody to whom something could happen")
        self._chance = random.Random(seed)
        self._casts = {person: Cast.around(person) for person in self._persons}
        self._next_id = _FIRST_ID
        self._deeds: dict[str, Callable[[int], None]] = {
            "add": self._add,
            "plan": self._plan,
            "finish": self._finish,
            "edit": self._edit,
            "backdate": self._backdate,
            "move": self._move,
            "remove": self._remove,
        }

    def step(self) -> None:
        """Let one thing happen now, to one of the persons that are still there.

        Raises:
            LookupError: All of them are gone.
        """
        [deed] = self._chance.choices(list(_DEEDS), list(_DEEDS.values()))
        with self._account.lock:
            self._persons = [each for each in self._persons if self._account.exists(person=each)]
            if not self._persons:
                raise LookupError("there is nobody left to whom something could happen")
            self._deeds[deed](self._chance.choice(self._persons))
        self.steps += 1

    def stop(self) -> None:
        """Let nothing more happen by itself."""
        self.stopped = True

    def wait(self, rate: float) -> float:
        """Draw the seconds until the next thing happens, `1 / rate` on average."""
        return self._chance.expovariate(rate)

    def _add(self, person: int) -> None:
        [kind] = self._chance.choices(list(SHARES), list(SHARES.values()))
        self._appear(person, self._story(person).record(kind, self._account.clock.now()))

    def _backdate(self, person: int) -> None:
        now = self._account.clock.now()
        past = now - timedelta(hours=self._chance.randint(2, 600))
        kind = self._chance.choice(["note", "call", "mailMessage"])
        record = self._story(person).record(kind, past)
        # Its own time is long ago, but not that at which Pipedrive wrote it.
        data = record["data"]
        for name in ("add_time", "update_time"):
            if name in data:
                data[name] = mail_time(now) if kind == "mailMessage" else wire_time(now)
        self._appear(person, record)

    def _plan(self, person: int) -> None:
        self._appear(person, self._story(person).pending_activity())

    def _story(self, person: int) -> Story:
        return Story(self._chance, self._casts[person], self._account.clock.now())

    def _appear(self, person: int, record: dict[str, Any]) -> None:
        data = record["data"]
        self._next_id += 1
        if "uuid" in data:
            data["uuid"] = f"{self._next_id:08x}-11fe-4000-8000-000000000000"
        else:
            data["id"] = self._next_id
        self._account.add(record, person=person)

    def _finish(self, person: int) -> None:
        entry = self._some_record(person, undone=True)
        if entry is None:
            self._add(person)
        else:
            self._account.mark_done(entry.record["data"]["id"], person=person)

    def _edit(self, person: int) -> None:
        entry = self._some_record(person)
        if entry is None or entry.identity is None:
            self._add(person)
        else:
            field = "content" if entry.identity[0] == "note" else "subject"
            at = wire_time(self._account.clock.now())
            self._account.edit(*entry.identity, {field: f"Edited at {at}"}, person=person)

    def _move(self, person: int) -> None:
        entry = self._some_record(person)
        others = [other for other in self._persons if other != person]
        if entry is None or entry.identity is None or not others:
            self._add(person)
        else:
            self._account.move(*entry.identity, person=person, to=self._chance.choice(others))

    def _remove(self, person: int) -> None:
        entry = self._some_record(person)
        if entry is None:
            self._add(person)
        else:
            self._account.remove(entry.identity, person=person)

    def _some_record(self, person: int, *, undone: bool = False) -> Entry | None:
        """One of the newest notes and activities, or of those that are not done."""
        found = [
            entry
            for entry in self._account.newest(_WITHIN, person=person)
            if entry.identity is not None
            and (entry.order[0] if undone else entry.identity[0] in {"note", "activity"})
        ]
        return self._chance.choice(found) if found else None

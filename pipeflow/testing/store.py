"""The histories that the server holds, by whose they are."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pipeflow.testing.collection import History, Pace
from pipeflow.testing.entries import Entry, encode, to_json
from pipeflow.testing.histories import BASE_TIME, generate_history, generate_related
from pipeflow.testing.requests import Whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeflow.testing.answers import RelatedDirectory

__all__ = ["OwnerKey", "Store", "demo_store", "given_store", "owner_keys"]

OwnerKey: TypeAlias = tuple[str, int]
"""Whose history it is, such as `("person", 1101)`."""

_DEMO_PERSON: Final = 1101
_DEMO_DEAL: Final = 11011
_DEMO_ORGANIZATION: Final = 5101


class Store:
    """Histories by kind and id, and the related objects that their pages name.

    Attributes:
        lock: Held by whoever reads or changes a history, in whichever thread.
    """

    def __init__(
        self,
        entries: Mapping[OwnerKey, Iterable[Entry]],
        related: RelatedDirectory,
        pace: Pace | None = None,
    ) -> None:
        self.related = related
        self.pace: Pace = Pace() if pace is None else pace
        self.lock: threading.RLock = threading.RLock()
        self._histories = {key: History(each, self.pace) for key, each in entries.items()}
        self._changed_at: dict[OwnerKey, datetime] = {}

    def find(self, whose: Whose) -> History | None:
        """The history of this person, deal or organization, or None."""
        [key] = whose.items()
        return self._histories.get(cast("OwnerKey", key))

    def named(self, whose: Whose) -> History:
        """The same for a test that names one history, which has to be there.

        Raises:
            ValueError: Not exactly one of the three ids is given.
            LookupError: The server holds no such history.
        """
        if len(whose) != 1:
            raise ValueError("name one history: person=…, deal=… or organization=…")
        [key] = self.keys(whose)
        return self._histories[key]

    def keys(self, whose: Whose) -> list[OwnerKey]:
        """The kinds and ids of one or several histories that a test names.

        Raises:
            ValueError: None of the three ids is given, or another one.
            LookupError: The server holds no such history.
        """
        keys = owner_keys(whose)
        for kind, number in keys:
            if (kind, number) not in self._histories:
                raise LookupError(f"the fake holds no {kind} {number}")
        return keys

    def __getitem__(self, key: OwnerKey) -> History:
        return self._histories[key]

    def ids(self, kind: str) -> list[int]:
        """The ids of all persons, deals or organizations."""
        return sorted(number for each, number in self._histories if each == kind)

    def related_object(self, kind: str, number: int) -> dict[str, Any] | None:
        """What pages say of a user, person, deal or organization, or None."""
        encoded = self.related.get(kind, {}).get(number)
        if encoded is None:
            return None
        found: dict[str, Any] = json.loads(b"{%b}" % encoded)[str(number)]
        return found

    def create(self, key: OwnerKey) -> None:
        """Make room for one more, with an empty history.

        Raises:
            ValueError: There is one with this id.
        """
        if key in self._histories:
            raise ValueError("the fake holds {} {} already".format(*key))
        self._histories[key] = History((), self.pace)
        self.touch([key])

    def drop(self, key: OwnerKey) -> History:
        """Forget one of them; what its history was."""
        return self._histories.pop(key)

    def touch(self, keys: Iterable[OwnerKey]) -> None:
        """They have changed just now."""
        now = self.pace.clock.now().replace(microsecond=0)
        self._changed_at.update(dict.fromkeys(keys, now))

    def changed_at(self, key: OwnerKey) -> datetime:
        """When one of them changed last, to the second: by what happened, or by its history."""
        if key not in self._changed_at:
            past = [entry.order[1] for entry in self._histories[key].entries if not entry.order[0]]
            self._changed_at[key] = parse_wire_time(max(past, default=""))
        return self._changed_at[key]


def owner_keys(whose: Whose) -> list[OwnerKey]:
    """The kinds and ids that a test names, whether they are there or not.

    Raises:
        ValueError: None of the three ids is given, or another one.
    """
    if not whose or not whose.keys() <= Whose.__annotations__.keys():
        raise ValueError("name one history: person=…, deal=… or organization=…")
    return cast("list[OwnerKey]", list(whose.items()))


def parse_wire_time(text: str) -> datetime:
    """The time that a record says; that of the generated histories where it says none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return BASE_TIME


def given_store(
    histories: Mapping[str, Mapping[int, Iterable[Any]]],
    related: Mapping[str, Mapping[int, Any]] | None,
    pace: Pace | None = None,
) -> Store:
    """The histories that a test gives, by kind and id. One given to many ids is encoded once."""
    encoded: dict[int, tuple[Entry, ...]] = {}
    entries = {}
    for kind, by_id in histories.items():
        for number, records in by_id.items():
            # The mapping keeps `records` alive, so nothing else can have this identity meanwhile.
            if id(records) not in encoded:
                encoded[id(records)] = tuple(map(encode, records))
            entries[kind, number] = encoded[id(records)]
    return Store(entries, _encode_related({} if related is None else related), pace)


def demo_store(pace: Pace | None = None) -> Store:
    """Person 1101 with some 1,200 updates, one of her deals and her organization."""
    return Store(_demo_entries(), _encode_related(generate_related(person_id=_DEMO_PERSON)), pace)


@cache
def _demo_entries() -> dict[OwnerKey, tuple[Entry, ...]]:
    # Immutable and always the same: made once for all the servers of a test run.
    return {
        ("person", _DEMO_PERSON): tuple(map(encode, generate_history(size=1270))),
        ("deal", _DEMO_DEAL): tuple(map(encode, generate_history(size=180, about="deal"))),
        ("organization", _DEMO_ORGANIZATION): tuple(
            map(encode, generate_history(size=320, about="organization"))
        ),
    }


def _encode_related(related: Mapping[str, Mapping[int, Any]]) -> RelatedDirectory:
    return {
        kind: {number: b'"%d":%b' % (number, to_json(value)) for number, value in objects.items()}
        for kind, objects in related.items()
    }

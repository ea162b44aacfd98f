"""The histories that the server holds, by whose they are."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from pipeflow.testing.collection import Entry, History, encode, to_json
from pipeflow.testing.histories import generate_history, generate_related
from pipeflow.testing.requests import Whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeflow.testing.answers import RelatedDirectory

__all__ = ["Store", "demo_store", "given_store"]

_DEMO_PERSON: Final = 1101
_DEMO_DEAL: Final = 11011
_DEMO_ORGANIZATION: Final = 5101


class Store:
    """Histories by kind and id, and the related objects that their pages name."""

    def __init__(
        self,
        entries: Mapping[tuple[str, int], Iterable[Entry]],
        related: RelatedDirectory,
    ) -> None:
        self.related = related
        self._histories = {key: History(each) for key, each in entries.items()}

    def find(self, whose: Whose) -> History | None:
        """The history of this person, deal or organization, or None."""
        [key] = whose.items()
        return self._histories.get(cast("tuple[str, int]", key))

    def named(self, whose: Whose) -> History:
        """The same for a test that names one history, which has to be there.

        Raises:
            ValueError: Not exactly one of the three ids is given.
            LookupError: The server holds no such history.
        """
        if len(whose) != 1 or not whose.keys() <= Whose.__annotations__.keys():
            raise ValueError("name one history: person=…, deal=… or organization=…")
        history = self.find(whose)
        if history is None:
            [(kind, number)] = whose.items()
            raise LookupError(f"the fake holds no {kind} {number}")
        return history


def given_store(
    histories: Mapping[str, Mapping[int, Iterable[Any]]],
    related: Mapping[str, Mapping[int, Any]] | None,
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
    return Store(entries, _encode_related({} if related is None else related))


def demo_store() -> Store:
    """Person 1101 with some 1,200 updates, one of her deals and her organization."""
    return Store(_demo_entries(), _encode_related(generate_related(person_id=_DEMO_PERSON)))


@cache
def _demo_entries() -> dict[tuple[str, int], tuple[Entry, ...]]:
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

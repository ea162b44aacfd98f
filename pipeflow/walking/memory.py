"""Collections that forget, so that a walk of any length takes as much memory as a long one."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Log", "Recent"]

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Recent(Generic[KeyT, ValueT]):
    """A dict that remembers at least the last `least` keys, and at most twice as many."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._newer: dict[KeyT, ValueT] = {}
        self._older: dict[KeyT, ValueT] = {}
        self.has_forgotten: bool = False

    def __bool__(self) -> bool:
        return bool(self._newer)

    def __contains__(self, key: object) -> bool:
        return key in self._newer or key in self._older

    def __setitem__(self, key: KeyT, value: ValueT) -> None:
        if len(self._newer) == self._least:
            self.has_forgotten = self.has_forgotten or bool(self._older)
            self._older = self._newer
            self._newer = {}
        self._newer[key] = value

    def get(self, key: KeyT | None) -> ValueT | None:
        """The value of a key that is remembered, else None."""
        if key is None:
            return None
        value = self._newer.get(key)
        return self._older.get(key) if value is None else value


class Log:
    """A list that counts all its items, and remembers at least the last `least` of them."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._items: list[int] = []
        self.count: int = 0

    @property
    def has_forgotten(self) -> bool:
        """Whether there were more items than are remembered."""
        return self.count > len(self._items)

    def append(self, item: int) -> None:
        """Adds an item, and may forget the oldest."""
        if len(self._items) == 2 * self._least:
            del self._items[: self._least]
        self._items.append(item)
        self.count += 1

    def index(self, item: int) -> int:
        """How many items came before the first that equals this one; of all, if none does."""
        start = self.count - len(self._items)
        return start + self._items.index(item) if item in self._items else self.count

    def since(self, count: int) -> list[int]:
        """The items after the first `count`, as far as they are remembered."""
        return self._items[max(0, count - self.count + len(self._items)) :]

"""What a walk remembers of the records it has read, and which records of a page are new to it.

A few words, used in this module and in `joining`:

- The *overlap* of a page is how many records it repeats if nothing has changed since the page
  before.
- A page *joins* what was read when no record can lie between the two.
- The *anchor* of a page is the known record furthest down in it that has not moved.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeflow.walking.identity import content, identity, place
from pipeflow.walking.memory import Log, Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeflow.records import FlowUpdate
    from pipeflow.walking.identity import Identity, Place

__all__ = ["REMEMBERED_RECORDS", "Seen"]

REMEMBERED_RECORDS = 2500
"""At least so many of the last records are remembered, and at most twice as many. They are five of
the largest pages: a history would have to shift by more between two requests before a walk lost
its bearings, and then it says so."""

FEW_RECORDS = 8
"""From fewer known records nothing is concluded about all."""


class Seen:
    """The records that a walk has read, up to where in the history it has come.

    Records without an id are told apart by their content, but only near those with one, or where
    whole runs of them agree. Memory is bounded; see `REMEMBERED_RECORDS`.
    """

    def __init__(self) -> None:
        self._known: Recent[Identity, tuple[Place, int]] = Recent(REMEMBERED_RECORDS)
        """By identity: the place, and how many records without an id were read before."""
        self._nameless: Log = Log(REMEMBERED_RECORDS)
        """The contents of the records without an id, in their order."""
        self._run_start = 0
        """How many of them were read before the last record with an id of the last page."""
        self._at = 0
        """How many of them stand before the end of the last page."""
        self._sample: tuple[Identity, int] | None = None
        """A record with an id, followed by one without, and its content."""
        self.contents_last: bool = True
        """Whether a record says the same in each answer, as far as can be told."""
        self._places_last = True
        self._offsets_are_trusted = False

    @property
    def has_forgotten(self) -> bool:
        """Whether records were read that are not remembered any more."""
        return self._known.has_forgotten or self._nameless.has_forgotten

    @property
    def has_ids(self) -> bool:
        """Whether a record with an id was read."""
        return bool(self._known)

    def knows_any(self, page: Sequence[FlowUpdate]) -> bool:
        """Whether one of a page's records was read, or one that looks the same and has no id."""
        contents = set(self._nameless.since(0))
        return any(
            named in self._known if (named := identity(update)) else content(update) in contents
            for update in page
        )

    def stands_in(self, page: Sequence[FlowUpdate]) -> bool:
        """Whether a page has a known record that has not moved, wherever in it."""
        return any(self._stands(update, identity(update)) for update in page)

    def compare_places(self, page: Sequence[FlowUpdate]) -> None:
        """Notices, from a page that was read before, that nearly all records have moved.

        Then places say nothing, as when each answer tells other times; identities still do.
        """
        names = [identity(update) for update in page]
        known = self._known_in(names)
        moved = [at for at in known if not self._stands(page[at], names[at])]
        if len(known) >= FEW_RECORDS and len(moved) > 0.9 * len(known):
            self._places_last = False

    def trust_offsets(self) -> None:
        """Believe from now on that records without an id stand where they stood.

        For records that each answer words differently: they cannot be recognised.
        """
        self._offsets_are_trusted = True

    def is_joined_by(self, page: Sequence[FlowUpdate], overlap: int) -> bool:
        """Whether a page joins what was read.

        It does when its first record with an id is known and has not moved. Where the overlap has
        no record with an id, the page must begin with a run of the last records read.

        Args:
            page: The records of the page.
            overlap: How many of them were read before, if nothing has changed.
        """
        for update in page:
            named = identity(update)
            if self._stands(update, named):
                return True
            if named is not None and named not in self._known:
                break
        names = [identity(update) for update in page]
        return self._repeated_run(page, names, overlap) is not None

    def read(
        self, page: Sequence[FlowUpdate], overlap: int, *, from_head: bool = False
    ) -> tuple[FlowUpdate, ...]:
        """The records of a page that are new. From now on they are known.

        Args:
            page: The records of a page that joins what was read, or begins at offset 0.
            overlap: How many of them were read before, if nothing has changed.
            from_head: Whether unknown records before all known ones are new, too: they are unless
                they may be those before the walk's first record, or forgotten ones.
        """
        names = [identity(update) for update in page]
        standing = [at for at in self._known_in(names) if self._stands(page[at], names[at])]
        if standing:
            begin = 0 if from_head else standing[0]
            fresh = self._around(page, names, begin, standing[-1])
        else:
            fresh = self._without_anchor(page, names, overlap, from_head=from_head)
        self._remember(page, names, fresh, overlap)
        return tuple(page[at] for at in fresh)

    # ---- which are new, by their index in the page

    def _around(
        self, page: Sequence[FlowUpdate], names: Sequence[Identity | None], begin: int, anchor: int
    ) -> list[int]:
        """Before the anchor, the last known record, those with an unknown id; after it all.

        Less the records without an id that followed the anchor when it was read.
        """
        before = [
            at
            for at in range(begin, anchor)
            if (named := names[at]) is not None and named not in self._known
        ]
        after = [at for at in range(anchor + 1, len(page)) if names[at] not in self._known]
        _, read_before = self._known.get(names[anchor]) or (None, 0)
        repeated = self._nameless.since(read_before)
        if not repeated:
            return before + after
        self._compare_contents(page, names)
        left = _less_copies(page, names, after, repeated)
        if len(left) == len(after) and not self.contents_last:
            nameless = [at for at in after if names[at] is None]
            gone = set(nameless[: len(repeated)])
            left = [at for at in after if at not in gone]
        return before + left

    def _without_anchor(
        self,
        page: Sequence[FlowUpdate],
        names: Sequence[Identity | None],
        overlap: int,
        *,
        from_head: bool,
    ) -> list[int]:
        repeated = self._repeated_run(page, names, overlap)
        if repeated is not None:
            return [at for at in range(repeated, len(page)) if names[at] not in self._known]
        rest = [at for at in range(len(page)) if names[at] not in self._known]
        read = self._nameless.since(0)
        if not from_head:
            contents = set(read)
            known = (
                at
                for at, update in enumerate(page)
                if names[at] in self._known or (names[at] is None and content(update) in contents)
            )
            first = next(known, len(page))
            rest = [at for at in rest if at > first]
        return _less_copies(page, names, rest, read)

    def _repeated_run(
        self, page: Sequence[FlowUpdate], names: Sequence[Identity | None], overlap: int
    ) -> int | None:
        """How many records at the head of a page repeat a run of those read without an id.

        None when there is no such run, or when the overlap holds a record with an id, which tells
        more.
        """
        run = self._at - self._run_start
        if overlap < 0 or (overlap > run and self.has_ids):
            return None
        expected = self._nameless.since(self._at - overlap)
        length = next((at for at, named in enumerate(names) if named is not None), len(page))
        if self._offsets_are_trusted:
            return min(len(expected), length)
        if overlap == 0:
            return None
        head = [content(update) for update in page[:length]]
        common = min(len(expected), len(head))
        if common >= overlap and head[:common] == expected[:common]:
            return common
        # Some may have appeared late, so that they were read in another order.
        if overlap <= len(head) and Counter(head[:overlap]) == Counter(expected[:overlap]):
            return overlap
        return _longest_run(self._nameless.since(self._run_start), head) or None

    # ---- what is remembered

    def _stands(self, update: FlowUpdate, named: Identity | None) -> bool:
        """Whether a record is known and has not moved."""
        known = None if named is None else self._known.get(named)
        return known is not None and (not self._places_last or known[0] == place(update))

    def _known_in(self, names: Sequence[Identity | None]) -> list[int]:
        return [at for at, named in enumerate(names) if named in self._known]

    def _compare_contents(
        self, page: Sequence[FlowUpdate], names: Sequence[Identity | None]
    ) -> None:
        """Notices a history whose records are worded differently in each answer."""
        if self._sample is not None and self._sample[0] in names:
            again = page[names.index(self._sample[0])]
            self.contents_last = content(again) == self._sample[1]

    def _remember(
        self,
        page: Sequence[FlowUpdate],
        names: Sequence[Identity | None],
        fresh: Sequence[int],
        overlap: int,
    ) -> None:
        new = set(fresh)
        for at, update in enumerate(page):
            named = names[at]
            if named is None:
                if at in new:
                    self._nameless.append(content(update))
                    if at and (before := names[at - 1]) is not None:
                        self._sample = (before, content(page[at - 1]))
            elif at in new or (named in self._known and not self._stands(update, named)):
                self._known[named] = (place(update), self._nameless.count)
        last = next((at for at in range(len(page) - 1, -1, -1) if names[at] is not None), None)
        if fresh and last is None:
            self._at = self._nameless.count
        elif last is None and overlap > self._at - self._run_start and page:
            self._at = self._nameless.index(content(page[-1])) + 1
            self._run_start = max(self._at - len(page), 0)
        elif last is None:
            self._at += len(page) - overlap
        else:
            _, self._run_start = self._known.get(names[last]) or (None, 0)
            self._at = self._run_start + len(page) - 1 - last
        self._at = min(self._at, self._nameless.count)


def _less_copies(
    page: Sequence[FlowUpdate],
    names: Sequence[Identity | None],
    among: Sequence[int],
    contents: Sequence[int],
) -> list[int]:
    """Those of a page's records that are no copies, each content standing for one copy."""
    copies = Counter(contents)
    left = []
    for at in among:
        if names[at] is None and copies[found := content(page[at])] > 0:
            copies[found] -= 1
        else:
            left.append(at)
    return left


def _longest_run(read: Sequence[int], page: Sequence[int]) -> int:
    """How many items at the head of a page are the last ones read, or stand among them.

    Takes time in proportion to both lengths, however many items are equal (Knuth, Morris, Pratt).
    """
    borders = [0] * len(page)
    length = 0
    for at in range(1, len(page)):
        while length and page[at] != page[length]:
            length = borders[length - 1]
        length += page[at] == page[length]
        borders[at] = length
    length = 0
    for item in read:
        if length == len(page):
            break
        while length and item != page[length]:
            length = borders[length - 1]
        length += bool(page) and item == page[length]
    return length

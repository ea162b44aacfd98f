from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from pipeflow.walking.seen import REMEMBERED_RECORDS, Seen, _longest_run
from tests.walking.collection import note, numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeflow.records import FlowUpdate


def page(*numbers: int, wording: object = None) -> tuple[FlowUpdate, ...]:
    """Notes; those numbered below 0 have no id."""
    return tuple(note(number, wording=wording) for number in numbers)


def moved(update: FlowUpdate) -> FlowUpdate:
    return evolve(update, timestamp=None)


def having_read(*pages: Sequence[FlowUpdate]) -> Seen:
    seen = Seen()
    for number, updates in enumerate(pages):
        seen.read(updates, min(number, 1), from_head=True)
    return seen


# ---- what is new


@pytest.mark.parametrize(
    ("again", "new"),
    [
        (page(3, 4, 5), [4, 5]),
        (page(2, 3, 4), [4]),
        (page(1, 9, 3, 4), [9, 4]),  # inserted
        (page(1, 4, 5), [4, 5]),  # 2 and 3 are gone
        (page(1, 2), []),
        (page(3, 4, 4), [4, 4]),  # said twice in one answer
        (page(9, 3, 4), [4]),
        (page(-9, 3, -8, 4), [-8, 4]),
    ],
)
def test_before_the_anchor_unknown_ids_are_new_and_after_it_all_are(
    again: Sequence[FlowUpdate], new: list[int]
) -> None:
    assert numbers_of(having_read(page(1, 2, 3)).read(again, 1)) == new


def test_at_the_head_unknown_records_before_all_known_ones_are_new() -> None:
    seen = having_read(page(1, 2, 3))
    assert numbers_of(seen.read(page(8, -9, 1, 2, 3, 4), 3, from_head=True)) == [8, 4]


def test_what_was_read_is_known_from_then_on() -> None:
    seen = having_read(page(1, 2, 3), page(3, 4, 5))
    assert numbers_of(seen.read(page(5, 1, 6), 1)) == [6]
    assert seen.read(page(4, 5, 6), 3) == ()


def test_a_record_that_has_moved_is_no_anchor_and_does_not_come_again() -> None:
    seen = having_read(page(1, 2, 3, -1))
    again = (*page(3, -1, 4), moved(note(1)), *page(-2, 5))
    assert numbers_of(seen.read(again, 2)) == [4, -2, 5]
    # Where it stands now is known, too.
    assert seen.is_joined_by((moved(note(1)), *page(5, 6)), 1)


def test_an_edited_record_does_not_come_again() -> None:
    seen = having_read(page(1, 2, 3))
    assert numbers_of(seen.read(page(2, 3, 4, wording="edited"), 2)) == [4]


@pytest.mark.parametrize(
    ("again", "new"),
    [
        (page(2, -1, -1, -1, 3), [-1, 3]),  # two of them were read
        (page(2, -1, -2, 3), [-2, 3]),
        (page(2, 9, -1, -1, 3), [9, 3]),
        (page(1, -7, 2, -1), []),
        (page(2, -2), [-2]),
    ],
)
def test_as_many_copies_as_followed_the_anchor_are_not_new(
    again: Sequence[FlowUpdate], new: list[int]
) -> None:
    assert numbers_of(having_read(page(1, -7, 2, -1, -1)).read(again, 3)) == new


def test_where_contents_differ_in_each_answer_as_many_are_not_new() -> None:
    seen = having_read(page(1, 2, -1, -2, wording="first"))
    assert numbers_of(seen.read(page(2, -1, -2, -3, 4, wording="second"), 3)) == [-3, 4]
    assert not seen.contents_last
    assert numbers_of(seen.read(page(4, 5, wording="third"), 1)) == [5]


def test_the_content_of_the_record_before_tells_whether_contents_differ() -> None:
    seen = having_read(page(1, 2, -1))
    assert numbers_of(seen.read(page(2, -2, 3), 2)) == [-2, 3]
    assert seen.contents_last


# ---- what joins


@pytest.mark.parametrize(
    ("again", "joins"),
    [
        (page(3, 4), True),
        (page(1, 4), True),
        (page(-1, -1, 3), True),
        (page(4, 3), False),
        (page(-1, 4, 3), False),
        (page(-1), False),
        ((), False),
        ((moved(note(3)), note(4)), False),
        ((moved(note(3)), note(2)), True),
        (page(3, 4, wording="edited"), True),
    ],
)
def test_a_page_joins_when_its_first_record_with_an_id_is_known_and_has_not_moved(
    again: Sequence[FlowUpdate], *, joins: bool
) -> None:
    assert having_read(page(1, 2, 3)).is_joined_by(again, 1) is joins


@pytest.mark.parametrize(
    ("again", "overlap", "new"),
    [
        (page(-3, -4), 1, [-4]),
        (page(-2, -3, -4), 2, [-4]),
        (page(-1, -2, -3, -4), 1, [-4]),  # one has appeared
        (page(-1, -2), 1, []),
        (page(-3, 5), 1, [5]),
        (page(-4, -5), 1, None),
        (page(5, -3), 1, None),
        (page(-3, -2, -9), 2, [-9]),  # read in another order
        (page(-2, -1, -9), 2, None),
        (page(-3, -4), 4, None),  # the overlap holds a record with an id
    ],
)
def test_where_the_overlap_has_no_id_a_run_must_be_repeated(
    again: Sequence[FlowUpdate], overlap: int, new: list[int] | None
) -> None:
    seen = having_read(page(1, -1, -2, -3))
    assert seen.is_joined_by(again, overlap) is (new is not None)
    if new is not None:
        assert numbers_of(seen.read(again, overlap)) == new


def test_equal_records_without_an_id_are_told_by_where_they_stand() -> None:
    seen = having_read(page(-1, -1, -1))
    assert seen.is_joined_by(page(-1, -1, -1), 1)
    assert numbers_of(seen.read(page(-1, -1, -1), 1)) == [-1, -1]
    assert numbers_of(seen.read(page(-1, -1, 2), 2)) == [2]


def test_a_page_in_the_middle_of_what_was_read_repeats_what_follows_it_too() -> None:
    seen = having_read(page(1, -1, -2, -3, -4, -5))
    assert seen.read(page(1, -1, -2), 6) == ()
    assert numbers_of(seen.read(page(-2, -3, -4), 1)) == []
    assert numbers_of(seen.read(page(-4, -5, -6), 1)) == [-6]


def test_a_page_before_the_run_is_found_by_what_it_says() -> None:
    seen = having_read(page(-1, -2, 3, -4))
    assert seen.read(page(-1, -2), 4, from_head=True) == ()
    assert numbers_of(seen.read(page(-2, 3, -4, -5), 1)) == [-5]


def test_what_is_unknown_before_all_known_records_is_not_new_away_from_the_head() -> None:
    seen = having_read(page(-1, -2))
    assert numbers_of(seen.read(page(-8, 9, -1, 5, -2, -3), 1)) == [5, -3]
    assert numbers_of(Seen().read(page(-8, 9), 1)) == []


def test_trusted_offsets_need_no_contents() -> None:
    seen = having_read(page(-1, -2, wording="first"))
    again = page(-2, -3, wording="second")
    assert not seen.is_joined_by(again, 1)
    seen.trust_offsets()
    assert seen.is_joined_by(again, 1)
    assert numbers_of(seen.read(again, 1)) == [-3]


# ---- what else is asked


def test_what_a_page_knows() -> None:
    seen = having_read(page(1, -1))
    assert [seen.knows_any(page(*numbers)) for numbers in ([1], [5, -1], [5, -2], [])] == [
        True,
        True,
        False,
        False,
    ]
    assert seen.stands_in(page(5, 1))
    assert not seen.stands_in((*page(5, -1), moved(note(1))))
    assert seen.has_ids
    assert not having_read(page(-1)).has_ids


def test_where_nearly_all_have_moved_places_say_nothing() -> None:
    again = tuple(map(moved, page(*range(8))))
    for known, nothing in ((8, True), (7, False)):
        seen = having_read(page(*range(known)))
        seen.compare_places(again)
        assert seen.is_joined_by(again, known) is nothing
    seen = having_read(page(*range(9)))
    seen.compare_places((*again, note(8)))
    assert not seen.is_joined_by(again, 8)


def test_at_least_five_of_the_largest_pages_are_remembered() -> None:
    assert REMEMBERED_RECORDS == 2500
    for sign in (1, -1):
        seen = Seen()
        pages = [page(*(sign * n for n in range(at, at + 500))) for at in range(1, 5001, 500)]
        for updates in pages:
            seen.read(updates, 0, from_head=True)
        assert not seen.has_forgotten
        assert seen.knows_any(pages[0])
        seen.read(page(sign * 6000), 0, from_head=True)
        assert seen.has_forgotten
        assert [seen.knows_any(updates) for updates in pages] == [False] * 5 + [True] * 5


# ---- the longest run


@pytest.mark.parametrize(
    ("read", "found", "length"),
    [
        ([1, 2, 3], [3, 4], 1),
        ([1, 2, 3], [2, 3, 4], 2),
        ([1, 2, 3], [1, 2], 2),
        ([1, 2, 3, 4], [2, 3], 2),
        ([1, 2, 3], [1, 3], 0),
        ([1, 1, 2, 1, 1], [1, 1, 3], 2),
        ([1, 1, 1, 2], [1, 1, 2, 4], 3),
        ([1, 2, 1, 2, 1], [1, 2, 1, 3], 3),
        ([1, 2, 1, 2, 1, 3], [1, 2, 1, 3, 9], 4),
        ([1, 2], [], 0),
        ([], [1], 0),
    ],
)
def test_the_longest_run(read: list[int], found: list[int], length: int) -> None:
    assert _longest_run(read, found) == length


def test_thousands_of_equal_records_take_time_in_proportion() -> None:
    class Counted(int):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return int(self) == other

        def __ne__(self, other: object) -> bool:
            Counted.compared += 1
            return int(self) != other

        __hash__ = int.__hash__

    read = [Counted(1) for _ in range(3000)] + [Counted(2)]
    assert _longest_run(read, [Counted(1) for _ in range(499)] + [Counted(3)]) == 0
    assert Counted.compared < 8 * (3001 + 500)

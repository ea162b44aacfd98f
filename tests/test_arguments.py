from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pipeflow.arguments import check_flag, check_int, check_moment, check_seconds, plain_int

if TYPE_CHECKING:
    from tests.conftest import Wrong


class Numpys:
    """Has `__index__` alone, as `numpy.int64` has it."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value  # type: ignore[return-value]


class Person(int, enum.Enum):
    SAM = 7


class Deal(enum.IntEnum):
    BIG = 7


@pytest.mark.parametrize("value", [7, Numpys(7), Person.SAM, Deal.BIG])
def test_every_kind_of_int_becomes_a_plain_one(value: Wrong) -> None:
    for number in (check_int("id", value, least=1), plain_int(value)):
        assert type(number) is int
        assert f"{number}" == "7"


@pytest.mark.parametrize("value", [True, 7.0, "7", None, Numpys("7"), object])
def test_what_is_not_an_int_is_refused_and_stays_what_it_is(value: Wrong) -> None:
    assert plain_int(value) is value
    with pytest.raises(TypeError, match="id must be an int, not"):
        check_int("id", value, least=1)


@pytest.mark.parametrize(("most", "bounds"), [(None, "1 or more"), (9, "from 1 to 9")])
def test_the_bounds_of_an_int_are_named(most: int | None, bounds: str) -> None:
    assert check_int("size", 1, least=1, most=most) == 1
    assert check_int("size", 9, least=1, most=most) == 9
    for value in (0, -1, *([] if most is None else [10])):
        with pytest.raises(ValueError, match=f"^size must be {bounds}, not {value}$"):
            check_int("size", value, least=1, most=most)


def test_seconds_are_a_number_above_zero() -> None:
    check_seconds("wait", 1)
    check_seconds("wait", 0.001)
    check_seconds("wait", float("inf"))
    check_seconds("wait", 0, zero=True)
    for value in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="wait must be more than 0 seconds"):
            check_seconds("wait", value)
    with pytest.raises(ValueError, match="wait must be 0 or more seconds, not -1"):
        check_seconds("wait", -1, zero=True)
    for wrong in ("1", None, True):
        with pytest.raises(TypeError, match="wait must be a number of seconds"):
            check_seconds("wait", wrong)


def test_a_flag_is_a_bool() -> None:
    check_flag("strict", value=True)
    check_flag("strict", value=False)
    for value in (0, 1, None, "yes"):
        with pytest.raises(TypeError, match="strict must be True or False"):
            check_flag("strict", value)


def test_a_moment_has_a_time_zone() -> None:
    check_moment("since", datetime(2026, 5, 4, tzinfo=UTC))
    check_moment("since", datetime(2026, 5, 4, tzinfo=timezone(timedelta(hours=-3))))
    with pytest.raises(ValueError, match=r"since must have a time zone, such as .*, not dat"):
        check_moment("since", datetime(2026, 5, 4))  # noqa: DTZ001 - that is the point
    for value in (date(2026, 5, 4), "2026-05-04T10:00:00Z", 1.5, None):
        with pytest.raises(TypeError, match="since must be a datetime with a time zone, not"):
            check_moment("since", value)

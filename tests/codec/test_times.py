"""Times as the API writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from pipeflow.codec.times import read_date, read_datetime, read_duration, read_time


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-01 09:30:00",
        "2024-03-01T09:30:00Z",
        "2024-03-01T09:30:00.000Z",
        "2024-03-01T11:30:00+02:00",
        "2024-03-01T09:30:00",
        "2024-03-01T09:30:00.000",
        "2024-03-01 09:30:00.000",
        "2024-03-01 09:30:00,0",
        "2024-03-01 9:30",
        " 2024-03-01 09:30 ",
        "2024-03-01 09:30:00 UTC",
        "2024-03-01 09:30:00 Z",
        "2024-03-01 10:30:00+01",
        "2024-03-01 04:00:00-0530",
    ],
)
def test_a_time_is_aware_and_in_utc(text: str) -> None:
    moment = read_datetime(text)
    assert moment is not None
    assert moment == datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "09:30:00",
        "2024-03-01 09:30 +24:00",
        "2024-03-01 24:00:01",
        "2024-03-01 09:30:00." + "0" * 50,
        "2024-02-30 09:30:00Z",
        "now",
        "2024-02-30 09:30:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_datetime(text)


@pytest.mark.parametrize(
    "text",
    ["0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00.000Z", "-0001-11-30 00:00:00"],
)
def test_a_zero_date_names_none(text: str) -> None:
    assert read_datetime(text) is None
    assert read_date(text) is None


def test_a_day_as_a_time_is_its_midnight() -> None:
    assert read_datetime("2024-03-01") == datetime(2024, 3, 1, tzinfo=UTC)
    assert read_datetime("2024-02-29 24:00:00") == datetime(2024, 3, 1, tzinfo=UTC)


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    moment = datetime(2024, 3, 1, 9, 30, 0, 123_456, tzinfo=UTC)
    assert read_datetime("2024-03-01 09:30:00.123456789") == moment
    assert read_time("09:30:00.123456") == moment.time()


def test_midnight_as_a_day_is_the_day() -> None:
    assert read_date("2024-03-01 00:00:00") == date(2024, 3, 1)
    with pytest.raises(ValueError, match="2024-03-01 09:00"):
        read_date("2024-03-01 09:00")


def test_a_day_has_ten_characters() -> None:
    assert read_date("2024-03-01") == date(2024, 3, 1)
    with pytest.raises(ValueError, match="20240301"):
        read_date("20240301")


def test_a_time_of_day_may_have_seconds() -> None:
    assert read_time("09:30") == time(9, 30)
    assert read_time("09:30:15") == time(9, 30, 15)
    assert read_time("9:30") == time(9, 30)
    assert read_time("24:00") == time(0)
    with pytest.raises(ValueError, match="24:01"):
        read_time("24:01")


def test_a_duration_can_be_longer_than_a_day() -> None:
    assert read_duration("01:15") == timedelta(hours=1, minutes=15)
    assert read_duration("1000:00:01") == timedelta(hours=1000, seconds=1)


@pytest.mark.parametrize(
    "text", ["1:0", "01:60", "01:00:60", "-01:00", "\u0660\u0661:\u0660\u0660", "1234567:00"]
)
def test_anything_else_is_no_clock(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_duration(text)

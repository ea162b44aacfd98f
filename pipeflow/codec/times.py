"""Times as the API writes them, read and written.

Records have `2020-08-03 11:25:21`, in UTC; mail has ISO 8601, `2020-08-03T11:25:21.000Z`. A day is
`2020-06-09`, a time of day `10:00` or `10:00:00`, a duration `01:00` or `01:00:00`. All readers
raise ValueError for anything else; that a missing time is `""` or null is not their business.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "from_iso",
    "read_date",
    "read_datetime",
    "read_duration",
    "read_time",
    "write_datetime",
    "write_duration",
    "write_iso_datetime",
    "write_time",
]

_CLOCK = r"([0-9]{2,4}):([0-5][0-9])(?::([0-5][0-9]))?"
from_iso: Callable[[str], datetime] = datetime.fromisoformat


def read_datetime(text: str) -> datetime:
    """The aware UTC time that `text` names, in either of the two formats."""
    if len(text) == 19:  # YYYY-MM-DD HH:MM:SS
        return from_iso(text + "+00:00")  # several times as fast as `replace(tzinfo=UTC)`
    if "T" not in text:
        raise ValueError(text)
    moment = from_iso(text)
    if moment.tzinfo is UTC:  # as mail has it
        return moment
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:  # hours before year 1 or after year 9999
        raise ValueError(text) from error


def read_date(text: str) -> date:
    """The day that `text` names."""
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text)


@functools.lru_cache(maxsize=1440)  # one for each minute of a day
def read_time(text: str) -> time:
    """The time of day that `text` names, in UTC like the day it belongs to."""
    hours, minutes, seconds = _clock(text)
    return time(hours, minutes, seconds)


@functools.lru_cache(maxsize=256)
def read_duration(text: str) -> timedelta:
    """The duration that `text` names, in hours and minutes."""
    hours, minutes, seconds = _clock(text)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def write_datetime(moment: datetime) -> str:
    """`2020-08-03 11:25:21`, in UTC."""
    return _in_utc(moment).isoformat(" ", "seconds")


def write_iso_datetime(moment: datetime) -> str:
    """`2020-08-03T11:25:21.000Z`."""
    return f"{_in_utc(moment).isoformat(timespec='milliseconds')}Z"


def write_time(moment: time) -> str:
    """`10:00`, or `10:00:30` where the seconds matter."""
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def write_duration(duration: timedelta) -> str:
    """`01:00`, or `01:00:30` where the seconds matter."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _clock(text: str) -> tuple[int, int, int]:
    matched = re.fullmatch(_CLOCK, text)
    if matched is None:
        raise ValueError(text)
    hours, minutes, seconds = matched.groups(default="0")
    return int(hours), int(minutes), int(seconds)

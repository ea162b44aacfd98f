"""Times as the API writes them, read and written.

Records have `2020-08-03 11:25:21`, in UTC; mail has ISO 8601, `2020-08-03T11:25:21.000Z`. A day is
`2020-06-09`, a time of day `10:00` or `10:00:00`, a duration `01:00` or `01:00:00`. Fractions of a
second, a missing zero (`9:30`) and offsets are read as well. A zero date, `0000-00-00`, means that
there is no date, and is None. All readers raise ValueError for a text that names no time.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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

_A_DAY = timedelta(days=1)
_LONGEST = 50
_MIDNIGHT = datetime(1, 1, 1, tzinfo=UTC)
_CLOCK = r"([0-9]{1,%d}):([0-5][0-9])(?::([0-5][0-9])(?:[.,]([0-9]{1,9}))?)?"
_DAY = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_OFFSET = r" ?(?:Z|UTC|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
_TIME_OF_DAY = re.compile(_CLOCK % 2)
_DURATION = re.compile(_CLOCK % 6)
_MOMENT = re.compile(rf"{_DAY}(?:[ T]{_CLOCK % 2}{_OFFSET})?")
_ZERO_DATES = ("0000-00-00", "-0001-11-30")
"""MySQL's date of nothing, and what PHP makes of it."""

from_iso: Callable[[str], datetime] = datetime.fromisoformat


def read_datetime(text: str) -> datetime | None:
    """The aware UTC time that `text` names; a day names its midnight, a zero date none."""
    try:
        if len(text) == 19:  # YYYY-MM-DD HH:MM:SS
            return from_iso(text + "+00:00")  # several times as fast as `replace(tzinfo=UTC)`
        if text.endswith("Z"):  # as mail has it
            return from_iso(text)
    except ValueError:
        pass
    return _odd_datetime(text)


def read_date(text: str) -> date | None:
    """The day that `text` names; that of a time when it is midnight."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    moment = read_datetime(text)
    if moment is None:
        return None
    if moment.time() != time.min:
        raise ValueError(text)
    return moment.date()


@functools.lru_cache(maxsize=1440)  # one for each minute of a day
def read_time(text: str) -> time:
    """The time of day that `text` names, in UTC like the day it belongs to; `24:00` is midnight."""
    clock = _clock(_TIME_OF_DAY, text)
    if clock > _A_DAY:
        raise ValueError(text)
    return (_MIDNIGHT + clock).time()


@functools.lru_cache(maxsize=256)
def read_duration(text: str) -> timedelta:
    """The duration that `text` names, in hours and minutes."""
    return _clock(_DURATION, text)


def write_datetime(moment: datetime) -> str:
    """`2020-08-03 11:25:21`, in UTC."""
    return _in_utc(moment).isoformat(" ")


def write_iso_datetime(moment: datetime) -> str:
    """`2020-08-03T11:25:21.000Z`."""
    moment = _in_utc(moment)
    return f"{moment.isoformat(timespec='auto' if moment.microsecond % 1000 else 'milliseconds')}Z"


def write_time(moment: time) -> str:
    """`10:00`, or `10:00:30` where the seconds matter."""
    exact = moment.second or moment.microsecond
    return moment.isoformat(timespec="auto" if exact else "minutes")


def write_duration(duration: timedelta) -> str:
    """`01:00`, or `01:00:30` where the seconds matter."""
    minutes, rest = divmod(duration, timedelta(minutes=1))
    seconds = f":{rest.seconds:02}" if rest else ""
    fraction = f".{rest.microseconds:06}" if rest.microseconds else ""
    return f"{minutes // 60:02}:{minutes % 60:02}{seconds}{fraction}"


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _odd_datetime(text: str) -> datetime | None:
    if text.startswith(_ZERO_DATES):
        return None
    matched = _MOMENT.fullmatch(text.strip()) if len(text) < _LONGEST else None
    if matched is None:
        raise ValueError(text)
    day, *clock, sign, hours, minutes = matched.groups(default="0")
    since_midnight = _since_midnight(clock)
    if since_midnight > _A_DAY:
        raise ValueError(text)
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    zone = timezone(-offset if sign == "-" else offset) if offset else UTC
    try:
        moment = datetime.combine(date.fromisoformat(day), time.min, zone) + since_midnight
        return moment.astimezone(UTC)
    except OverflowError as error:  # hours before year 1 or after year 9999
        raise ValueError(text) from error


def _clock(pattern: re.Pattern[str], text: str) -> timedelta:
    matched = pattern.fullmatch(text.strip()) if len(text) < _LONGEST else None
    if matched is None:
        raise ValueError(text)
    return _since_midnight(matched.groups(default="0"))


def _since_midnight(clock: Iterable[str]) -> timedelta:
    hours, minutes, seconds, fraction = clock
    return timedelta(
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(6, "0")[:6]),
    )

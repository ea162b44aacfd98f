"""Records and entries for Hypothesis, made from the annotations of the records."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

import attrs
from hypothesis import strategies as st

from pipeflow.records import PAYLOADS

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json

KINDS: dict[str, Any] = dict(PAYLOADS)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)

_seconds = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    str | None: st.none() | st.text(max_size=8),
    int | None: st.none() | st.integers(-(10**15), 10**15),
    int | str | None: st.none() | st.integers() | st.text(max_size=8),
    int | float | None: st.none() | st.integers() | st.floats(-1e9, 1e9),
    bool | None: st.none() | st.booleans(),
    datetime | None: st.none() | _seconds,
    date | None: st.none() | st.dates(),
    time | None: st.none() | st.times().map(lambda clock: clock.replace(microsecond=0)),
    timedelta | None: st.none() | st.integers(0, 3_600_000).map(lambda s: timedelta(seconds=s)),
    Any: json_values,
    tuple[Any, ...]: st.lists(json_values, max_size=2).map(tuple),
}

_times = st.sampled_from(
    [
        "2024-03-01 09:30:00",
        "2024-03-01T09:30:00.250Z",
        "2024-03-01T09:30:00+02:00",
        "2024-03-01",
        "0000-00-00 00:00:00",
        "2024-02-30 09:30:00",
        "2024-03-01 09:30:0x",
        "0001-01-01T00:00:00+05:00",
        "2024-02-29",
        "20240301",
        "10:00",
        "10:00:30",
        "100:15",
        "25:00",
        "1:00",
        "\u0660\u0661:\u0660\u0660",
        "2024-03-01 09:30:00.123",
        "2024-03-01 24:00:00",
        "0000-00-00",
        "24:00",
        "9:30",
    ]
)
_odd_scalars: st.SearchStrategy[Json] = st.sampled_from(
    [
        None,
        "",
        False,
        True,
        0,
        1,
        2,
        "0",
        "1",
        "376892,",
        "12",
        " 7 ",
        "true",
        1.0,
        10**30,
        [],
        {},
        [{}],
        [[]],
    ]
)


def records(record: type) -> st.SearchStrategy[Any]:
    """Records of a class, with values that the API's formats can hold."""
    return st.builds(record, **{field.name: _values(field) for field in attrs.fields(record)})


def _values(field: attrs.Attribute[Any]) -> st.SearchStrategy[Any]:
    inner = [kind for kind in get_args(field.type) if attrs.has(kind)]
    if not inner:
        return _VALUES[field.type]
    if field.default is None:
        return st.none() | records(inner[0])
    return st.lists(records(inner[0]), max_size=2).map(tuple)


def fields_in_json(record: type) -> st.SearchStrategy[Any]:
    """What the JSON of a record could hold: mostly what it should, some of it odd or wrong."""
    return st.fixed_dictionaries(
        {},
        optional={
            field.name.rstrip("_"): _wire(field) | _odd_scalars | _times | json_values
            for field in attrs.fields(record)
        },
    )


def _wire(field: attrs.Attribute[Any]) -> st.SearchStrategy[Any]:
    inner = [kind for kind in get_args(field.type) if attrs.has(kind)]
    if not inner:
        return st.integers(0, 9) | st.text(max_size=4) | _times
    if field.default is None:
        return fields_in_json(inner[0])
    return st.lists(fields_in_json(inner[0]), max_size=2)


entries: st.SearchStrategy[Any] = (
    st.sampled_from(sorted(KINDS)).flatmap(
        lambda kind: st.fixed_dictionaries(
            {"object": st.just(kind), "data": fields_in_json(KINDS[kind])},
            optional={"timestamp": _times | _odd_scalars, "unknown": json_values},
        )
    )
    | st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("object", "timestamp", "data"), json_values)
    )
    | st.fixed_dictionaries({"object": st.sampled_from(["follower", "new"]), "data": json_values})
    | json_values
)
"""Entries of a page: of all kinds, good, odd and broken."""

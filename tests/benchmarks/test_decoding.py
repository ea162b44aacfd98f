"""How long decoding a page takes, against the JSON parser alone and other ways to typed records.

    python -m pytest tests/benchmarks/test_decoding.py

The pages are 500 records each, half changes and half activities with the fields of Pipedrive's
published example, about 700 kB. `a history` repeats what a person's history repeats: the persons
who take part, the names of organizations. In `all distinct` no two records have a time, a
participant, an attendee or a name in common. Every way decodes the same six pages in turn, all
ways in one run, one after the other, each after an untimed call of its own, with the garbage
collector on. The table shows medians of CPU time, which includes letting the result go. Nothing is
asserted.

The ways:

- `orjson.loads`, `json.loads`, `msgspec.json.decode`: the parsers, to plain dicts.
- `cattrs`: `Converter()` on top of orjson, with hooks for the times and the odd file id only. It
  does not check types: cattrs calls `int` and `str` on what it finds.
- `cattrs, not detailed`: the same without detailed validation.
- `cattrs, msgspec`: cattrs' own msgspec converter, with the same hooks.
- `pydantic`: v2 models of the same fields, fed from orjson.
- `decode_page`: pipeflow. `and raw`: with `raw` of each update read. `from dicts`: without twins,
  each entry by cattrs from a dict, as happens to odd entries.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import msgspec
import orjson
import pydantic
import pytest
from cattrs import Converter
from cattrs.preconf.msgspec import make_converter

from pipeflow.codec import decode_page
from pipeflow.codec.converting import RecordConverter
from pipeflow.codec.entries import EntryDecoder
from pipeflow.codec.times import read_date, read_datetime, read_duration, read_time
from pipeflow.records import Activity, ActivityFile, FieldChange, RelatedObjects
from pipeflow.records.json_text import JsonText

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

PAGES = 6
ROUNDS = 120
ANSWER = Path(__file__).parents[1] / "answers" / "published_person_flow.json"


def history(*, distinct: bool) -> list[bytes]:
    """The bodies of six pages."""
    source = random.Random(2026)
    answer = json.loads(ANSWER.read_bytes())
    change, activity = map(json.dumps, answer["data"])
    newer = dict.fromkeys(("original_start_time", "lead_title", "project_title", "priority"))

    def moment() -> str:
        seconds = source.randrange(500_000_000)
        return f"{datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%F %T}"

    def someone(number: int, others: int) -> int:
        return number if distinct else source.randrange(others)

    bodies = []
    for page in range(PAGES):
        entries = []
        for number in range(page * 250, page * 250 + 250):
            changed, planned = json.loads(change), json.loads(activity)
            changed["timestamp"] = changed["data"]["log_time"] = moment()
            changed["data"] |= {"id": number, "new_value": someone(number, 300)}
            formatted = {"new_value_formatted": f"Company {changed['data']['new_value']}"}
            changed["data"]["additional_data"] = formatted
            planned["timestamp"] = moment()
            planned["data"] |= {"id": number, "add_time": moment(), "update_time": moment()}
            planned["data"] |= {"marked_as_done_time": moment(), "last_notification_time": moment()}
            planned["data"] |= {"private": False, "is_recurring": True, "type_name": "Deadline"}
            planned["data"] |= newer
            guest = someone(number, 20)
            planned["data"]["attendees"][0] |= {"person_id": guest, "name": f"Attendee {guest}"}
            planned["data"]["participants"][0]["person_id"] = someone(number, 10)
            entries += [changed, planned]
        answer["data"] = entries
        bodies.append(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
    return bodies


KINDS: dict[str, Any] = {"personChange": FieldChange, "activity": Activity}


def ignoring_type(read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


def with_hooks(converter: Converter) -> Converter:
    """Hooks for what JSON does not hold as it is declared; no type of an int or str is checked."""
    readers: dict[Any, Callable[[Any], Any]] = {
        datetime: lambda text: read_datetime(text) if text else None,
        date: lambda text: read_date(text) if text else None,
        clock: lambda text: read_time(text) if text else None,
        timedelta: lambda text: read_duration(text) if text else None,
        ActivityFile: lambda file: ActivityFile(**(file | {"id": int(file["id"].rstrip(","))})),
    }
    for declared, read in readers.items():
        converter.register_structure_hook(declared, ignoring_type(read))
    return converter


def structured(converter: Converter) -> Callable[[bytes], list[object]]:
    def decode(body: bytes) -> list[object]:
        return [
            (
                read_datetime(entry["timestamp"]),
                converter.structure(entry["data"], KINDS[entry["object"]]),
                entry,
            )
            for entry in orjson.loads(body)["data"]
        ]

    return decode


def blank_is_none(read: Callable[[str], Any]) -> pydantic.BeforeValidator:
    return pydantic.BeforeValidator(lambda text: read(text) if text else None)


PYDANTIC_TYPES: dict[Any, Any] = {
    datetime | None: Annotated[datetime | None, blank_is_none(read_datetime)],
    date | None: Annotated[date | None, blank_is_none(read_date)],
    clock | None: Annotated[clock | None, blank_is_none(read_time)],
    timedelta | None: Annotated[timedelta | None, blank_is_none(read_duration)],
}


def model_of(record: Any) -> type[pydantic.BaseModel]:  # noqa: ANN401 - an attrs class
    """A frozen pydantic model of the same fields."""

    def model_type(annotation: Any) -> Any:  # noqa: ANN401 - annotations are anything
        inner = next((kind for kind in annotation.__args__ if attrs.has(kind)), None)
        if inner is None:
            return PYDANTIC_TYPES.get(annotation, annotation)
        model: Any = model_of(inner)
        return model | None if annotation.__args__[-1] is type(None) else tuple[model, ...]

    fields: dict[str, Any] = {
        field.name: (
            model_type(field.type) if hasattr(field.type, "__args__") else field.type,
            ... if field.default is attrs.NOTHING else field.default,
        )
        for field in attrs.fields(record)
    }
    if record.__name__ == "ActivityFile":
        digits = pydantic.BeforeValidator(lambda text: int(str(text).rstrip(",")))
        fields["id"] = (Annotated[int | None, digits], None)
    return pydantic.create_model(
        f"{record.__name__}Model",
        __config__=pydantic.ConfigDict(frozen=True, protected_namespaces=()),
        **fields,
    )


def pydantic_models() -> Callable[[bytes], list[object]]:
    validate = {kind: model_of(record).model_validate for kind, record in KINDS.items()}

    def decode(body: bytes) -> list[object]:
        return [
            (read_datetime(entry["timestamp"]), validate[entry["object"]](entry["data"]), entry)
            for entry in orjson.loads(body)["data"]
        ]

    return decode


def decode_and_read_raw(body: bytes) -> object:
    page = decode_page(body)
    return page, [update.raw for update in page.updates]


class Entries(msgspec.Struct):
    data: list[msgspec.Raw]


ENTRIES = EntryDecoder(RecordConverter(), {})


def decode_from_dicts(body: bytes) -> object:
    related = RelatedObjects()
    return [
        ENTRIES.update(JsonText(bytes(entry)), index, 0, related, strict=False)
        for index, entry in enumerate(msgspec.json.decode(body, type=Entries).data)
    ]


WAYS: dict[str, Callable[[bytes], object]] = {
    "orjson.loads": orjson.loads,
    "json.loads": json.loads,
    "msgspec.json.decode": msgspec.json.decode,
    "cattrs": structured(with_hooks(Converter())),
    "cattrs, not detailed": structured(with_hooks(Converter(detailed_validation=False))),
    "cattrs, msgspec": structured(with_hooks(make_converter(detailed_validation=False))),
    "pydantic": pydantic_models(),
    "decode_page": decode_page,
    "decode_page and raw": decode_and_read_raw,
    "decode_page, from dicts": decode_from_dicts,
}


def medians(bodies: list[bytes]) -> dict[str, float]:
    """The median seconds of CPU of each way, measured in turn so that noise meets all alike."""
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for round_ in range(ROUNDS):
        body = bodies[round_ % PAGES]
        for way, decode in WAYS.items():
            decode(bodies[round_ % PAGES - 1])  # each finds the caches as it left them
            started = time.thread_time()
            decode(body)
            taken[way].append(time.thread_time() - started)
    return {way: statistics.median(seconds) for way, seconds in taken.items()}


@pytest.mark.timeout(600)
def test_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the table of `docs/decoding-speed.md`."""
    histories = {"a history": history(distinct=False), "all distinct": history(distinct=True)}
    tables = {name: medians(bodies) for name, bodies in histories.items()}
    size = len(histories["a history"][0]) / 1000
    lines = [
        f"500 records, {size:.0f} kB; medians of {ROUNDS}, and how often orjson.loads",
        "",
        f"| {'':24} | {'a history':>16} | {'all distinct':>16} |",
        f"|{'-' * 26}|{'-' * 17}:|{'-' * 17}:|",
    ]
    for way in WAYS:
        cells = [
            f"{table[way] * 1000:6.2f} ms {table[way] / table['orjson.loads']:5.2f}x"
            for table in tables.values()
        ]
        lines.append(f"| {way:24} | {cells[0]:>16} | {cells[1]:>16} |")
    with capsys.disabled():
        print("\n\n" + "\n".join(lines))


@pytest.mark.parametrize("way", WAYS)
def test_way(benchmark: BenchmarkFixture, way: str) -> None:
    """Each way by itself, for pytest-benchmark's own statistics and comparisons."""
    body = history(distinct=False)[0]
    benchmark(WAYS[way], body)

"""Classes of the user's for `data`, structured by cattrs with hooks of the user's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs
import cattrs
import pytest
from cattrs.preconf.json import make_converter
from hypothesis import given, settings

from pipeflow import (
    Activity,
    ActivityAttendee,
    ActivityFile,
    FlowItem,
    FlowPage,
    FlowUpdate,
    Note,
    RelatedUser,
    to_dict,
)
from pipeflow.codec import PageDecoder, decode_page, page_decoder
from pipeflow.errors import DecodeError
from tests.codec import strategies

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json


@attrs.frozen
class Follower:
    user_id: int
    add_time: datetime | None = None


@attrs.frozen
class Everything:
    moment: datetime
    maybe_moment: datetime | None
    day: date
    clock: time
    length: timedelta
    flag: bool
    maybe_flag: bool | None
    number: int
    maybe_number: int | None
    price: float
    maybe_price: float | None
    text: str
    maybe_text: str | None
    either: int | str | None
    any_number: int | float | None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Meeting(Activity):
    """An activity with two custom fields."""

    room: str | None = None
    cost: Decimal | None = None


@attrs.frozen
class NamedNote:
    content: str


class Status(Enum):
    PAID = "paid"


@attrs.frozen
class Invoice:
    status: Status
    total: Decimal


def decode(entry: Json, converter: cattrs.Converter | None = None, **payloads: type) -> FlowUpdate:
    body = json.dumps({"data": [entry]}).encode()
    return decode_page(body, payloads=payloads, converter=converter).updates[0]


def test_a_kind_without_a_shape_gets_one() -> None:
    data = {"id": 5, "user_id": "7", "add_time": "2024-03-01 09:30:00", "unknown": 1}
    update = decode({"object": "follower", "data": data}, follower=Follower)
    assert update.data == Follower(7, datetime(2024, 3, 1, 9, 30, tzinfo=UTC))
    assert update.decode_error is None
    assert (update.id, update.key) == (5, "follower:5")
    assert update.actor == RelatedUser(id=7)
    assert to_dict(update)["data"] == data


def test_fields_of_a_user_s_class_are_read_as_pipedrive_writes_them() -> None:
    data = {
        "moment": "2024-03-01 09:30:00",
        "maybe_moment": "",
        "day": "2024-03-01",
        "clock": "9:30",
        "length": "01:30",
        "flag": "0",
        "maybe_flag": "",
        "number": "31",
        "maybe_number": False,
        "price": "600",
        "maybe_price": None,
        "text": 5,
        "maybe_text": None,
        "either": "x",
        "any_number": 600,
    }
    update = decode({"object": "new", "data": data}, new=Everything)
    assert update.decode_error is None
    assert update.data == Everything(
        moment=datetime(2024, 3, 1, 9, 30, tzinfo=UTC),
        maybe_moment=None,
        day=date(2024, 3, 1),
        clock=time(9, 30),
        length=timedelta(hours=1, minutes=30),
        flag=False,
        maybe_flag=None,
        number=31,
        maybe_number=None,
        price=600.0,
        maybe_price=None,
        text="5",
        maybe_text=None,
        either="x",
        any_number=600,
    )
    assert isinstance(update.data, Everything)
    assert type(update.data.price) is float
    written = to_dict(update.data)
    assert (written["moment"], written["length"]) == ("2024-03-01 09:30:00", "01:30")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, ".user_id: is missing"),
        ({"user_id": ""}, ".user_id: expected an integer, got ''"),
        ({"user_id": None}, ".user_id: expected an integer, got null"),
        ({"user_id": 7, "add_time": "soon"}, ".add_time: expected a time such as"),
        ("text", ": expected an object, got 'text'"),
    ],
)
def test_what_does_not_fit_stays_a_dict(data: Json, problem: str) -> None:
    entry = {"object": "follower", "data": data}
    update = decode(entry, follower=Follower)
    assert update.data == (data if isinstance(data, dict) else {})
    assert update.decode_error is not None
    assert update.decode_error.startswith(f"$.data[0].data{problem}")
    with pytest.raises(DecodeError, match=r"\$\.data\[0\]\.data"):
        decode_page(
            json.dumps({"data": [entry]}).encode(), strict=True, payloads={"follower": Follower}
        )


def test_hooks_of_the_user_s_are_honoured() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromtimestamp(value, UTC))
    entry = {"object": "invoice", "data": {"status": "paid", "total": "1.10"}}
    assert decode(entry, converter, invoice=Invoice).data == Invoice(Status.PAID, Decimal("1.10"))
    epoch = decode(
        {"object": "follower", "data": {"user_id": 1, "add_time": 0}}, converter, follower=Follower
    )
    assert epoch.data == Follower(1, datetime(1970, 1, 1, tzinfo=UTC))


def test_our_own_classes_keep_their_readers_beside_the_user_s_hooks() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda _value, _: 1 / 0)
    converter.register_structure_hook(int, lambda _value, _: 1 / 0)
    data = {"id": "31", "add_time": "", "marked_as_done_time": "2024-03-01 09:30:00"}
    expected = Activity(id=31, marked_as_done_time=datetime(2024, 3, 1, 9, 30, tzinfo=UTC))
    assert decode({"object": "activity", "data": data}, converter).data == expected
    assert decode(
        {"object": "activity", "data": data | {"note": "\ud83d"}}, converter
    ).data == attrs.evolve(expected, note="\ud83d")


def test_a_hook_for_one_of_our_classes_is_honoured() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(Note, lambda value, _: NamedNote(value["content"].upper()))
    converter.register_structure_hook(RelatedUser, lambda _value, _: RelatedUser(name="hidden"))
    body = {
        "data": [{"object": "note", "data": {"content": "x"}}],
        "related_objects": {"user": {"7": {"name": "Jane Doe"}}},
    }
    page = decode_page(json.dumps(body).encode(), converter=converter)
    assert page.updates[0].data == NamedNote("X")
    assert page.related.users == {7: RelatedUser(name="hidden")}


def test_a_hook_for_a_record_within_one_of_ours_is_honoured() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(ActivityFile, lambda value, _: ActivityFile(url=value["id"]))
    converter.register_structure_hook(
        ActivityAttendee, lambda value, _: ActivityAttendee(name=value["name"].upper())
    )
    data = {"file": {"id": "x"}, "attendees": [None, {"name": "a"}]}
    expected = Activity(file=ActivityFile(url="x"), attendees=(ActivityAttendee(name="A"),))
    for note in (None, "\ud83d"):
        update = decode({"object": "activity", "data": data | {"note": note}}, converter)
        assert update.data == attrs.evolve(expected, note=note)
    assert decode({"object": "activity", "data": {}}, converter).data == Activity()


def test_a_subclass_may_hold_classes_of_the_user_s() -> None:
    @attrs.frozen(kw_only=True, eq=False, repr=False)
    class Followed(Note):
        follower: Follower | None = None

    data = {"id": 1, "follower": {"user_id": "7"}}
    update = decode({"object": "note", "data": data}, note=attrs.resolve_types(Followed, globals()))
    assert update.data == Followed(id=1, follower=Follower(7))


def test_hooks_for_unions_are_honoured() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(int | str | None, lambda value, _: f"<{value}>")

    @attrs.frozen
    class Either:
        value: int | str | None

    update = decode({"object": "new", "data": {"value": 5}}, converter, new=_resolved(Either))
    assert update.data == Either("<5>")


def _resolved(declared: type) -> type:
    return attrs.resolve_types(declared, globals(), locals())


def test_the_user_s_converter_stays_as_it_was() -> None:
    converter = cattrs.Converter()
    decode({"object": "activity", "data": {"id": 1}}, converter)
    with pytest.raises(cattrs.StructureHandlerNotFoundError):
        converter.structure("2024-03-01 09:30:00", datetime)
    assert converter.structure("0", bool) is True


def test_a_preconfigured_converter_works() -> None:
    data = {"user_id": 7, "add_time": "2024-03-01T09:30:00+00:00"}
    update = decode({"object": "follower", "data": data}, make_converter(), follower=Follower)
    assert update.data == Follower(7, datetime(2024, 3, 1, 9, 30, tzinfo=UTC))


def test_one_of_ours_is_replaced_by_a_subclass() -> None:
    converter = cattrs.Converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    data = {"id": "8", "room": "B 12", "cost": "9.50", "due_time": "9:30", "lead": []}
    update = decode({"object": "activity", "data": data}, converter, activity=Meeting)
    assert update.decode_error is None
    assert isinstance(update.data, Meeting)
    assert (update.data.id, update.data.room, update.data.cost) == (8, "B 12", Decimal("9.50"))
    assert update.data.due_time == time(9, 30)
    assert update.summary() == "Someone planned activity"


def test_one_of_ours_is_replaced_by_another_class() -> None:
    update = decode({"object": "note", "data": {"id": 1, "content": "x"}}, note=NamedNote)
    assert update.data == NamedNote("x")
    assert update.id == 1


def test_a_dataclass_will_do() -> None:
    @dataclass
    class Call:
        subject: str

    update = decode({"object": "call", "data": {"subject": "x"}}, call=Call)
    assert update.data == Call("x")


def test_an_item_names_a_kind_too() -> None:
    body = b'{"data": [{"object": "follower", "data": {"user_id": 7}}]}'
    (update,) = decode_page(body, payloads={FlowItem.FOLLOWER: Follower}).updates
    assert update.data == Follower(7)


class BoomError(Exception):
    pass


@pytest.mark.parametrize(
    "error", [BoomError("no"), KeyError("x"), RecursionError("deep"), TypeError()]
)
def test_whatever_a_class_of_the_user_s_raises_is_a_decode_error(error: Exception) -> None:
    def refuse(*_: object) -> None:
        raise error

    @attrs.frozen
    class Refusing:
        id: Any = attrs.field(default=None, validator=refuse)

    by_class = decode({"object": "call", "data": {"id": 1}}, call=Refusing)
    converter = cattrs.Converter()
    converter.register_structure_hook(Refusing, refuse)
    by_hook = decode({"object": "call", "data": {"id": 1}}, converter, call=Refusing)
    for update in (by_class, by_hook):
        assert update.data == {"id": 1}
        assert update.decode_error is not None
        assert update.decode_error.startswith("$.data[0].data: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"payloads": ["x"]}, "payloads must be a mapping of `object` to class, not list"),
        ({"payloads": {"x": int}}, "'x' is not an attrs class"),
        ({"payloads": {"x": "Follower"}}, "'Follower' for 'x' is not an attrs class"),
        ({"payloads": {5: Follower}}, "the `object` must be a str, not 5"),
        ({"converter": json}, "converter must be a cattrs.Converter, not module"),
    ],
)
def test_what_is_no_class_or_converter_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        decode_page(b'{"data": []}', **arguments)
    with pytest.raises(TypeError, match=message):
        PageDecoder(**arguments)


def test_the_decoder_of_the_same_classes_is_made_once() -> None:
    converter = cattrs.Converter()
    assert page_decoder() is page_decoder({})
    first = page_decoder({"follower": Follower}, converter)
    assert page_decoder({"follower": Follower}, converter) is first
    assert page_decoder({"follower": Follower}) is not first


KINDS = {"follower": Follower, "note": NamedNote, "activity": Meeting, "new": Everything}


@given(strategies.entries)
@settings(max_examples=150, deadline=None)
def test_any_entry_is_decoded_with_the_user_s_classes_too(entry: Json) -> None:
    page = decode_page(json.dumps({"data": [entry]}).encode(), payloads=KINDS)
    assert isinstance(page, FlowPage)
    (update,) = page.updates
    assert to_dict(update) == entry
    assert update.key
    assert update.to_row()

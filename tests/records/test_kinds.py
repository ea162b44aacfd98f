"""A kind of record is declared in one place, its class; this says when that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import attrs
import pytest

import pipeflow
from pipeflow import records
from pipeflow.codec.fields import FIELD_TYPES, inner_record, wire_name
from pipeflow.codec.related import RELATED_KINDS
from pipeflow.items import FlowItem
from pipeflow.records import PAYLOADS, FlowPage, Payload
from pipeflow.records.values import Record

CLASSES = [
    getattr(records, name)
    for name in records.__all__
    if isinstance(getattr(records, name), type) and issubclass(getattr(records, name), Record)
]
CHANGES = {"personChange", "dealChange", "organizationChange"}


def test_every_payload_names_its_kinds_and_each_kind_has_one() -> None:
    kinds = [kind for payload in get_args(Payload) for kind in payload.kinds]
    assert all(payload.kinds for payload in get_args(Payload))
    assert sorted(kinds) == sorted(PAYLOADS)


def test_every_class_with_a_kind_is_a_payload() -> None:
    assert {record for record in CLASSES if record.kinds} == set(get_args(Payload))


@pytest.mark.parametrize("payload", get_args(Payload))
def test_every_payload_is_public_and_in_the_docs(payload: type[Record]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "records.md").read_text()
    assert payload.__name__ in pipeflow.__all__
    row = " | ".join([", ".join(f"`{kind}`" for kind in payload.kinds), f"`{payload.__name__}`"])
    assert f"| {row} |" in page


def test_every_kind_is_one_of_the_reference() -> None:
    assert set(PAYLOADS) <= {*map(str, FlowItem)} | CHANGES


@pytest.mark.parametrize("record", [record for record in CLASSES if record is not FlowPage])
def test_every_field_is_of_a_type_that_the_codec_reads(record: type[Record]) -> None:
    """A type that is not, belongs into `FIELD_TYPES`; a class within, among the exported ones."""
    for field in attrs.fields(record):  # type: ignore[arg-type]
        inner = inner_record(field.type)
        assert field.type in FIELD_TYPES if inner is None else inner in CLASSES, field.name


@pytest.mark.parametrize("record", CLASSES)
def test_every_field_is_documented_and_may_be_missing(record: type[Record]) -> None:
    text = record.__doc__ or ""
    for field in attrs.fields(record):  # type: ignore[arg-type]
        assert f"\n        {field.name}: " in text
        assert wire_name(field.name)
        assert field.default is not attrs.NOTHING or field.name == "field_key"


def test_related_records_have_no_kind_of_their_own() -> None:
    assert all(not record.kinds for _, record in RELATED_KINDS.values())  # type: ignore[attr-defined]

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeflow.names import FieldNames, Names
from pipeflow.records import FieldChange, FlowUpdate

if TYPE_CHECKING:
    from tests.conftest import Wrong

SOURCE = "3e8f" + "0" * 36
PRICE = "a7c1" + "0" * 36

NAMES = Names(
    fetched_at=datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
    users={11: "Priya Vellanki"},
    person_fields={
        SOURCE: FieldNames("Lead source", "enum", {"27": "Fair", "31": "Referral"}),
        "label": FieldNames("Labels", "set", {"1": "Hot", "2": "Cold"}),
        "f" * 40: FieldNames("Contact", "user"),
        "name": FieldNames("Name", "varchar"),
    },
    deal_fields={
        PRICE: FieldNames("List price", "monetary"),
        "visible_to": FieldNames("Visible to", "visible_to", {"1": "Owner", "3": "Everyone"}),
    },
    stages={49: "Offer made"},
    pipelines={2: "Renewals"},
    refused={"organization_fields": "403: no permission"},
)


def change(key: str, new: object, *, kind: str = "personChange") -> FlowUpdate:
    return FlowUpdate(object=kind, data=FieldChange(field_key=key, old_value=None, new_value=new))


def test_names_survive_json() -> None:
    assert Names.from_dict(json.loads(json.dumps(NAMES.to_dict()))) == NAMES


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        [],
        {"version": 1},
        NAMES.to_dict() | {"version": 2},
        NAMES.to_dict() | {"users": 5},
    ],
)
def test_what_was_not_kept_is_refused(wrong: Wrong) -> None:
    with pytest.raises(ValueError, match="kept names"):
        Names.from_dict(wrong)


@pytest.mark.parametrize(
    ("update", "name"),
    [
        (change(SOURCE, 31), "Lead source"),
        (change(SOURCE, 31, kind="dealChange"), None),
        (change(PRICE, 5, kind="dealChange"), "List price"),
        (change(f"{PRICE}_currency", "EUR", kind="dealChange"), "List price (currency)"),
        (change("b" * 40 + "_until", "2026-03-02"), None),
        (change("unheard_of", 1), None),
        (change("name", 1, kind="note"), None),
        (FlowUpdate(object="personChange", data={"field_key": SOURCE}), "Lead source"),
        (FlowUpdate(object="personChange", data={"field_key": 5}), None),
    ],
)
def test_fields_have_names(update: FlowUpdate, name: str | None) -> None:
    assert NAMES.field_name(update) == name


@pytest.mark.parametrize(
    ("update", "text"),
    [
        (change(SOURCE, 31), "Referral"),
        (change(SOURCE, "31"), "Referral"),
        (change(SOURCE, 99), None),
        (change(SOURCE, None), None),
        (change(SOURCE, ""), None),
        (change("label", "1,2"), "Hot, Cold"),
        (change("label", [1, 2]), "Hot, Cold"),
        (change("label", "1, 7"), "Hot, 7"),
        (change("owner_id", 11), "Priya Vellanki"),
        (change("owner_id", "11"), "Priya Vellanki"),
        (change("owner_id", 12), None),
        (change("owner_id", True), None),
        (change("f" * 40, "11"), "Priya Vellanki"),
        (change("stage_id", "49", kind="dealChange"), "Offer made"),
        (change("pipeline", 2, kind="dealChange"), "Renewals"),
        (change("pipeline_id", 3, kind="dealChange"), None),
        (change("visible_to", "3", kind="dealChange"), "Everyone"),
        (change("name", "Jo"), None),
        (change("unheard_of", 1), None),
    ],
)
def test_values_have_names(update: FlowUpdate, text: str | None) -> None:
    assert NAMES.value_text(update, update.data.new_value) == text  # type: ignore[union-attr]


def test_a_summary_uses_them() -> None:
    data = FieldChange(user_id=11, field_key=SOURCE, old_value="27", new_value=31)
    update = FlowUpdate(object="personChange", data=data)
    assert update.summary(NAMES) == "Priya Vellanki changed Lead source: Fair → Referral"

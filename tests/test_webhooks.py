"""Whose histories a webhook speaks of, and who may speak."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeflow.webhooks import is_authorized, owners_of

if TYPE_CHECKING:
    from .conftest import Wrong

Record = dict[str, Any]


def v2(
    action: str,
    entity: str,
    data: Record | None = None,
    previous: Record | None = None,
    *,
    entity_id: object = "5",
    **meta: object,
) -> Record:
    told = {"action": action, "entity": entity, "entity_id": entity_id, "version": "2.0"}
    return {"meta": told | meta, "data": data, "previous": previous}


def v1(
    action: str,
    kind: str,
    current: Record | None = None,
    previous: Record | None = None,
    **meta: object,
) -> Record:
    told = {"action": action, "object": kind, "id": 5, "v": 1}
    return {"v": 1, "meta": told | meta, "current": current, "previous": previous}


@pytest.mark.parametrize("kind", ["person", "deal", "organization"])
@pytest.mark.parametrize("action", ["create", "change", "delete"])
def test_a_person_a_deal_and_an_organization_speak_of_themselves(kind: str, action: str) -> None:
    assert owners_of(v2(action, kind)) == {(kind, 5)}


@pytest.mark.parametrize("kind", ["person", "deal", "organization"])
@pytest.mark.parametrize("action", ["added", "updated", "merged", "deleted"])
def test_so_they_do_in_v1(kind: str, action: str) -> None:
    assert owners_of(v1(action, kind)) == {(kind, 5)}


@pytest.mark.parametrize("kind", ["activity", "lead", "note"])
@pytest.mark.parametrize("action", ["create", "change", "added", "updated"])
def test_what_belongs_to_them_speaks_of_each_it_belongs_to(kind: str, action: str) -> None:
    belongs = {"id": 9, "person_id": 7, "deal_id": 3, "org_id": 2}
    owners = {("person", 7), ("deal", 3), ("organization", 2)}
    assert owners_of(v2(action, kind, belongs)) == owners
    assert owners_of(v1(action, kind, belongs)) == owners


def test_a_lead_has_a_name_of_its_own_for_the_organization() -> None:
    lead = {"id": "1a2b", "person_id": 7, "organization_id": 2}
    assert owners_of(v2("create", "lead", lead, entity_id="1a2b")) == {
        ("person", 7),
        ("organization", 2),
    }


def test_what_was_deleted_is_told_by_what_it_was() -> None:
    assert owners_of(v2("delete", "note", None, {"person_id": 7})) == {("person", 7)}
    assert owners_of(v1("deleted", "note", None, {"person_id": 7})) == {("person", 7)}


@pytest.mark.parametrize("kind", ["pipeline", "product", "stage", "user"])
def test_what_has_no_history_speaks_of_nobody(kind: str) -> None:
    assert owners_of(v2("change", kind, {"id": 5, "name": "x"})) == frozenset()
    assert owners_of(v1("updated", kind, {"id": 5, "name": "x"})) == frozenset()


def test_a_move_names_both_sides() -> None:
    moved = v2("change", "activity", {"person_id": 8, "org_id": 2}, {"person_id": 7})
    assert owners_of(moved) == {("person", 7), ("person", 8), ("organization", 2)}


def test_a_person_who_changes_the_organization_names_both() -> None:
    moved = v1("updated", "person", {"org_id": {"value": 2}}, {"org_id": {"value": 1}})
    assert owners_of(moved) == {("person", 5), ("organization", 1), ("organization", 2)}


@pytest.mark.parametrize("meta", [{"merged_to_id": 8}, {"merged_from_id": "8"}])
def test_a_merge_names_both_sides(meta: Record) -> None:
    assert owners_of(v2("change", "person", **meta)) == {("person", 5), ("person", 8)}


def test_a_merge_of_v1_names_both_sides() -> None:
    merged = v1("merged", "deal", {"id": 8}, {"id": 5, "merge_what_id": 8})
    assert owners_of(merged) == {("deal", 5), ("deal", 8)}


def test_a_merge_of_what_has_no_history_names_nobody() -> None:
    assert owners_of(v2("change", "product", merged_to_id=8)) == frozenset()


def test_every_participant_is_named_now_and_before() -> None:
    now = {"participants": [{"person_id": 7, "primary": True}, {"person_id": 8}]}
    before = {"participants": [{"person_id": 9, "primary_flag": True}]}
    assert owners_of(v2("change", "activity", now, before)) == {
        ("person", 7),
        ("person", 8),
        ("person", 9),
    }


@pytest.mark.parametrize(
    ("value", "owners"),
    [
        (7, {("person", 7)}),
        ("7", {("person", 7)}),
        ({"value": 7, "name": "Mira"}, {("person", 7)}),
        ({"value": "7"}, {("person", 7)}),
        (2**63 - 1, {("person", 2**63 - 1)}),
        (str(2**63 - 1), {("person", 2**63 - 1)}),
        (2**63, set()),
        (str(2**63), set()),
        ("9" * 5000, set()),
        (0, set()),
        (-7, set()),
        (True, set()),
        (7.0, set()),
        ("", set()),
        (" 7", set()),
        ("٧", set()),  # noqa: RUF001 - a digit, but not of ours
        ("²", set()),
        (None, set()),
        ([7], set()),
        ({"value": {"value": 7}}, set()),
    ],
)
def test_an_id_is_a_positive_number_in_any_of_its_forms(
    value: object, owners: set[tuple[str, int]]
) -> None:
    assert owners_of(v1("updated", "note", {"person_id": value})) == owners
    assert owners_of(v1("updated", "note", {"participants": [{"person_id": value}]})) == owners


@pytest.mark.parametrize("participants", [None, 7, "7", {"person_id": 7}, [None, 7, "7", [7], {}]])
def test_odd_participants_are_left_out(participants: object) -> None:
    activity = {"person_id": 1, "participants": participants}
    assert owners_of(v2("change", "activity", activity)) == {("person", 1)}


def test_a_body_is_read_in_each_of_its_forms() -> None:
    webhook = v2("change", "note", {"person_id": 7, "content": "Grüße"})
    body = json.dumps(webhook)
    for form in (webhook, body, body.encode(), bytearray(body.encode()), memoryview(body.encode())):
        assert owners_of(form) == {("person", 7)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"meta"',
        b"{}",
        b'{"meta":null}',
        b'{"meta":[]}',
        b'{"meta":{"action":"change"}}',
        b'{"meta":{"entity":"person"}}',
        b'{"meta":{"action":1,"entity":"person"}}',
        b'{"meta":{"action":"change","entity":5}}',
        b'{"meta":{"action":"change","object":"person"}',
        b"\xff",
        b"[" * 100_000,
        "\ud800",
        {},
        None,
        5,
        [1],
    ],
)
def test_what_is_not_a_webhook_is_a_value_error(body: Wrong) -> None:
    with pytest.raises(ValueError, match="not a webhook"):
        owners_of(body)


KEYS = ["meta", "data", "current", "previous", "action", "entity", "object", "id", "entity_id"]
KEYS += ["person_id", "org_id", "deal_id", "participants", "value", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.binary(max_size=50) | st.text(max_size=50) | JSON)
def test_nothing_raises_anything_else(body: Wrong) -> None:
    try:
        owners_of(body)
    except ValueError as error:
        assert str(error).startswith("not a webhook: ")  # noqa: PT017 - it need not be raised


@given(
    st.sampled_from(["person", "deal", "organization", "activity", "note", "lead", "x"]),
    JSON,
    JSON,
    JSON,
)
@example("person", 5, {"org_id": 3}, {})
def test_a_webhook_with_anything_in_it_names_owners(
    entity: str, entity_id: object, data: Wrong, previous: Wrong
) -> None:
    owners = owners_of(v2("change", entity, data, previous, entity_id=entity_id))
    for kind, number in owners:
        assert kind in {"person", "deal", "organization"}
        assert type(number) is int
        assert 1 <= number < 2**63


# ---- who may speak


def basic(credentials: str | bytes) -> str:
    raw = credentials if isinstance(credentials, bytes) else credentials.encode()
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "header",
    [
        basic("hook:s3cret"),
        basic("hook:s3cret").encode(),
        basic("hook:s3cret").replace("Basic", "bAsIC"),
        basic("hook:s3cret").replace(" ", "   ") + " ",
    ],
)
def test_the_right_credentials_are_let_in(header: str | bytes) -> None:
    assert is_authorized(header, user="hook", password="s3cret")


def test_credentials_may_hold_any_letters() -> None:
    assert is_authorized(basic("Jürgen:pä:ss☕"), user="Jürgen", password="pä:ss☕")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        b"",
        "Basic",
        "Basic ",
        basic("hook:wrong"),
        basic("other:s3cret"),
        basic("hook:s3cret "),
        basic("hook"),
        basic(""),
        basic(b"\xff\xfe"),
        "Basic hook:s3cret",
        "Basic !!!!" + basic("hook:s3cret")[6:],
        "Basic ü",
        "Basic \ud800",
        "Bearer " + basic("hook:s3cret")[6:],
        basic("hook:s3cret")[6:],
        basic("hook:s3cret")[:-2],
    ],
)
def test_others_are_not(header: str | bytes | None) -> None:
    assert is_authorized(header, user="hook", password="s3cret") is False


@given(st.none() | st.text() | st.binary())
@example("Basic é")
def test_no_header_raises_anything(header: str | bytes | None) -> None:
    assert is_authorized(header, user="hook", password="s3cret") is False


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("x", ""), ("", ""), ("a:b", "x")])
def test_credentials_that_let_anyone_in_or_nobody_are_an_error(user: str, password: str) -> None:
    with pytest.raises(ValueError, match="the user"):
        is_authorized(None, user=user, password=password)

"""The lists beside the flow: names, and persons changed since a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeflow.testing import Clock, FakePipedrive, generate_history, generate_names

from .asking import Reply, ask_url, note, record

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


async def ask_v1(fake: FakePipedrive, name: str, **query: object) -> Reply:
    return await ask_url(fake, f"{fake.base_url}/{name}", query)


async def ask_v2(fake: FakePipedrive, name: str, **query: object) -> Reply:
    return await ask_url(fake, f"{fake.base_url.removesuffix('/v1')}/api/v2/{name}", query)


@pytest.mark.parametrize("name", ["users", "personFields", "dealFields", "organizationFields"])
async def test_names_of_v1_cost_20_tokens(name: str) -> None:
    async with FakePipedrive() as fake:
        reply = await ask_v1(fake, name, limit=500)
        assert fake.tokens_spent == fake.requests[0].cost == 20
    assert reply.json["success"] is True
    assert reply.data == generate_names()[name]


@pytest.mark.parametrize("name", ["stages", "pipelines"])
async def test_names_of_v2_cost_10_tokens(name: str) -> None:
    async with FakePipedrive() as fake:
        reply = await ask_v2(fake, name)
        assert fake.tokens_spent == 10
    assert reply.data == generate_names()[name]
    assert reply.json["additional_data"] == {"next_cursor": None}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/stages", 404),
        ("/v1/pipelines", 404),
        ("/api/v2/users", 404),
        ("/v2/persons", 404),
        ("/v1/users", 200),
        ("/api/v1/users", 200),
    ],
)
async def test_each_list_has_one_version(path: str, status: int) -> None:
    async with FakePipedrive() as fake:
        assert (await ask_url(fake, fake.base_url.removesuffix("/v1") + path)).status == status


async def test_fields_come_in_pages_by_start_and_limit() -> None:
    async with FakePipedrive() as fake:
        fields: list[Any] = []
        start: int | None = 0
        while start is not None:
            reply = await ask_v1(fake, "dealFields", start=start, limit=4)
            fields += reply.data
            start = reply.pagination.get("next_start")
        assert fields == generate_names()["dealFields"]
        beyond = await ask_v1(fake, "dealFields", start=999)
    assert beyond.data is None
    assert beyond.pagination == {"start": 999, "limit": 100, "more_items_in_collection": False}


async def test_stages_come_in_pages_by_cursor() -> None:
    async with FakePipedrive() as fake:
        first = await ask_v2(fake, "stages", limit=3)
        cursor = first.json["additional_data"]["next_cursor"]
        second = await ask_v2(fake, "stages", limit=3, cursor=cursor)
    assert [stage["id"] for stage in first.data] == [1, 2, 3]
    assert [stage["id"] for stage in second.data] == [4]
    assert second.json["additional_data"]["next_cursor"] is None


async def test_names_can_be_given() -> None:
    async with FakePipedrive(names={"users": [{"id": 5, "name": "Mira"}]}) as fake:
        assert (await ask_v1(fake, "users")).data == [{"id": 5, "name": "Mira"}]
        assert (await ask_v2(fake, "pipelines")).data == generate_names()["pipelines"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("personChange", "personFields"),
        ("dealChange", "dealFields"),
        ("organizationChange", "organizationFields"),
    ],
)
def test_every_change_of_a_history_has_its_names(kind: str, fields: str) -> None:
    names = generate_names()
    by_key = {field["key"]: field for field in names[fields]}
    users = {user["id"] for user in names["users"]}
    stages = {stage["id"] for stage in names["stages"]}
    changes = [each["data"] for each in generate_history(size=1200) if each["object"] == kind]
    for change in changes:
        field = by_key[change["field_key"]]
        options = {
            str(option["id"])
            for option in [*field.get("options", []), *field.get("options_deleted", [])]
        }
        for value in (change["old_value"], change["new_value"]):
            if value is not None and options:
                assert {*str(value).split(",")} <= options
            if value is not None and change["field_key"] == "owner_id":
                assert value in users
            if value is not None and change["field_key"] == "stage_id":
                assert value in stages
    assert len(changes) > 20


def test_fields_have_every_form() -> None:
    fields = [
        field for name, each in generate_names().items() if "Fields" in name for field in each
    ]
    assert {"enum", "set", "monetary", "address", "user", "visible_to", "date"} <= {
        field["field_type"] for field in fields
    }
    assert any(field["id"] is None for field in fields)
    assert any(field.get("options_deleted") for field in fields)
    assert any(field.get("is_subfield") for field in fields)
    keys = [(field["key"], field["name"]) for field in generate_names()["personFields"]]
    assert len(set(keys)) == len(keys)


def account() -> FakePipedrive:
    histories = {
        number: [record("note", id=1) | {"timestamp": f"2026-05-0{number} 10:00:00"}]
        for number in range(1, 7)
    }
    return FakePipedrive(persons={**histories, 9: []}, clock=Clock(NOON, speed=0))


async def changed(fake: FakePipedrive, **query: object) -> list[int]:
    ids: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        if cursor:
            query["cursor"] = cursor
        reply = await ask_v2(fake, "persons", **query)
        ids += [person["id"] for person in reply.data]
        cursor = reply.json["additional_data"]["next_cursor"]
    return ids


async def test_persons_changed_since_a_moment_are_listed_for_10_tokens() -> None:
    async with account() as fake:
        assert await changed(fake, updated_since="2026-05-04T10:00:00Z") == [4, 5, 6, 9]
        assert fake.tokens_spent == 10


async def test_what_happens_changes_a_person() -> None:
    async with account() as fake:
        fake.add(note(7), person=2)
        assert await changed(fake, updated_since="2026-11-26T12:00:00+00:00") == [2]
        reply = await ask_v2(fake, "persons", updated_since="2026-11-26T12:00:00Z")
    assert reply.data[0]["update_time"] == "2026-11-26T12:00:00Z"


@pytest.mark.parametrize("limit", [1, 2, 500])
async def test_they_come_in_the_order_that_is_asked_for(limit: int) -> None:
    async with account() as fake:
        fake.add(note(7), person=2)
        by_time: dict[str, object] = {"sort_by": "update_time", "limit": limit}
        assert await changed(fake, **by_time) == [1, 3, 4, 5, 6, 9, 2]
        assert await changed(fake, **by_time, sort_direction="desc") == [2, 9, 6, 5, 4, 3, 1]
        assert await changed(fake, limit=limit) == [1, 2, 3, 4, 5, 6, 9]
        until = "2026-05-03T10:00:00Z"
        assert await changed(fake, limit=limit, updated_until=until) == [1]


async def test_a_person_that_changes_between_two_pages_costs_no_other() -> None:
    async with account() as fake:
        query: dict[str, object] = {"sort_by": "update_time", "limit": 3}
        first = await ask_v2(fake, "persons", **query)
        fake.add(note(7), person=1)
        query["cursor"] = first.json["additional_data"]["next_cursor"]
        assert [person["id"] for person in first.data] == [1, 2, 3]
        assert await changed(fake, **query) == [4, 5, 6, 9, 1]


async def test_a_person_has_the_name_that_its_pages_tell() -> None:
    async with FakePipedrive() as fake:
        [person] = (await ask_v2(fake, "persons")).data
    assert (person["id"], person["name"]) == (1101, "Mira Lindholm")


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "name"},
        {"sort_direction": "up"},
        {"updated_since": "yesterday"},
        {"updated_since": "2026-05-04T10:00:00"},
        {"limit": 0},
        {"limit": "many"},
        {"cursor": "x"},
        {"cursor": "bnVsbA=="},
        {"cursor": "WyJ4IiwgMV0="},
    ],
)
async def test_what_a_list_cannot_answer_is_a_bad_request(query: dict[str, object]) -> None:
    async with account() as fake:
        assert (await ask_v2(fake, "persons", **query)).status == 400


async def test_fields_before_the_first_are_a_bad_request() -> None:
    async with account() as fake:
        assert (await ask_v1(fake, "personFields", start=-1)).status == 400

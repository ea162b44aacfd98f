from __future__ import annotations

import pytest

from pipeflow.testing import FakePipedrive, StuckPage

from .asking import Json, Query, ask, note, notes, record, walk

CUSTOM_KEY = "0123456789abcdef0123456789abcdef01234567"


async def test_a_page_has_fifty_updates_by_default() -> None:
    async with FakePipedrive() as fake:
        page = await ask(fake)
    assert page.status == 200
    assert page.json["success"] is True
    assert len(page.data) == 50
    assert page.pagination == {
        "start": 0,
        "limit": 50,
        "more_items_in_collection": True,
        "next_start": 50,
    }


async def test_the_default_page_size_is_an_option() -> None:
    async with FakePipedrive(persons={7: notes(9)}, default_page_size=4) as fake:
        assert (await ask(fake, "/persons/7/flow")).pagination["next_start"] == 4


async def test_a_limit_above_the_maximum_is_clamped_to_it() -> None:
    async with FakePipedrive(max_page_size=30) as fake:
        page = await ask(fake, limit=500)
    assert len(page.data) == 30
    assert page.pagination["limit"] == 30


async def test_the_maximum_can_be_lowered_while_it_runs() -> None:
    async with FakePipedrive() as fake:
        fake.max_page_size = 10
        assert fake.max_page_size == 10
        assert len((await ask(fake, limit=500)).data) == 10


async def test_a_walk_reads_every_record_once_and_in_order() -> None:
    async with FakePipedrive(persons={7: notes(23)}) as fake:
        assert await walk(fake, "/persons/7/flow", limit=5) == notes(23)


async def test_the_last_page_has_no_next_start() -> None:
    async with FakePipedrive(persons={7: notes(4)}) as fake:
        page = await ask(fake, "/persons/7/flow", start=2, limit=2)
    assert page.data == notes(4)[2:]
    assert page.pagination == {"start": 2, "limit": 2, "more_items_in_collection": False}


async def test_next_start_can_be_left_out() -> None:
    async with FakePipedrive(next_start=False) as fake:
        page = await ask(fake)
    assert page.pagination == {"start": 0, "limit": 50, "more_items_in_collection": True}


async def test_the_pagination_can_be_flat_as_in_the_published_schema() -> None:
    async with FakePipedrive(pagination="flat") as fake:
        page = await ask(fake, limit=2)
    assert page.json["additional_data"] == {
        "start": 0,
        "limit": 2,
        "more_items_in_collection": True,
        "next_start": 2,
    }


@pytest.mark.parametrize(("empty_as_null", "data"), [(True, None), (False, [])])
async def test_an_empty_page_is_null_or_an_empty_list(
    *, empty_as_null: bool, data: list[object] | None
) -> None:
    async with FakePipedrive(persons={7: []}, empty_as_null=empty_as_null) as fake:
        page = await ask(fake, "/persons/7/flow")
    assert page.data == data
    assert page.pagination["more_items_in_collection"] is False


async def test_a_page_beyond_the_end_is_empty() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        assert (await ask(fake, "/persons/7/flow", start=3)).data is None


async def test_deals_and_organizations_have_the_same_endpoint() -> None:
    async with FakePipedrive(deals={3: [note(1)]}, organizations={5: [note(2)]}) as fake:
        assert (await ask(fake, "/deals/3/flow")).data == [note(1)]
        assert (await ask(fake, "/organizations/5/flow")).data == [note(2)]


async def test_as_it_comes_it_holds_a_person_a_deal_and_an_organization() -> None:
    async with FakePipedrive() as fake:
        assert len(await walk(fake, limit=500)) == 1200
        assert (await ask(fake, "/deals/11011/flow")).status == 200
        assert (await ask(fake, "/organizations/5101/flow")).status == 200


async def test_it_also_answers_under_api_v1() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        host = fake.base_url.removesuffix("/v1")
        fake_path = "/../api/v1/persons/7/flow"
        assert fake.base_url == f"{host}/v1"
        assert (await ask(fake, fake_path)).data == notes(3)
        assert fake.requests[0].path == "/api/v1/persons/7/flow"


@pytest.mark.parametrize("query", [{"start": "x"}, {"start": -1}, {"limit": 0}])
async def test_a_page_that_cannot_be_is_a_bad_request(query: Query) -> None:
    async with FakePipedrive() as fake:
        assert (await ask(fake, **query)).status == 400


async def test_custom_fields_are_sent_with_all_changes_only() -> None:
    custom = record("personChange", id=1, field_key=CUSTOM_KEY)
    standard = record("personChange", id=2, field_key="name")
    async with FakePipedrive(persons={7: [custom, standard]}) as fake:
        assert (await ask(fake, "/persons/7/flow")).data == [standard]
        assert (await ask(fake, "/persons/7/flow", all_changes="1")).data == [custom, standard]


KINDS_OF_RECORD: list[tuple[str, str, dict[str, Json]]] = [
    ("person change", "personChange", {}),
    ("deal change", "dealChange", {}),
    ("organization change", "organizationChange", {}),
    ("done activity", "activity", {"done": True}),
    ("undone activity", "activity", {"done": False}),
    ("mail", "mailMessage", {"has_attachments_flag": 0}),
    ("mail with a file", "mailMessage", {"has_attachments_flag": 1}),
    ("mail of the other name", "mailMessageWithAttachment", {}),
    ("deal follower", "dealFollower", {}),
    ("follower", "follower", {}),
    ("note", "note", {}),
]
HISTORY = [record(kind, name=name, **data) for name, kind, data in KINDS_OF_RECORD]


@pytest.mark.parametrize(
    ("items", "selected"),
    [
        ("change", ["person change", "deal change", "organization change"]),
        ("dealChange", ["deal change"]),
        ("activity", ["done activity", "undone activity"]),
        ("plannedActivity", ["undone activity"]),
        ("mailMessage", ["mail", "mail with a file", "mail of the other name"]),
        ("mailMessageWithAttachment", ["mail with a file", "mail of the other name"]),
        ("follower", ["deal follower", "follower"]),
        ("note,dealFollower", ["deal follower", "note"]),
        ("newKind", []),
    ],
)
async def test_items_select_records(items: str, selected: list[str]) -> None:
    async with FakePipedrive(persons={7: HISTORY}, empty_as_null=False) as fake:
        page = await ask(fake, "/persons/7/flow", items=items)
        assert [each["data"]["name"] for each in page.data] == selected
        assert fake.records(person=7, items=items.split(",")) == page.data


RELATED: dict[str, dict[int, Json]] = {
    "user": {11: {"id": 11, "name": "Ines"}, 12: {"id": 12, "name": "Tomasz"}},
    "person": {7: {"id": 7}, 8: {"id": 8}},
    "organization": {5: {"id": 5}},
    "deal": {3: {"id": 3}},
}


@pytest.mark.parametrize(
    ("update", "kind", "ids"),
    [
        (record("note", user_id=11), "user", ["11"]),
        (record("personChange", item_id=7, field_key="name"), "person", ["7"]),
        (
            record("dealChange", field_key="owner_id", old_value=12, new_value=11),
            "user",
            ["11", "12"],
        ),
        (record("activity", participants=[{"person_id": 8}, None]), "person", ["8"]),
        (record("note", org_id=5, user_id="11"), "organization", ["5"]),
        (record("note", deal_id=3), "deal", ["3"]),
    ],
)
async def test_a_page_holds_the_related_objects_it_names(
    update: dict[str, object], kind: str, ids: list[str]
) -> None:
    async with FakePipedrive(persons={7: [update]}, related=RELATED) as fake:
        related = (await ask(fake, "/persons/7/flow")).json["related_objects"]
    assert related == {kind: {number: RELATED[kind][int(number)] for number in ids}}


async def test_a_page_holds_no_related_objects_of_other_pages() -> None:
    history = [note(1, user_id=11), note(2, user_id=12), note(3, user_id=99)]
    async with FakePipedrive(persons={7: history}, related=RELATED) as fake:
        pages = [await ask(fake, "/persons/7/flow", start=start, limit=1) for start in range(3)]
    assert [page.json["related_objects"] for page in pages] == [
        {"user": {"11": RELATED["user"][11]}},
        {"user": {"12": RELATED["user"][12]}},
        {},
    ]


async def test_related_objects_can_have_the_published_form() -> None:
    history = [note(1, user_id=11, deal_id=3)]
    async with FakePipedrive(
        persons={7: history}, related=RELATED, related_objects="published"
    ) as fake:
        page = await ask(fake, "/persons/7/flow")
    assert page.json["related_objects"] == {
        "allOf": [{"user": {"11": RELATED["user"][11]}}, {"deal": {"3": {"id": 3}}}]
    }


async def test_related_objects_can_be_missing() -> None:
    async with FakePipedrive(related_objects="missing") as fake:
        assert "related_objects" not in (await ask(fake)).json


@pytest.mark.parametrize(
    "odd",
    [None, 5, "text", [], {}, {"object": "note", "data": None}, {"object": 3, "data": {}}],
)
async def test_any_json_value_is_served_as_it_is(odd: object) -> None:
    async with FakePipedrive(persons={7: [odd]}) as fake:
        assert (await ask(fake, "/persons/7/flow")).data == [odd]


async def test_text_is_sent_as_utf_8() -> None:
    async with FakePipedrive(persons={7: [note(1, content="Grüße ☕")]}) as fake:
        assert "Grüße ☕".encode() in (await ask(fake, "/persons/7/flow")).body


async def test_a_lone_surrogate_is_sent_escaped() -> None:
    async with FakePipedrive(persons={7: [note(1, content="\ud800")]}) as fake:
        assert rb"\ud800" in (await ask(fake, "/persons/7/flow")).body


async def test_a_stuck_page_claims_more_whatever_was_asked() -> None:
    async with FakePipedrive(persons={7: notes(9)}) as fake:
        fake.on_request = lambda request: StuckPage()
        first = await ask(fake, "/persons/7/flow", limit=3)
        second = await ask(fake, "/persons/7/flow", start=6, limit=3)
    assert first.body == second.body
    assert second.pagination["next_start"] == 3

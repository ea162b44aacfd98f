from __future__ import annotations

import pytest

from pipeflow import Names, PermissionDeniedError, PipedriveSession, ServerError
from pipeflow.errors import BlockedError
from pipeflow.names.lists import NameList
from pipeflow.retrying import RetryPolicy
from pipeflow.testing import Block, FakePipedrive, Status

PARTS = ("users", "person_fields", "deal_fields", "organization_fields", "stages", "pipelines")


def session_at(fake: FakePipedrive) -> PipedriveSession:
    return PipedriveSession(
        fake.api_token, base_url=fake.base_url, retry=RetryPolicy(attempts=2, base_delay=0.0)
    )


async def test_the_account_gives_all_names_for_100_tokens() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        names = await pipedrive.get_names()
        assert all(getattr(names, part) for part in PARTS)
        assert names.refused == {}
        assert pipedrive.stats.requests == 6
        assert pipedrive.stats.tokens == 100
        assert Names.from_dict(names.to_dict()) == names


async def test_names_make_sentences_of_a_history() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        names = await pipedrive.get_names()
        page = await pipedrive.get_person_flow(1101, items="personChange", all_changes=True)
        named = [update for update in page.updates if names.field_name(update) is not None]
        assert named
        assert all(str(names.field_name(update)) in update.summary(names) for update in named)


async def test_long_lists_are_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        whole = await pipedrive.get_names()
        small = property(lambda _: {"limit": "2"})
        monkeypatch.setattr(NameList, "first_parameters", small)
        by_twos = await pipedrive.get_names()
        assert pipedrive.stats.requests > 12
        assert all(getattr(by_twos, part) == getattr(whole, part) for part in PARTS)


async def test_parts_can_be_left_out() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        names = await pipedrive.get_names(parts=["stages"])
        assert names.stages
        assert not names.users
        assert pipedrive.stats.tokens == 10


async def test_an_unknown_part_is_named() -> None:
    pipedrive = PipedriveSession("made-up-token")
    with pytest.raises(ValueError, match=r"no part 'teams' of names; there are users, "):
        await pipedrive.get_names(parts=["teams"])


async def test_a_part_that_is_refused_leaves_the_rest() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        fake.script(Status(403, {"success": False, "error": f"no {fake.api_token}"}))
        names = await pipedrive.get_names(parts=["users"])
        assert names.users == {}
        assert "403" in names.refused["users"]
        assert fake.api_token not in str(names)


async def test_a_block_is_no_refusal_of_a_part() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        fake.script(Block())
        with pytest.raises(BlockedError) as caught:
            await pipedrive.get_names(parts=["users"])
        assert isinstance(caught.value, PermissionDeniedError)


async def test_another_failure_is_raised_after_its_retries() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        fake.script(Status(503), Status(503))
        with pytest.raises(ServerError):
            await pipedrive.get_names(parts=["users"])
        assert pipedrive.stats.requests == 2


async def test_a_failure_that_passes_is_retried() -> None:
    async with FakePipedrive() as fake, session_at(fake) as pipedrive:
        fake.script(Status(503))
        assert (await pipedrive.get_names(parts=["users"])).users

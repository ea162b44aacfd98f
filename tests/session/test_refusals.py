"""What a session makes of an answer that says no, whoever in front of the API says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow import BlockedError, FlowsFailed, NotFoundError, PermissionDeniedError, ServerError
from pipeflow.testing import Block, Cloudflare, FakePipedrive, Status
from tests.session.conftest import notes, session_at

if TYPE_CHECKING:
    from pipeflow.testing import Fault
    from pipeflow.testing.cloudflare import BlockForm

FORMS: list[BlockForm | None] = [None, "html", "json", "problem", "text"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_rate_limit", [False, True])
async def test_a_block_in_any_form_stops_the_session(
    form: BlockForm | None, *, is_rate_limit: bool
) -> None:
    block: Fault = Cloudflare(429, 1015, form) if is_rate_limit else Block(form)
    async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda request: block
        for _ in range(3):
            with pytest.raises(BlockedError) as caught:
                await pipedrive.get_person_flow(7)
            assert caught.value.resume_start == 0
        assert fake.request_count == 1


async def test_a_permission_that_is_missing_is_no_block() -> None:
    refused = Status(403, {"success": False, "error": "Scope and URL mismatch", "errorCode": 403})
    async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
        fake.script(refused)
        with pytest.raises(PermissionDeniedError, match="Scope and URL mismatch") as caught:
            await pipedrive.get_person_flow(7)
        assert type(caught.value) is PermissionDeniedError
        assert len((await pipedrive.get_person_flow(7)).updates) == 3


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526, 527, 529, 530])
async def test_an_origin_that_does_not_answer_is_asked_again(status: int) -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake, session_at(fake) as pipedrive:
        fake.script(Cloudflare(status))
        assert len((await pipedrive.get_person_flow(7)).updates) == 3
        fake.on_request = lambda request: Cloudflare(status)
        with pytest.raises(ServerError, match=str(status)):
            await pipedrive.get_person_flow(7)


async def test_a_base_url_without_its_version_is_no_missing_person() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        base_url = fake.base_url.removesuffix("/v1")
        async with session_at(fake, base_url=base_url) as pipedrive:
            with pytest.raises(NotFoundError, match="check base_url") as caught:
                await pipedrive.get_person_flow(7)
            assert not caught.value.missing_record
            with pytest.raises(FlowsFailed) as all_failed:
                [_ async for _ in pipedrive.iter_person_flows([7, 8], skip_missing=True)]
            assert all_failed.value.failure_count == 2

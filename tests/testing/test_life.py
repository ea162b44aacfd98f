from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.testing import FakePipedrive

from .asking import ask, note, notes

if TYPE_CHECKING:
    from pipeflow.testing.requests import Whose

SCENARIO = """
import asyncio, aiohttp
from pipeflow.testing import *

fake = FakePipedrive()

async def ask(session):
    async with session.get(fake.base_url + "/persons/1101/flow") as response:
        await response.read()

async def main():
    async with aiohttp.ClientSession(headers={"x-api-token": fake.api_token}) as session:
        async with fake:
            fake.script(None, Stall(), Stall(after=9), Delay(99), HugeBody(10**12), Reset(),
                        Disconnect(after=9), Outage(99))
            await ask(session)
            tasks = [asyncio.create_task(ask(session)) for _ in range(6)]
            while fake.request_count < 7:
                await asyncio.sleep(0)
        print(len(await asyncio.gather(*tasks, return_exceptions=True)))

asyncio.run(main())
"""


def test_a_server_that_ends_under_load_leaves_no_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", SCENARIO],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("6\n", "", 0)


async def test_it_has_no_address_while_it_does_not_run() -> None:
    fake = FakePipedrive()
    with pytest.raises(RuntimeError, match="async with FakePipedrive"):
        _ = fake.base_url
    async with fake:
        assert fake.base_url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError, match="not running"):
        _ = fake.base_url


async def test_it_listens_on_the_port_it_is_given() -> None:
    async with FakePipedrive() as fake:
        port = int(fake.base_url.split(":")[2].split("/")[0])
    async with FakePipedrive(port=port) as fake:
        assert fake.base_url == f"http://127.0.0.1:{port}/v1"


async def test_a_port_in_use_is_an_error() -> None:
    async with FakePipedrive() as fake:
        port = int(fake.base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match=str(port)):
            await FakePipedrive(port=port).__aenter__()


async def test_it_ends_while_clients_are_connected() -> None:
    async with aiohttp.ClientSession() as session:
        async with FakePipedrive() as fake:
            headers = {"x-api-token": fake.api_token}
            url = f"{fake.base_url}/persons/1101/flow"
            async with session.get(url, headers=headers) as response:
                await response.read()
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url, headers=headers)


async def test_two_servers_know_nothing_of_each_other() -> None:
    async with FakePipedrive() as one, FakePipedrive() as other:
        one.remove(0, person=1101)
        await ask(one)
        assert other.request_count == 0
        assert len(other.records(person=1101)) == len(one.records(person=1101)) + 1


def test_it_can_start_again_in_another_event_loop() -> None:
    fake = FakePipedrive(persons={7: notes(1)})

    async def serve() -> None:
        async with fake:
            assert (await ask(fake, "/persons/7/flow")).data == notes(1)

    asyncio.run(serve())
    asyncio.run(serve())
    assert fake.request_count == 2


def test_histories_change_also_before_it_runs() -> None:
    fake = FakePipedrive(persons={7: notes(2)})
    fake.insert(note(8), person=7)
    fake.insert(note(9), index=3, person=7)
    assert fake.records(person=7) == [note(8), note(0), note(1), note(9)]
    fake.remove(person=7)
    fake.remove(note(9), person=7)
    assert fake.records(person=7) == notes(2)


def test_a_history_given_to_two_persons_changes_for_one() -> None:
    shared = notes(2)
    fake = FakePipedrive(persons={7: shared, 8: shared})
    fake.remove(0, person=7)
    assert fake.records(person=8) == notes(2)


def test_records_are_told_as_a_walk_with_the_same_parameters_reads_them() -> None:
    fake = FakePipedrive()
    assert len(fake.records(person=1101, all_changes=False)) == 1200
    assert len(fake.records(person=1101)) > 1200
    kinds = {record["object"] for record in fake.records(person=1101, items=["note", "file"])}
    assert kinds == {"note", "file"}


@pytest.mark.parametrize("whose", [{}, {"person": 7, "deal": 7}, {"persons": 7}])
def test_a_history_is_named_by_exactly_one_id(whose: Whose) -> None:
    fake = FakePipedrive(persons={7: notes(1)})
    with pytest.raises(ValueError, match="name one history"):
        fake.remove(0, **whose)


def test_a_history_that_is_not_there_cannot_change() -> None:
    with pytest.raises(LookupError, match="holds no deal 7"):
        FakePipedrive(persons={7: []}).insert(note(1), deal=7)


def test_a_record_that_is_not_there_cannot_be_removed() -> None:
    fake = FakePipedrive(persons={7: notes(1)})
    with pytest.raises(ValueError, match="no such record"):
        fake.remove(note(5), person=7)
    with pytest.raises(IndexError):
        fake.remove(5, person=7)

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeflow.credentials import FileTokenStore, MemoryTokenStore, OAuthTokens, TokenStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Wrong


def some_tokens(number: int = 1) -> OAuthTokens:
    return OAuthTokens(
        access_token=f"access-token-{number}",
        refresh_token=f"refresh-token-{number}",
        expires_at=datetime(2026, 1, 2, tzinfo=UTC),
        api_domain="https://acme.pipedrive.com",
    )


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o644)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "tokens.json"


# ---- in memory


async def test_memory_keeps_what_was_saved_last() -> None:
    store = MemoryTokenStore(some_tokens())
    assert await store.load() == some_tokens()
    await store.save(some_tokens(2))
    assert await store.load() == some_tokens(2)
    assert isinstance(store, TokenStore)
    assert "token-" not in repr(store) + repr(vars(store))


async def test_a_callback_gets_each_new_tokens() -> None:
    told: list[OAuthTokens] = []
    store = MemoryTokenStore(some_tokens(), told.append)
    await store.save(some_tokens(2))

    async def tell(tokens: OAuthTokens) -> None:
        await asyncio.sleep(0)
        told.append(tokens)

    store = MemoryTokenStore(some_tokens(), tell)
    await store.save(some_tokens(3))
    assert told == [some_tokens(2), some_tokens(3)]


async def test_what_a_callback_refuses_is_not_kept() -> None:
    def refuse(tokens: OAuthTokens) -> None:
        raise OSError("disk full")

    store = MemoryTokenStore(some_tokens(), refuse)
    with pytest.raises(OSError, match="disk full"):
        await store.save(some_tokens(2))
    assert await store.load() == some_tokens()


def test_memory_takes_tokens_only() -> None:
    wrong: Wrong = {}
    with pytest.raises(TypeError, match="OAuthTokens"):
        MemoryTokenStore(wrong)


# ---- in a file


async def test_a_file_keeps_tokens_for_another_process(path: Path) -> None:
    await FileTokenStore(path).save(some_tokens())
    assert await FileTokenStore(str(path)).load() == some_tokens()
    assert isinstance(FileTokenStore(path), TokenStore)
    assert repr(FileTokenStore(path)) == f"FileTokenStore({str(path)!r})"


async def test_only_its_owner_reads_the_file_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        store = FileTokenStore(path)
        async with store.lock():
            await store.save(some_tokens())
    finally:
        os.umask(before)
    modes = {each.name: mode_of(each) for each in path.parent.iterdir()}
    assert modes == {"tokens.json": 0o600, "tokens.json.lock": 0o600}
    assert mode_of(path.parent) == 0o700


async def test_a_file_that_others_could_read_is_replaced_by_one_they_cannot(path: Path) -> None:
    put(path, json.dumps(some_tokens().to_dict()))
    store = FileTokenStore(path)
    await store.save(await store.load())
    assert mode_of(path) == 0o600


async def test_a_file_that_is_missing_holds_nothing(path: Path) -> None:
    with pytest.raises(LookupError, match="there is no file"):
        await FileTokenStore(path).load()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"access_token": "a-token"', "\0", "null"])
async def test_a_file_of_something_else_is_refused_without_quoting_it(
    path: Path, text: str
) -> None:
    put(path, text)
    with pytest.raises(ValueError, match=r"does not hold OAuth tokens$") as raised:
        await FileTokenStore(path).load()
    assert "a-token" not in str(raised.value)


async def test_a_save_that_fails_leaves_the_old_tokens_and_no_other_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileTokenStore(path)
    await store.save(some_tokens())

    def fail(handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        await store.save(some_tokens(2))
    assert await store.load() == some_tokens()
    assert [each.name for each in path.parent.iterdir()] == ["tokens.json"]


async def test_a_folder_that_cannot_be_synced_does_no_harm(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileTokenStore(path)
    fsync = os.fsync

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError("not here")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    await store.save(some_tokens())
    assert await store.load() == some_tokens()


async def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    await FileTokenStore(path).save(some_tokens())
    link = tmp_path / "link.json"
    link.symlink_to(path)
    await FileTokenStore(link).save(some_tokens(2))
    assert link.is_symlink()
    assert await FileTokenStore(path).load() == some_tokens(2)


async def test_a_reader_never_sees_half_a_file(path: Path) -> None:
    store = FileTokenStore(path)
    await store.save(some_tokens())
    done = asyncio.Event()

    async def read() -> int:
        count = 0
        while not done.is_set():
            await store.load()
            count += 1
        return count

    reading = asyncio.create_task(read())
    for number in range(100):
        await store.save(some_tokens(number))
    done.set()
    assert await reading > 0


# ---- the lock


async def test_the_lock_is_held_by_one_task_at_a_time(path: Path) -> None:
    inside = most = 0

    async def hold() -> None:
        nonlocal inside, most
        async with FileTokenStore(path).lock():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(hold() for _ in range(5)))
    assert (inside, most) == (0, 1)


async def test_waiting_for_the_lock_can_be_cancelled(path: Path) -> None:
    store = FileTokenStore(path)

    entered: list[str] = []

    async def enter(name: str) -> None:
        async with store.lock():
            entered.append(name)

    async with store.lock():
        waiting = asyncio.create_task(enter("the cancelled one"))
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    await enter("the next")
    assert entered == ["the next"]


HOLD = """
import asyncio, sys
from pipeflow.credentials import FileTokenStore

async def hold():
    async with FileTokenStore(sys.argv[1]).lock():
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def test_a_killed_process_leaves_no_lock_behind(path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    try:
        assert await holder.stdout.readline() == b"held\n"
        store = FileTokenStore(path)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.lock().__aenter__(), 0.1)
        holder.kill()
        async with store.lock():
            pass
    finally:
        with suppress(ProcessLookupError):
            holder.kill()
        await holder.wait()

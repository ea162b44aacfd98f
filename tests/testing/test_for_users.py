"""What serves the tests of those who use pipeflow: the fixture, and the fake without async."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeflow.testing import Clock, FakePipedrive, Outage, Status

from .asking import ask, note

if TYPE_CHECKING:
    from pipeflow.testing import SeenRequest

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"## With pytest\n(.*?)\n## Histories\n", re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
IMPORTS = """import asyncio
from pipeflow import PipedriveSession
from pipeflow.testing import FakePipedrive
"""


def run_pytest(folder: Path, *options: str) -> str:
    # A configuration of its own, wherever the folder for temporary files may be.
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_pipeflow", *options],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_documented_test_file_runs(tmp_path: Path) -> None:
    [section] = SECTION.findall((ROOT / "docs" / "testing.md").read_text("utf-8"))
    test_file = tmp_path / "test_bot.py"
    test_file.write_text(IMPORTS + "\n".join(BLOCK.findall(section)), "utf-8")
    assert "5 passed" in run_pytest(tmp_path, "-o", "asyncio_mode=auto", "test_bot.py")


def test_nothing_is_imported_until_the_fixture_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_imports.py").write_text(
        "import sys\n"
        "def test_without():\n"
        "    assert 'pipeflow' not in sys.modules and 'aiohttp' not in sys.modules\n"
        "def test_with(fake_pipedrive):\n"
        "    assert fake_pipedrive.records(person=1101)\n"
    )
    options = ("-o", "addopts=", "-p", "no:asyncio", "-p", "no:hypothesispytest")
    assert "2 passed" in run_pytest(tmp_path, *options, "test_imports.py")


def get(fake: FakePipedrive) -> int:
    request = urllib.request.Request(
        f"{fake.base_url}/persons/1101/flow", headers={"x-api-token": fake.api_token}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        status: int = response.status
        return status


OTHERS: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def _others() -> None:
    """The threads of fakes that other tests in this process have for all of theirs."""
    OTHERS.clear()
    OTHERS.update(threading.enumerate())


def fakes_threads() -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if thread.name == "FakePipedrive" and thread not in OTHERS
    ]


def test_it_serves_without_async_and_ends_with_its_thread() -> None:
    with FakePipedrive() as fake:
        assert get(fake) == 200
        assert len(fakes_threads()) == 1
    assert (fake.request_count, fakes_threads()) == (1, [])


def test_it_can_serve_again() -> None:
    fake = FakePipedrive()
    for _ in range(2):
        with fake:
            assert get(fake) == 200


def test_it_is_controlled_from_outside_its_thread() -> None:
    with FakePipedrive(clock=Clock(speed=1000)) as fake:
        fake.script(Status(204), Outage(0.01))
        assert get(fake) == 204
        with pytest.raises(OSError, match="reset"):
            get(fake)
        fake.create(person=7)
        fake.add(note(1), person=7)
        life = fake.live(rate=10, seed=1)
        webhook = fake.send_webhooks("http://127.0.0.1:1/")
        while life.steps < 5 or not webhook.attempts:
            fake.clock.advance(1)
        fake.go_away(0.01)
    assert fakes_threads() == []


def test_a_request_sees_all_of_what_happens_under_the_lock() -> None:
    with FakePipedrive(persons={1101: []}) as fake:
        answers = []
        asker = threading.Thread(target=lambda: answers.append(get(fake)))
        with fake.lock:
            asker.start()
            while not fake.request_count:  # pragma: no branch - as below
                threading.Event().wait(0.001)  # pragma: no cover - it may have come already
            fake.add(note(1), person=1101)
            assert answers == []
        asker.join()
    assert answers == [200]


def test_what_a_fault_raises_is_raised_at_the_end() -> None:
    def fail(request: SeenRequest) -> None:
        raise ZeroDivisionError(request.path)

    def serve() -> None:
        with FakePipedrive() as fake:
            fake.on_request = fail
            with pytest.raises(OSError, match="500"):
                get(fake)

    with pytest.raises(ZeroDivisionError):
        serve()
    assert fakes_threads() == []


def test_a_port_in_use_leaves_no_thread() -> None:
    with FakePipedrive() as fake:
        port = int(fake.base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match=str(port)):
            FakePipedrive(port=port).__enter__()
        assert len(fakes_threads()) == 1


async def test_it_is_left_the_way_it_was_entered() -> None:
    async with FakePipedrive() as fake:
        with pytest.raises(RuntimeError, match="async with"):
            fake.__exit__(None, None, None)
        assert (await ask(fake)).status == 200

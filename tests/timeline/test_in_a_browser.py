"""The page as a reader has it before him, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.timeline import render

from .browser import BROWSER, Page, browsing
from .histories import change, note, planned

if TYPE_CHECKING:
    from pathlib import Path

    from pipeflow.records import FlowUpdate

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no browser: install chromium")

HISTORY = [
    planned("Ring back", days=9000),
    note("Tea"),
    change("stage_id", 1, 2, days=3),
    note("<b>Cake</b> " * 200, days=40, user_id=12),
    *(note(f"Older {days}", days=days) for days in range(60, 900)),
]


def written(path: Path, history: list[FlowUpdate]) -> Path:
    page = path / "page.html"
    page.write_text(render(history), "utf-8")
    return page


async def shown(page: Page) -> list[str]:
    texts: list[str] = await page.run(
        "[...document.querySelectorAll('.entry')].map(e => e.textContent)"
    )
    return texts


async def test_a_page_shows_its_history_and_asks_the_network_for_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, HISTORY)
    async with browsing() as page:
        await page.open(path)
        entries = await shown(page)
        assert page.complaints == []
        assert page.requests == [path.as_uri()]
    assert "planned call: Ring back" in entries[0]
    assert "wrote a note" in entries[1]
    assert "Tea" in entries[1]


async def test_times_are_the_readers_and_utc_on_hover(tmp_path: Path) -> None:
    async with browsing(zone="Asia/Tokyo") as page:
        await page.open(written(tmp_path, [note("Tea")]))
        assert await page.run("document.querySelector('.entry time').innerText") == "21:00"
        title = await page.run("document.querySelector('.entry time').title")
        assert title == "2026-03-14 12:00:00 UTC"


async def test_filters_stand_in_the_address_and_come_from_it(tmp_path: Path) -> None:
    path = written(tmp_path, HISTORY)
    async with browsing() as page:
        await page.open(path)
        await page.run("document.querySelector('.chip.f-change').click()")
        assert await page.run("location.hash") == "#kind=change"
        assert len(await shown(page)) == 1
        await page.open(path, "#user=Jo+Berg&text=cake")
        assert len(await shown(page)) == 1
        assert await page.run("document.getElementById('user').value") == "Jo Berg"
        assert await page.run("document.querySelectorAll('mark').length") == 200
        await page.run("document.getElementById('clear').click()")
        assert await page.run("location.hash") == ""
        await page.open(path, "#text=nowhere")
        assert await page.run("document.getElementById('none').innerText") == (
            "Nothing matches these filters."
        )


async def test_a_bar_leads_to_its_time(tmp_path: Path) -> None:
    async with browsing() as page:
        await page.open(written(tmp_path, HISTORY))
        oldest = "document.querySelectorAll('.bar')[0]"
        await page.run(f"{oldest}.click()")
        await page.settle()
        day = await page.run("new URLSearchParams(location.hash.slice(1)).get('day')")
        # The year of the oldest note: the span of nine thousand days is told in years.
        assert day.startswith("2023-12-")
        top = await page.run(
            f"document.querySelector('[data-day=\"{day}\"]').getBoundingClientRect().top"
        )
        assert 0 <= top < 200


async def test_long_texts_are_folded(tmp_path: Path) -> None:
    async with browsing() as page:
        await page.open(written(tmp_path, HISTORY), "#text=cake")
        height = "document.querySelector('.said').offsetHeight"
        folded = await page.run(height)
        await page.run("document.querySelector('.entry .link').click()")
        assert await page.run(height) > 2 * folded


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_is_wider_than_the_screen(tmp_path: Path, width: int, dark: bool) -> None:  # noqa: FBT001
    wide = note("x" * 500), planned("y" * 99), change("z" * 90, "w" * 90, "v" * 90)
    async with browsing(width=width, dark=dark) as page:
        await page.open(written(tmp_path, list(wide)))
        assert await page.run("document.documentElement.scrollWidth") <= width


async def test_what_strangers_wrote_is_text(tmp_path: Path) -> None:
    hostile = (
        "<img src=x onerror='window.owned=1'></script><script>window.owned=1</script>"
        "&lt;img src=x onerror='window.owned=1'&gt;"
    )
    history = [note(hostile), planned(hostile), change("stage_id", hostile, hostile)]
    async with browsing() as page:
        await page.open(written(tmp_path, history), "#text=owned")
        await page.settle()
        assert await page.run("typeof window.owned") == "undefined"
        assert await page.run("document.querySelectorAll('main img, main script').length") == 0
        assert page.complaints == []


async def test_fifty_thousand_updates_do_not_freeze_the_page(tmp_path: Path) -> None:
    history = [note(f"Note {number}", days=number / 20) for number in range(50_000)]
    async with browsing() as page:
        await page.open(written(tmp_path, history))
        nodes = await page.run("document.querySelectorAll('*').length")
        assert nodes < 20_000
        await page.run("scrollTo(0, document.documentElement.scrollHeight)")
        await page.settle()
        assert await page.run("document.elementFromPoint(700, 600) !== null")
        assert await page.run("document.querySelectorAll('.entry').length") < 3_000


async def test_on_paper_everything_is_there(tmp_path: Path) -> None:
    async with browsing() as page:
        await page.open(written(tmp_path, HISTORY))
        await page.run("dispatchEvent(new Event('beforeprint'))")
        assert len(await shown(page)) == len(HISTORY)


async def test_an_empty_history_says_so(tmp_path: Path) -> None:
    async with browsing() as page:
        await page.open(written(tmp_path, []))
        assert page.complaints == []
        assert await page.run("document.getElementById('none').innerText") == (
            "There is nothing in this history."
        )


async def test_a_script_that_got_in_would_not_run(tmp_path: Path) -> None:
    async with browsing() as page:
        await page.open(written(tmp_path, HISTORY))
        await page.run(
            "const script = document.createElement('script');"
            "script.textContent = 'window.owned = 1';"
            "document.body.append(script);"
            "setTimeout(() => { throw new Error('seen') })"
        )
        await page.settle()
        assert await page.run("typeof window.owned") == "undefined"
        assert "Content Security Policy" in " ".join(page.complaints)
        assert "Uncaught" in page.complaints

"""A real browser, driven over its own protocol (Chrome DevTools) with nothing but aiohttp."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

__all__ = ["BROWSER", "Page", "browsing"]

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
"""None where there is no browser."""

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)


@define
class Page:
    """A tab. What it complains about, and what it asks the network for, is remembered."""

    _socket: aiohttp.ClientWebSocketResponse
    _session: str
    complaints: list[str] = field(factory=list)
    requests: list[str] = field(factory=list)
    _loaded: bool = False
    _numbers: itertools.count[int] = field(factory=lambda: itertools.count(100))

    async def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command of the protocol, and its answer."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(command | {"sessionId": self._session})
        while True:
            said = await self._socket.receive_json(timeout=30.0)
            if said.get("id") == number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self._note(said.get("method"), said.get("params", {}))

    def _note(self, event: str | None, told: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"]["text"])
        if event == "Page.loadEventFired":
            self._loaded = True
        if event == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        if event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])

    async def run(self, script: str) -> Any:  # noqa: ANN401 - what the script returns
        """The value of an expression, which may be a promise."""
        answer = await self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, path: Path, fragment: str = "") -> None:
        """Opens a page of the timeline and waits until it can be used."""
        for address in ("about:blank", f"{path.as_uri()}{fragment}"):
            self._loaded = False
            await self.send("Page.navigate", url=address)
            while not self._loaded:
                said = await self._socket.receive_json(timeout=30.0)
                self._note(said.get("method"), said.get("params", {}))
        assert await self.run("document.documentElement.dataset.ready")

    async def settle(self) -> None:
        """Waits for what the page does in its next frames."""
        await self.run("new Promise(done => setTimeout(() => requestAnimationFrame(done), 200))")


@asynccontextmanager
async def browsing(
    *, width: int = 1280, height: int = 900, zone: str = "Europe/Berlin", dark: bool = False
) -> AsyncGenerator[Page, None]:
    """A browser with one tab, in a profile of its own."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            BROWSER,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            address = await asyncio.wait_for(_address(process), 30.0)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                page = await _attached(socket)
                scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await page.send(f"{domain}.enable")
                await page.send("Emulation.setTimezoneOverride", timezoneId=zone)
                await page.send("Emulation.setEmulatedMedia", features=[scheme])
                await page.send(
                    "Emulation.setDeviceMetricsOverride",
                    width=width,
                    height=height,
                    deviceScaleFactor=1,
                    mobile=width < 600,
                )
                yield page
        finally:
            process.kill()
            await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    while True:
        line = (await process.stderr.readline()).decode()
        assert line, "the browser has ended"
        if "listening on" in line:
            return line.split("listening on")[1].strip()


async def _attached(socket: aiohttp.ClientWebSocketResponse) -> Page:
    async def ask(number: int, method: str, **parameters: object) -> dict[str, Any]:
        await socket.send_str(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = await socket.receive_json(timeout=30.0)
            if said.get("id") == number:
                result: dict[str, Any] = said["result"]
                return result

    target = await ask(1, "Target.createTarget", url="about:blank")
    attached = await ask(2, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
    return Page(socket, attached["sessionId"])

"""Other answers than the right one."""

from __future__ import annotations

import zlib
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from pipeflow.testing.answers import Answer, block_answer, error_answer, html_answer, with_headers
from pipeflow.testing.collection import to_json
from pipeflow.testing.faults.base import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "BadGateway",
    "Block",
    "DailyBudgetExceeded",
    "GzipBomb",
    "Headers",
    "HugeBody",
    "InvalidJson",
    "NullBody",
    "Redirect",
    "Status",
    "TooManyRequests",
]

_CHUNK: Final = 2**18
_NO_HEADERS: Final[Mapping[str, str | None]] = {}


def _replaced(answer: Answer, other: Answer) -> Answer:
    # What was put on the answer before (a delay, an ending) and its general headers stay.
    return evolve(
        answer,
        status=other.status,
        body=other.body,
        headers={**answer.headers, **other.headers},
    )


@frozen
class Status(Fault):
    """Any status with any body.

    `body` is sent as it is when it is bytes or a string, and as JSON otherwise; without one it is
    an error as Pipedrive words it. A header whose value is None is left out.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str | None] = _NO_HEADERS

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        other = error_answer(self.status, responses.get(self.status, "Unknown"))
        match self.body:
            case None:
                pass
            case bytes() as body:
                other = evolve(other, body=body)
            case str() as text:
                other = evolve(other, body=text.encode())
            case value:
                other = evolve(other, body=to_json(value))
        return with_headers(_replaced(answer, other), self.headers)


@frozen
class TooManyRequests(Fault):
    """A 429 of the burst limit, whatever is left of it.

    Args:
        retry_after: The text of `Retry-After`: seconds, a date, or nonsense. None leaves it out.
        headers: More headers, such as garbage in `x-ratelimit-reset`; None leaves one out.
    """

    retry_after: str | None = None
    headers: Mapping[str, str | None] = _NO_HEADERS

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        refused = _replaced(answer, error_answer(429, "request over limit", error_info=None))
        spent = {"x-ratelimit-remaining": "0", "Retry-After": self.retry_after}
        return with_headers(with_headers(refused, spent), self.headers)


@frozen
class DailyBudgetExceeded(Fault):
    """A 429 of the daily budget; `retry_after` as in `TooManyRequests`."""

    retry_after: str | None = None

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        other = error_answer(429, "daily request budget exceeded", error_info=None)
        return with_headers(_replaced(answer, other), {"Retry-After": self.retry_after})


@frozen
class Block(Fault):
    """Cloudflare's 403, a web page."""

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        return _replaced(answer, block_answer())


@frozen
class BadGateway(Fault):
    """A proxy's 502 (or another status), a web page."""

    status: int = 502

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        phrase = responses.get(self.status, "Unknown")
        page = f"<html><head><title>{self.status} {phrase}</title></head></html>"
        return _replaced(answer, html_answer(self.status, page))


@frozen
class Redirect(Fault):
    """A redirect to another address."""

    location: str
    status: int = 302

    def answer(self, answer: Answer) -> Answer:
        """Replace the answer."""
        headers = {"Location": self.location}
        return _replaced(answer, Answer(self.status, b"", headers))


@frozen
class NullBody(Fault):
    """Status 200 with the body `null`, as the flow endpoints are known to answer at times.

    Source: github.com/singer-io/tap-pipedrive, pull requests 131 and 133.
    """

    def answer(self, answer: Answer) -> Answer:
        """Replace the body."""
        return evolve(answer, status=200, body=b"null")


@frozen
class InvalidJson(Fault):
    """Status 200 with a body that is not JSON."""

    body: bytes = b'{"success":true,"data":[{"object":"note",'

    def answer(self, answer: Answer) -> Answer:
        """Replace the body."""
        return evolve(answer, status=200, body=self.body)


@frozen
class Headers(Fault):
    """The answer with other headers; None leaves one out.

    `Headers({"x-ratelimit-limit": None, "Set-Cookie": "session=1"})`
    """

    headers: Mapping[str, str | None]

    def answer(self, answer: Answer) -> Answer:
        """Change the headers."""
        return with_headers(answer, self.headers)


@frozen
class HugeBody(Fault):
    """Status 200 with a JSON body of `size` bytes, made while it is sent and never held whole.

    It comes in chunks, without a `Content-Length`.
    """

    size: int

    def chunks(self) -> Iterator[bytes]:
        """The body: one JSON string, so that a parser has to take all of it."""
        yield b'{"success":true,"data":"'
        rest = self.size - len(b'{"success":true,"data":""}')
        for position in range(0, rest, _CHUNK):
            yield b" " * min(_CHUNK, rest - position)
        yield b'"}'

    def answer(self, answer: Answer) -> Answer:
        """Replace the body."""
        return evolve(answer, status=200, body=self.chunks)


@frozen
class GzipBomb(Fault):
    """Status 200 with a small gzip body that grows to `size` bytes of JSON when it is unpacked."""

    size: int

    def chunks(self) -> Iterator[bytes]:
        """The packed body."""
        gzip = zlib.compressobj(level=1, wbits=31)
        for chunk in HugeBody(self.size).chunks():
            yield gzip.compress(chunk)
        yield gzip.flush()

    def answer(self, answer: Answer) -> Answer:
        """Replace the body."""
        packed = evolve(answer, status=200, body=self.chunks)
        return with_headers(packed, {"Content-Encoding": "gzip"})

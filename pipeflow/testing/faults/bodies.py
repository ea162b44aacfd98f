"""The right status with another body than the right one."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen

from pipeflow.testing.answers import Answer, with_headers
from pipeflow.testing.faults.base import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Encoded", "GzipBomb", "HugeBody", "InvalidJson", "NullBody"]

_CHUNK: Final = 2**18


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


def _compress(body: bytes, wbits: int) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(body) + packer.flush()


_CODINGS: Final[Mapping[str, tuple[str, int]]] = {
    "gzip": ("gzip", 31),
    "x-gzip": ("x-gzip", 31),
    "deflate": ("deflate", 15),
    "raw deflate": ("deflate", -15),
}
"""What each is called in the header, and zlib's own number for it."""


def _known(_: object, __: object, coding: str) -> None:
    if unknown := [name for name in _names(coding) if name not in _CODINGS and name != "identity"]:
        raise ValueError(f"cannot encode {unknown[0]!r}; use Headers and InvalidJson for it")


def _names(coding: str) -> list[str]:
    return [name.strip() for name in coding.split(",")]


@frozen
class Encoded(Fault):
    """The body in another `Content-Encoding`.

    Args:
        coding: `"gzip"`, `"x-gzip"`, `"deflate"` (in zlib's wrapping, as the standard says),
            `"raw deflate"` (without it, as some servers send it), `"identity"`, or several in the
            order in which they are applied: `"gzip, deflate"`.
        members: Cut the body into so many parts, each compressed by itself: a gzip body may have
            several members.
        trailing: Bytes after the end of what is compressed.
    """

    coding: str = field(default="gzip", validator=_known)
    members: int = 1
    trailing: bytes = b""

    def answer(self, answer: Answer) -> Answer:
        """Encode the body, and say so."""
        whole = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body())
        said: list[str] = []
        for name in _names(self.coding):
            if name == "identity":
                said.append(name)
                continue
            called, wbits = _CODINGS[name]
            said.append(called)
            size = -(-len(whole) // self.members) or 1
            parts = [whole[at : at + size] for at in range(0, len(whole), size)] or [b""]
            whole = b"".join(_compress(part, wbits) for part in parts)
        encoded = evolve(answer, body=whole + self.trailing)
        return with_headers(encoded, {"Content-Encoding": ", ".join(said)})

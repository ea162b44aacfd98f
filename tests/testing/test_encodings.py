from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from pipeflow.testing import Encoded, FakePipedrive, HugeBody
from pipeflow.testing.answers import Answer

from .asking import ask, notes
from .test_connections import wire

if TYPE_CHECKING:
    from collections.abc import Callable


async def packed(fault: Encoded) -> tuple[str, bytes]:
    """The `Content-Encoding`, and the body as it came over the wire."""
    async with FakePipedrive(persons={7: notes(9)}) as fake:
        fake.script(fault)
        async with wire(fake) as connection:
            head = await connection.head()
            length = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
            body = await connection.reader.readexactly(length)
        coding = head.partition("Content-Encoding: ")[2].partition("\r\n")[0]
        return coding, body


async def plain() -> bytes:
    async with FakePipedrive(persons={7: notes(9)}) as fake:
        return (await ask(fake, "/persons/7/flow")).body


def inflate(body: bytes) -> bytes:
    return zlib.decompress(body, -15)


@pytest.mark.parametrize(
    ("coding", "said", "unpack"),
    [
        ("gzip", "gzip", gzip.decompress),
        ("x-gzip", "x-gzip", gzip.decompress),
        ("deflate", "deflate", zlib.decompress),
        ("raw deflate", "deflate", inflate),
        ("identity", "identity", bytes),
        ("gzip, deflate", "gzip, deflate", lambda body: gzip.decompress(zlib.decompress(body))),
    ],
)
async def test_a_body_comes_in_any_encoding_of_zlibs(
    coding: str, said: str, unpack: Callable[[bytes], bytes]
) -> None:
    header, body = await packed(Encoded(coding))
    assert header == said
    assert unpack(body) == await plain()


@pytest.mark.parametrize("members", [2, 3, 10_000])
async def test_a_gzip_body_can_have_several_members(members: int) -> None:
    _, body = await packed(Encoded("gzip", members=members))
    first = zlib.decompressobj(wbits=31)
    whole = await plain()
    assert len(first.decompress(body)) == -(-len(whole) // members)
    assert first.unused_data
    assert gzip.decompress(body) == whole


async def test_bytes_can_follow_the_end() -> None:
    _, body = await packed(Encoded(trailing=b"\0\0"))
    assert body.endswith(b"\0\0")
    assert gzip.decompress(body) == await plain()


async def test_a_client_reads_it() -> None:
    async with FakePipedrive(persons={7: []}) as fake:
        fake.script(Encoded("deflate"), HugeBody(10**5) + Encoded("gzip"))
        assert (await ask(fake, "/persons/7/flow")).data is None
        assert len((await ask(fake, "/persons/7/flow")).body) == 10**5


def test_an_empty_body_is_encoded_too() -> None:
    body = Encoded().answer(Answer(200, b"")).body
    assert isinstance(body, bytes)
    assert gzip.decompress(body) == b""


def test_an_encoding_that_zlib_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot encode 'br'"):
        Encoded("gzip, br")

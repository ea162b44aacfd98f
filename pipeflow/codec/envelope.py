"""What is around the entries of an answer: whether it is a page, and which.

Pipedrive's reference of the flow endpoints has the paging fields on `additional_data`; its
examples and its guide (`core-api-concepts-pagination`) have them below `pagination`.
"""

from __future__ import annotations

import codecs
import functools
import json
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import attrs
import msgspec

from pipeflow.codec.readers import mismatch
from pipeflow.errors import ApiError, DecodeError
from pipeflow.records.json_text import bounded_int, read_json
from pipeflow.records.plain_text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records.json_text import Json

__all__ = ["Envelope", "Paging", "read_envelope", "read_paging"]

EntryT = TypeVar("EntryT")

_LONGEST_REASON = 500
_PAGING_FIELDS = {"pagination", "start", "limit", "more_items_in_collection", "next_start"}
_PIECE = 1 << 15
_YES_OR_NO = {True: True, False: False, "1": True, "0": False, "true": True, "false": False}


class Envelope(msgspec.Struct, Generic[EntryT]):
    """An answer whose additional data and related objects are still JSON.

    Attributes:
        data: The entries; None where the answer says null.
        success: What the answer says of itself.
        additional_data: The JSON of what has the paging fields.
        related_objects: The JSON of the related objects.
        error: Why the answer says no.
        error_info: The same, at more length.
        error_code: Pipedrive's number for it.
    """

    data: list[EntryT] | msgspec.UnsetType | None = msgspec.UNSET
    success: Any = None
    additional_data: msgspec.Raw = msgspec.Raw(b"null")
    related_objects: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None
    error_info: Any = None
    error_code: Any = msgspec.field(default=None, name="errorCode")


@attrs.frozen(eq=False)
class Paging:
    """What an answer says about its place in the collection.

    Attributes:
        start: The offset of its first entry, or None.
        page_size: The most entries it could have, or None.
        more_items: Whether more follow, or None.
        next_start: The offset to go on from, or None.
        others: What else `additional_data` holds.
    """

    start: int | None = None
    page_size: int | None = None
    more_items: bool | None = None
    next_start: int | None = None
    others: dict[str, Json] = attrs.field(factory=dict)


@functools.cache
def _raw_decoder() -> msgspec.json.Decoder[Envelope[msgspec.Raw]]:
    return msgspec.json.Decoder(Envelope[msgspec.Raw])


def read_envelope(
    body: bytes, decode_twins: Callable[[bytes], Envelope[Any]]
) -> Envelope[Any] | Envelope[msgspec.Raw]:
    """The envelope of an answer with status 200.

    Args:
        body: The body of the answer.
        decode_twins: What decodes the entries at once, or raises what msgspec raises. For an
            answer that it refuses, each entry of the envelope is its JSON, a `msgspec.Raw`.

    Raises:
        ApiError: The answer says `"success": false`.
        DecodeError: It is not JSON in UTF-8, or no page.
    """
    _check_encoding(body)
    envelope = (
        _decoded(body, decode_twins) or _decoded(body, _raw_decoder().decode) or _read_by_json(body)
    )
    if _yes_or_no(envelope.success) is False:
        _refuse(envelope)
    if envelope.data is msgspec.UNSET:
        raise DecodeError("$.data: is missing", path="$.data")
    if envelope.data is not None and not isinstance(envelope.data, list):
        raise DecodeError(f"$.data: {mismatch('an array', envelope.data)}", path="$.data")
    return envelope


def read_paging(text: bytes) -> Paging:
    """The paging fields, nested or flat; what is not there or makes no sense is None."""
    additional_data = read_json(text)
    said = additional_data if isinstance(additional_data, dict) else {}
    others = {name: value for name, value in said.items() if name not in _PAGING_FIELDS}
    nested = said.get("pagination")
    if isinstance(nested, dict) and nested:
        said = nested
    return Paging(
        start=_count(said.get("start")),
        page_size=_count(said.get("limit")),
        more_items=_yes_or_no(said.get("more_items_in_collection")),
        next_start=_count(said.get("next_start")),
        others=others,
    )


# In what follows, errors are raised where no other is being handled: that one would become their
# context, and it carries the whole body.


def _check_encoding(body: bytes) -> None:
    """Refuses what is not UTF-8 anywhere; msgspec does not look into what nobody reads."""
    if body.isascii():  # as PHP mostly writes it
        return
    # In pieces: the memory of one large string would come from the system and go back to it.
    view = memoryview(body)
    start = 0
    try:
        while start < len(body):
            piece = view[start : start + _PIECE]
            _, decoded = codecs.utf_8_decode(piece, "strict", start + _PIECE >= len(body))
            start += decoded
    except UnicodeDecodeError as error:
        start += error.start
    else:
        return
    raise DecodeError(f"the answer is not JSON: byte {start} is not UTF-8")


def _decoded(body: bytes, decode: Callable[[bytes], Envelope[EntryT]]) -> Envelope[EntryT] | None:
    try:
        return decode(body)
    except msgspec.DecodeError:
        return None


def _read_by_json(body: bytes) -> Envelope[msgspec.Raw]:
    """The envelope of what msgspec refuses: halves of surrogate pairs, or something wrong."""
    answer = _read_json(body.decode())
    if not isinstance(answer, dict):
        raise DecodeError(f"$: {mismatch('an object', answer)}")
    data = answer.get("data", msgspec.UNSET)
    return Envelope(
        data=[_as_json(entry) for entry in data] if isinstance(data, list) else data,
        success=answer.get("success"),
        additional_data=_as_json(answer.get("additional_data")),
        related_objects=_as_json(answer.get("related_objects")),
        error=answer.get("error"),
        error_info=answer.get("error_info"),
        error_code=answer.get("errorCode"),
    )


def _read_json(text: str) -> Json:
    try:
        return json.loads(text, parse_int=bounded_int, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at character {error.pos}"
    except _NotJSONError as error:
        problem = str(error)
    raise DecodeError(f"the answer is not JSON: {problem}")


class _NotJSONError(Exception):
    """A number that Python reads and JSON does not know."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJSONError(f"it holds {name}")


def _as_json(value: Json) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def _refuse(envelope: Envelope[Any]) -> NoReturn:
    error, error_info = _text(envelope.error), _text(envelope.error_info)
    message = f'200 with "success": false: {error or "without a reason"}'
    raise ApiError(
        f"{message} ({error_info})" if error_info else message,
        status=200,
        error=error,
        error_info=error_info,
        error_code=envelope.error_code if type(envelope.error_code) is int else None,
    )


def _text(value: Json) -> str | None:
    return shorten(value, _LONGEST_REASON) if isinstance(value, str) and value else None


def _yes_or_no(value: Json) -> bool | None:
    return _YES_OR_NO.get(value) if isinstance(value, bool | int | str) else None


def _count(value: Json) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if type(value) is int and value >= 0 else None

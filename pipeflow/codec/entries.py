"""The entries of a page: from their JSON to updates."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from pipeflow.codec.converting import ShapeError
from pipeflow.codec.envelope import Envelope
from pipeflow.codec.readers import means_nothing, mismatch, read_moment
from pipeflow.codec.times import from_iso
from pipeflow.codec.twins import draft_of
from pipeflow.errors import DecodeError
from pipeflow.items import FlowItem
from pipeflow.records import PAYLOADS, FlowUpdate
from pipeflow.records.json_text import JsonText, PageText, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pipeflow.codec.converting import RecordConverter
    from pipeflow.records import RelatedObjects
    from pipeflow.records.json_text import Json

__all__ = ["EntryDecoder"]


@attrs.frozen(eq=False)
class _Twins:
    """The twins (see `twins`) of entries of all known kinds.

    Attributes:
        kinds: For each twin of an entry: the value of its `object`, the converter's hook for its
            `data` (None where that stays a dict), and the type that the hook is to make it.
        decode_entry: Decodes one entry.
        decode_answer: Decodes an answer with all its entries.
    """

    kinds: dict[type, tuple[str, Callable[[Any, Any], Any] | None, Any]]
    decode_entry: Callable[[Any], Any]
    decode_answer: Callable[[bytes], Envelope[Any]]


class EntryDecoder:
    """Decodes the entries of pages.

    Args:
        converter: What structures their `data`.
        payloads: Classes by `object`, beside or instead of ours.
    """

    def __init__(self, converter: RecordConverter, payloads: Mapping[str, type]) -> None:
        self._converter = converter
        self._payloads = PAYLOADS | {str(kind): payload for kind, payload in payloads.items()}

    @functools.cached_property
    def _twins(self) -> _Twins:
        """Made for the first page: it takes longer than importing all the rest."""
        kinds = {}
        for name in sorted({*self._payloads, *map(str, FlowItem)}):
            payload = self._payloads.get(name)
            structured = None if payload is None else self._converter.twin(payload) or payload
            data: Any = structured if structured is not payload else dict[str, Any]
            twin = msgspec.defstruct(
                f"{name}Entry",
                [("data", data), ("timestamp", str | None, None)],
                tag_field="object",
                tag=name,
                gc=False,
            )
            hook = None if structured is None else self._converter.hook(structured)
            kinds[twin] = name, hook, structured
        union: Any = functools.reduce(operator.or_, kinds)
        return _Twins(
            kinds, msgspec.json.Decoder(union).decode, msgspec.json.Decoder(Envelope[union]).decode
        )

    def decode_twins(self, body: bytes) -> Envelope[Any]:
        """Decodes an answer whose entries are all of known kinds and well-formed."""
        return self._twins.decode_answer(body)

    def updates(
        self, entries: list[Any], body: bytes, start: int, related: RelatedObjects, *, strict: bool
    ) -> tuple[FlowUpdate, ...]:
        """The updates that the entries of a page hold.

        Args:
            entries: The entries: either the twins of all, or the JSON of each as `msgspec.Raw`.
                The list is used up, so that the memory of a twin serves for the next record.
            body: The body of the answer.
            start: The offset of the first entry.
            related: The page's related objects.
            strict: Whether an entry that breaks its shape is an error.

        Raises:
            DecodeError: With `strict`, an entry breaks its shape.
        """
        are_raw = entries and isinstance(entries[0], msgspec.Raw)
        page = PageText([bytes(entry) for entry in entries] if are_raw else body)
        decode_entry, kinds = self._twins.decode_entry, self._twins.kinds
        updates = []
        entries.reverse()
        for index in range(len(entries)):
            twin = entries.pop()
            try:
                if are_raw:
                    twin = decode_entry(twin)
                kind, structure, structured = kinds[type(twin)]
                data = twin.data if structure is None else structure(twin.data, structured)
                moment = twin.timestamp
                if moment and len(moment) == 19:
                    moment = from_iso(moment + "+00:00")  # as `read_moment`, without the calls
                else:
                    moment = read_moment(moment)
                # As `FlowUpdate(…)`, in a third of the time.
                update: Any = _UpdateDraft()
                update.object = kind
                update.timestamp = moment
                update.data = data
                update.offset = start + index
                update.related = related
                update.decode_error = None
                update._json = JsonText(page, index, data, kind, moment)  # noqa: SLF001 - a draft
                update.__class__ = FlowUpdate
            except Exception:  # noqa: BLE001 - a hook of the user's may raise anything
                text = JsonText(page.entry(index))
                update = self.update(text, index, start, related, strict=strict)
            updates.append(update)
        return tuple(updates)

    def update(
        self, text: JsonText, index: int, start: int, related: RelatedObjects, *, strict: bool
    ) -> FlowUpdate:
        """The update that one entry holds, whatever that may be; without twins."""
        kind: str = ""
        timestamp: datetime | None = None
        data: Any = {}
        problem: ShapeError | None = None
        path = f"$.data[{index}]"
        entry = read_json(text.text)
        try:
            entry = _object(entry, path)
            if isinstance(entry.get("data"), dict):
                data = entry["data"]
            kind = _kind(entry.get("object"), f"{path}.object")
            timestamp = _timestamp(entry.get("timestamp"), f"{path}.timestamp")
            data = self._data(kind, entry.get("data"), f"{path}.data")
        except ShapeError as error:
            problem = error
        if problem is not None and strict:
            raise DecodeError(str(problem), path=problem.path)
        text.data, text.kind, text.timestamp = data, kind, timestamp
        return FlowUpdate(
            object=kind,
            timestamp=timestamp,
            data=data,
            offset=start + index,
            related=related,
            decode_error=None if problem is None else str(problem),
            json_text=text,
        )

    def _data(self, kind: str, value: Json, path: str) -> Any:  # noqa: ANN401 - any class, or a dict
        payload = self._payloads.get(kind)
        if payload is None:
            return {} if means_nothing(value) else _object(value, path)
        return self._converter.structure(_object(value, path), payload, path)


_UpdateDraft = draft_of(FlowUpdate)


def _object(value: Json, path: str) -> dict[str, Json]:
    if isinstance(value, dict):
        return value
    raise ShapeError(path, str(mismatch("an object", value)))


def _kind(value: Json, path: str) -> str:
    if isinstance(value, str):
        return value
    raise ShapeError(path, str(mismatch("a string", value)))


def _timestamp(value: Json, path: str) -> datetime | None:
    try:
        return read_moment(value)
    except ValueError as error:
        raise ShapeError(path, str(error)) from None

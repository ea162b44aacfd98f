"""From the body of an answer to a page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import is_dataclass

from attrs import has
from cattrs import BaseConverter

from pipeflow.codec.converting import RecordConverter
from pipeflow.codec.entries import EntryDecoder
from pipeflow.codec.envelope import Paging, read_envelope, read_paging
from pipeflow.codec.related import RelatedDecoder
from pipeflow.errors import DecodeError
from pipeflow.records import FlowPage

__all__ = ["PageDecoder", "decode_page"]


class PageDecoder:
    """Makes pages of the bodies of answers.

    Args:
        payloads: Classes for `data` by the value of `object`, beside or instead of ours: attrs
            classes or dataclasses.
        converter: The cattrs converter that structures them. It is copied, so register your hooks
            before.

    Raises:
        TypeError: One of these is of another type.
    """

    def __init__(
        self, payloads: Mapping[str, type] | None = None, converter: BaseConverter | None = None
    ) -> None:
        _check(payloads, converter)
        records = RecordConverter(converter)
        self._entries = EntryDecoder(records, payloads or {})
        self._related = RelatedDecoder(records)

    def decode(self, body: bytes, *, strict: bool = False, start: int | None = None) -> FlowPage:
        """The page that a body holds; see `decode_page`."""
        try:
            return self._decode(body, start, strict=strict)
        except RecursionError:
            pass
        raise DecodeError("the answer is not a page: it is nested too deeply")

    def _decode(self, body: bytes, start: int | None, *, strict: bool) -> FlowPage:
        envelope = read_envelope(body, self._entries.decode_twins)
        paging = read_paging(bytes(envelope.additional_data))
        if start is None:
            start = paging.start or 0
        related = self._related.related(bytes(envelope.related_objects), strict=strict)
        updates = self._entries.updates(envelope.data or [], body, start, related, strict=strict)
        next_start = _next_start(paging, start, len(updates))
        return FlowPage(
            updates=updates,
            start=start,
            page_size=paging.page_size,
            more_items=next_start is not None,
            next_start=next_start,
            related=related,
            additional_data=paging.others,
        )


def page_decoder(
    payloads: Mapping[str, type] | None = None, converter: BaseConverter | None = None
) -> PageDecoder:
    """The `PageDecoder` for these classes, which is made once: it takes some 0.1 s.

    Raises:
        TypeError: One of these is of another type.
    """
    _check(payloads, converter)
    return _decoder(tuple((payloads or {}).items()), converter)


@functools.lru_cache(maxsize=16)
def _decoder(
    payloads: tuple[tuple[str, type], ...], converter: BaseConverter | None
) -> PageDecoder:
    return PageDecoder(dict(payloads), converter)


def decode_page(
    body: bytes,
    *,
    strict: bool = False,
    start: int | None = None,
    payloads: Mapping[str, type] | None = None,
    converter: BaseConverter | None = None,
) -> FlowPage:
    """The page that the body of an answer with status 200 holds.

    Pure: for answers of the three flow endpoints, however they were fetched.

    Args:
        body: The body, JSON in UTF-8.
        strict: Whether a record or a related object that breaks its shape is a `DecodeError`. As
            it comes, such a record's `data` is the plain dict and its `decode_error` says why;
            such a related object is only in `related.raw`.
        start: The offset that was asked for. It counts more than the one that the answer names,
            which a mock server may make up; without either it is 0.
        payloads: Classes of your own by `object`, such as `{"follower": Follower}`: attrs classes,
            structured by cattrs. They come beside ours, or instead of them. What does not fit one
            stays a dict with a `decode_error`.
        converter: A `cattrs.Converter` with hooks of your own for these classes. It is copied when
            it is first given here: register the hooks before.

    Raises:
        DecodeError: The body is not JSON, no object, or its `data` neither an array nor null; or
            with `strict` as above.
        ApiError: It says `"success": false`.
        TypeError: `payloads` or `converter` is of another type.
    """
    return page_decoder(payloads, converter).decode(body, strict=strict, start=start)


def _check(payloads: object, converter: object) -> None:
    if converter is not None and not isinstance(converter, BaseConverter):
        raise TypeError(f"converter must be a cattrs.Converter, not {type(converter).__name__}")
    if payloads is None:
        return
    if not isinstance(payloads, Mapping):
        raise TypeError(
            f"payloads must be a mapping of `object` to class, not {type(payloads).__name__}"
        )
    for kind, payload in payloads.items():
        if not isinstance(kind, str):
            raise TypeError(f"payloads: the `object` must be a str, not {kind!r}")
        if not isinstance(payload, type) or not (has(payload) or is_dataclass(payload)):
            raise TypeError(f"payloads: {payload!r} for {kind!r} is not an attrs class")


def _next_start(paging: Paging, start: int, received: int) -> int | None:
    """The server's own where it leads on; else what was received counts, not what was asked for."""
    named = paging.next_start
    leads_on = named is not None and named > start
    more_items = leads_on if paging.more_items is None else paging.more_items
    if not more_items:
        return None
    return named if leads_on else start + received

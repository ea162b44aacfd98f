"""From the body of an answer to a page."""

from __future__ import annotations

from pipeflow.codec.entries import decode_twins, decode_updates
from pipeflow.codec.envelope import Paging, read_envelope, read_paging
from pipeflow.codec.related import decode_related
from pipeflow.errors import DecodeError
from pipeflow.records import FlowPage

__all__ = ["decode_page"]


def decode_page(body: bytes, *, strict: bool = False, start: int | None = None) -> FlowPage:
    """The page that the body of an answer with status 200 holds.

    Pure: for answers of the three flow endpoints, however they were fetched.

    Args:
        body: The body, JSON in UTF-8.
        strict: Whether a record or a related object that breaks its shape is a `DecodeError`. As
            it comes, such a record's `data` is the plain dict and its `decode_error` says why;
            such a related object is only in `related.raw`.
        start: The offset that was asked for. It counts more than the one that the answer names,
            which a mock server may make up; without either it is 0.

    Raises:
        DecodeError: The body is not JSON, no object, or its `data` neither an array nor null; or
            with `strict` as above.
        ApiError: It says `"success": false`.
    """
    try:
        return _decode_page(body, start, strict=strict)
    except RecursionError:
        pass
    raise DecodeError("the answer is not a page: it is nested too deeply")


def _decode_page(body: bytes, start: int | None, *, strict: bool) -> FlowPage:
    envelope = read_envelope(body, decode_twins)
    paging = read_paging(envelope.additional_data)
    if start is None:
        start = paging.start or 0
    related = decode_related(bytes(envelope.related_objects), strict=strict)
    updates = decode_updates(envelope.data or [], body, start, related, strict=strict)
    next_start = _next_start(paging, start, len(updates))
    return FlowPage(
        updates=updates,
        start=start,
        page_size=paging.page_size,
        more_items=next_start is not None,
        next_start=next_start,
        related=related,
    )


def _next_start(paging: Paging, start: int, received: int) -> int | None:
    """The server's own where it leads on; else what was received counts, not what was asked for."""
    named = paging.next_start
    leads_on = named is not None and named > start
    more_items = leads_on if paging.more_items is None else paging.more_items
    if not more_items:
        return None
    return named if leads_on else start + received

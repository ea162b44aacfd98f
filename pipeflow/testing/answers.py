"""What the server says: pages, errors and blocks, as bytes with their headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import evolve, frozen

from pipeflow.testing.entries import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeflow.testing.entries import Entry

__all__ = [
    "Answer",
    "Ending",
    "PageQuery",
    "PageShape",
    "RelatedDirectory",
    "error_answer",
    "html_answer",
    "page_answer",
    "with_headers",
]

BodyStream: TypeAlias = Callable[[], Iterator[bytes]]
RelatedDirectory: TypeAlias = Mapping[str, Mapping[int, bytes]]
"""The related objects by kind and id, each encoded with its key: `"11":{…}`."""

_JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json; charset=utf-8"}
_HTML: Final[Mapping[str, str]] = {"Content-Type": "text/html; charset=UTF-8"}
_ERROR_INFO: Final = "Please check developers.pipedrive.com for more information."


class Ending(Enum):
    """What happens after the last byte that is sent."""

    WHOLE = "the answer is complete"
    STALL = "nothing more comes, and the connection stays open"
    CLOSE = "the connection is closed"
    RESET = "the connection is reset"


@frozen
class Answer:
    """An answer on its way; faults turn one into another with `attrs.evolve`."""

    status: int
    body: bytes | BodyStream
    headers: Mapping[str, str] = _JSON
    delay: float = 0.0
    """Seconds before the first byte."""
    ending: Ending = Ending.WHOLE
    cut: int | None = None
    """With another ending than WHOLE: how many bytes of the body come first; None for not even
    the status line."""
    chunked: bool = False
    """Whether the body comes in chunks instead of with its `Content-Length`."""
    accept: str = "*/*"
    """The forms that the client accepts, for what may come in several."""


@frozen
class PageQuery:
    """Which page of a history to answer with, and whether to say where the next one begins."""

    start: int
    limit: int
    items: frozenset[str] | None = None
    all_changes: bool = False
    next_start: bool = True


@frozen
class PageShape:
    """Which of the forms seen in the wild the pages have."""

    pagination: Literal["nested", "flat"] = "nested"
    related: Literal["plain", "published", "missing"] = "plain"
    empty_as_null: bool = True


def page_answer(
    view: Sequence[Entry], query: PageQuery, shape: PageShape, related: RelatedDirectory
) -> Answer:
    """The page that `query` asks for, out of `view`, with the related objects it refers to."""
    entries = view[query.start : query.start + query.limit]
    following = query.start + len(entries)
    more = following < len(view)
    pagination: dict[str, Any] = {
        "start": query.start,
        "limit": query.limit,
        "more_items_in_collection": more,
    }
    if more and query.next_start:
        pagination["next_start"] = following
    if entries or not shape.empty_as_null:
        data = [b"[", b",".join([entry.body for entry in entries]), b"]"]
    else:
        data = [b"null"]
    # Joined once: a page of 500 is half a megabyte, and each further copy of it would be felt.
    parts = [
        b'{"success":true,"data":',
        *data,
        b',"additional_data":',
        to_json({"pagination": pagination} if shape.pagination == "nested" else pagination),
        _related_objects(entries, shape, related),
        b"}",
    ]
    return Answer(200, b"".join(parts))


def _related_objects(
    entries: Sequence[Entry], shape: PageShape, related: RelatedDirectory
) -> bytes:
    if shape.related == "missing":
        return b""
    referred = frozenset(chain.from_iterable({entry.references for entry in entries}))
    members = []
    for kind, objects in related.items():
        found = [
            objects[number] for _, number in sorted(referred) if _ == kind and number in objects
        ]
        if found:
            members.append(b'"%b":{%b}' % (kind.encode(), b",".join(found)))
    if shape.related == "published":
        return b',"related_objects":{"allOf":[%b]}' % b",".join(
            [b"{%b}" % each for each in members]
        )
    return b',"related_objects":{%b}' % b",".join(members)


def error_answer(
    status: int,
    error: str,
    *,
    error_info: str | None = _ERROR_INFO,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An error as Pipedrive words it; without `error_info` in the short form of its gateway."""
    body: dict[str, Any] = {"success": False, "error": error, "errorCode": status}
    if error_info is not None:
        body |= {"error_info": error_info, "data": None, "additional_data": None}
    return Answer(status, to_json(body), {**_JSON, **(headers or {})})


def html_answer(status: int, page: str) -> Answer:
    """A web page, as a proxy in front of the API answers."""
    return Answer(status, page.encode(), _HTML)


def with_headers(answer: Answer, headers: Mapping[str, str | None]) -> Answer:
    """The answer with other headers; None leaves one out."""
    changed = {name.lower() for name in headers}
    kept = {name: text for name, text in answer.headers.items() if name.lower() not in changed}
    added = {name: text for name, text in headers.items() if text is not None}
    return evolve(answer, headers=kept | added)

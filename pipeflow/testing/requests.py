"""What a request asks for: its token, whose history, which page of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypedDict, cast

from attrs import field, frozen

from pipeflow.testing.answers import PageQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SeenRequest",
    "Whose",
    "cost_of",
    "listed",
    "page_query",
    "token_of",
    "whose_history",
]

_FLOW_PATH: Final = re.compile(r"(?:/api)?/v1/(person|deal|organization)s/(\d+)/flow")
_LIST_PATH: Final = re.compile(
    r"(?:/api)?/(v1)/(users|personFields|dealFields|organizationFields)"
    r"|/api/(v2)/(stages|pipelines|persons)"
)
_COSTS: Final = {"v1": 20, "v2": 10}
"""Tokens that a list costs. Source: Pipedrive's guide, "Rate limiting"."""

_FLOW_COST: Final = 40
"""Tokens of everything else: a flow request costs so many, whatever its `limit`."""


class Whose(TypedDict, total=False):
    """Names one history by one of the three ids, such as `{"person": 1101}`."""

    person: int
    deal: int
    organization: int


@frozen
class SeenRequest:
    """A request as it arrived, and the status that it was answered with."""

    method: str
    path: str
    """Without the query: `/v1/persons/1101/flow`."""
    query: Mapping[str, str] = field(hash=False)
    headers: Mapping[str, str] = field(hash=False, repr=False)
    """Their names in any case. They hold the token, so they are not in the `repr`."""
    at: float
    """When it arrived, in seconds of `time.monotonic()`."""
    correlation_id: str
    """The `x-correlation-id` of the answer."""
    whose: Whose = field(hash=False)
    """Whose history is asked for, such as `{"person": 1101}`; empty at any other address."""
    cost: int = _FLOW_COST
    """The tokens that it costs, unless it is refused."""
    status: int | None = None
    """The status of the answer, or None as long as no status line was sent."""

    @property
    def accept(self) -> str:
        """The forms of an answer that the client accepts."""
        return self.headers.get("Accept", "*/*")


def whose_history(path: str) -> Whose:
    """The kind and the id in the path of a flow endpoint; empty for any other path."""
    found = _FLOW_PATH.fullmatch(path)
    return cast("Whose", {found[1]: int(found[2])} if found else {})


def listed(path: str) -> str | None:
    """The list that a path leads to, such as `users` or `stages`, or None."""
    found = _LIST_PATH.fullmatch(path)
    return found and (found[2] or found[4])


def cost_of(path: str) -> int:
    """The tokens that a request for this path costs."""
    found = _LIST_PATH.fullmatch(path)
    return _COSTS[found[1] or found[3]] if found else _FLOW_COST


def token_of(request: SeenRequest) -> str | None:
    """The token, wherever Pipedrive looks for it: two headers, and a parameter of old."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return (
        request.headers.get("x-api-token")
        or (bearer if scheme.lower() == "bearer" else None)
        or request.query.get("api_token")
    )


def page_query(
    query: Mapping[str, str], *, default_size: int, max_size: int, next_start: bool
) -> PageQuery:
    """The page that the parameters ask for, its size clamped to `max_size`.

    Raises:
        ValueError: `start` or `limit` is not a number, or too small.
    """
    start = int(query.get("start", "0"))
    limit = int(query.get("limit", default_size))
    if start < 0 or limit < 1:
        raise ValueError("start and limit must not be negative, and limit not 0")
    items = query.get("items")
    return PageQuery(
        start=start,
        limit=min(limit, max_size),
        items=frozenset(items.split(",")) if items else None,
        all_changes=query.get("all_changes") == "1",
        next_start=next_start,
    )

"""Keyword arguments that a method does not have, answered with the name of the right one."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

__all__ = ["explaining_keywords"]

P = ParamSpec("P")
R = TypeVar("R")

_UPDATES_PER_REQUEST = ("page_size", "updates per request, the API's `limit`")
_TOTAL = ("max_items", "updates in total")
_FIRST = ("start", "the offset of the first update")
_FILTER = ("items", "the kinds of update to ask for")
_CUSTOM_FIELDS = ("all_changes", "changes of custom fields, too")
_FROM_THEN_ON = ("since", "the moment from which on updates are yielded")
_AT_ONCE = ("concurrency", "walks at the same time")

_MEANT: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "limit": (_UPDATES_PER_REQUEST, _TOTAL),
    "count": (_TOTAL, _UPDATES_PER_REQUEST),
    "max_items": (_UPDATES_PER_REQUEST,),
    "max_results": (_TOTAL, _UPDATES_PER_REQUEST),
    "total": (_TOTAL, _UPDATES_PER_REQUEST),
    "per_page": (_UPDATES_PER_REQUEST,),
    "batch_size": (_UPDATES_PER_REQUEST,),
    "size": (_UPDATES_PER_REQUEST, _TOTAL),
    "offset": (_FIRST,),
    "skip": (_FIRST,),
    "cursor": (_FIRST,),
    "filter": (_FILTER,),
    "kinds": (_FILTER,),
    "types": (_FILTER,),
    "custom_fields": (_CUSTOM_FIELDS,),
    "updated_since": (_FROM_THEN_ON,),
    "after": (_FROM_THEN_ON,),
    "workers": (_AT_ONCE,),
}
"""What other libraries call it: the arguments that may be meant, where a method has them."""


def explaining_keywords(method: Callable[P, R]) -> Callable[P, R]:
    """A method whose `TypeError` for a foreign keyword names the right one.

    `inspect`, `help` and type checkers see the method as it is written.
    """
    name, code = method.__name__, method.__code__
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]

    def check(keywords: Iterable[str]) -> None:
        for keyword in keywords:
            if keyword not in known:
                raise TypeError(f"{name}() has no argument {keyword!r}{_advice(keyword, known)}")

    @functools.wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        check(kwargs)
        return method(*args, **kwargs)

    @functools.wraps(method)
    async def awaited(*args: P.args, **kwargs: P.kwargs) -> object:
        check(kwargs)
        return await cast("Awaitable[object]", method(*args, **kwargs))

    if inspect.iscoroutinefunction(method):
        return cast("Callable[P, R]", awaited)
    return checked


def _advice(foreign: str, known: tuple[str, ...]) -> str:
    meant = [choice for choice in _MEANT.get(foreign.lower(), ()) if choice[0] in known]
    if meant:
        return "; " + " or ".join(f"{name}= is for {use}" for name, use in meant)
    import difflib  # noqa: PLC0415 - for the message of an error alone

    closest = difflib.get_close_matches(foreign, known, n=1)
    if closest:
        return f"; did you mean {closest[0]!r}?"
    return f"; it has {', '.join(known)}"

"""The API token: checked on the way in, hidden wherever it is shown."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from pipeflow.errors import PipeflowError

__all__ = ["ApiToken", "hiding_arguments", "redact"]

Init = TypeVar("Init", bound="Callable[..., None]")

_HEADER_WORD = r"[\x21-\x7e]+"


class ApiToken(str):
    """A token that does not show itself: its `repr` is `'***'`, in tracebacks with locals too.

    Raises:
        ValueError: It is empty, or holds white space, a line break or a character that a header
            cannot carry.
        TypeError: It is not a string.
    """

    __slots__ = ()

    def __new__(cls, api_token: str) -> Self:
        """Checks a token and hides it."""
        if not isinstance(api_token, str):
            raise TypeError(f"api_token must be a string, not {type(api_token).__name__}")
        if not api_token:
            raise ValueError("api_token is empty; it stands in Pipedrive's personal preferences")
        if not re.fullmatch(_HEADER_WORD, api_token):
            raise ValueError(
                "api_token must be one word of visible ASCII characters, without white space or "
                "line breaks; a token read from a file wants .strip()"
            )
        return super().__new__(cls, api_token)

    def __repr__(self) -> str:
        return "'***'"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an API token is not pickled")


def hiding_arguments(init: Init) -> Init:
    """A constructor whose refusals do not show its arguments, in a traceback with locals either.

    A token with a line break or an address with a password is refused, and a secret all the same.
    """

    @functools.wraps(init)
    def constructor(*args: object, **kwargs: object) -> None:
        try:
            return init(*args, **kwargs)
        except (TypeError, ValueError) as error:
            refusal = error
        del args, kwargs
        refusal.__cause__ = refusal.__context__ = None
        raise refusal.with_traceback(None)

    return cast("Init", constructor)


def redact(error: PipeflowError, secret: str) -> None:
    """Removes a secret from an error and from all that it was raised from.

    Servers and proxies can echo a header in a reason. aiohttp's errors can hold the request with
    its headers, and the frames of its traceback the bytes that were sent.
    """
    error.args = tuple(_without(secret, arg) for arg in error.args)
    for name, value in vars(error).items():
        setattr(error, name, _without(secret, value))
    cause = error.__cause__
    error.__context__ = None
    if cause is None:
        return
    seen: BaseException | None = cause
    while seen is not None:
        seen.__traceback__ = None
        inner = seen.__cause__ or seen.__context__
        seen = inner
    if not _is_harmless(cause, secret):
        error.__cause__ = None
        error.__suppress_context__ = True


def _without(secret: str, value: object) -> object:
    return value.replace(secret, "***") if isinstance(value, str) else value


def _is_harmless(error: BaseException | None, secret: str) -> bool:
    while error is not None:
        shown = repr([str(error), error.args, vars(error)])
        if secret in shown or hasattr(error, "request_info"):
            return False
        error = error.__cause__ or error.__context__
    return True

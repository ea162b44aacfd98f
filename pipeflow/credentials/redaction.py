"""Secrets out of errors, whoever quoted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeflow.errors import PipeflowError

__all__ = ["redact"]


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

"""Every error that pipeflow raises, in one tree.

```
PipeflowError
├── TransportError                no whole answer: no connection, a disconnect, a broken body
│   └── RequestTimeoutError       no answer in time; also a TimeoutError
├── ApiError                      an answer that says no
│   ├── BadRequestError           400
│   ├── AuthenticationError       401
│   │   └── ReauthorizationRequiredError  OAuth tokens that are dead or missing
│   ├── PaymentRequiredError      402
│   ├── PermissionDeniedError     403
│   │   └── BlockedError          403, or 429: Cloudflare's block, in any form
│   ├── NotFoundError             404, 410
│   ├── RateLimitError            429
│   │   └── DailyBudgetExhaustedError
│   └── ServerError               5xx
├── DecodeError                   an answer that is not a page of updates
├── AuthorizationCallbackError    the OAuth consent page did not give a code
├── TokenStoreError               OAuth tokens cannot be read or saved for now
├── PaginationError               the collection does not advance
├── CheckpointLostError           a watch cannot be joined to where it was
└── InvalidIdError                an id among many that cannot be one; also a ValueError

FlowsFailed                       an ExceptionGroup: what became of a walk over many
```

All of them pickle and copy. None of them holds a credential: not in `str`, `repr`, `args` or
attributes, nor in the exception it is raised from.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import NotRequired, Self, TypedDict, Unpack

    class _Said(TypedDict):
        """What every `ApiError` takes beside its message."""

        status: int
        error: NotRequired[str | None]
        error_info: NotRequired[str | None]
        error_code: NotRequired[int | None]
        correlation_id: NotRequired[str | None]
        resume_start: NotRequired[int | None]


__all__ = [
    "ApiError",
    "AuthenticationError",
    "AuthorizationCallbackError",
    "BadRequestError",
    "BlockedError",
    "CheckpointLostError",
    "DailyBudgetExhaustedError",
    "DecodeError",
    "FlowsFailed",
    "InvalidIdError",
    "NotFoundError",
    "PaginationError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PipeflowError",
    "RateLimitError",
    "ReauthorizationRequiredError",
    "RequestTimeoutError",
    "ServerError",
    "TokenStoreError",
    "TransportError",
]


def _rebuild(
    kind: type[PipeflowError], args: tuple[object, ...], state: dict[str, Any]
) -> PipeflowError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class PipeflowError(Exception):
    """The base of all errors raised by pipeflow.

    Attributes:
        resume_start: The offset to go on from. Every error that pipeflow raises while a history
            is read has one, also of `get_person_flow`, also when nothing was sent because of a
            block or a spent budget: `iter_person_flow(id, start=error.resume_start)` yields every
            record that the broken walk did not. Updates removed between the two walks move the
            rest up, past this offset: if that can happen, go back by as many as may have gone.
            None for an error that no reading of a history raised, such as one of
            `pipeflow.codec.decode_page`.
        owner_id: In a walk over many, the id of the person, deal or organization whose walk it
            was; else None.
    """

    def __init__(self, message: str, *, resume_start: int | None = None) -> None:
        super().__init__(message)
        self.resume_start = resume_start
        self.owner_id: int | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls the class with `args` alone and so forgets keyword arguments.
        return _rebuild, (type(self), self.args, self.__dict__)


class TransportError(PipeflowError):
    """No whole answer came. Often it passes: go on later, from `resume_start`.

    It comes when

    - no connection could be made: a wrong host, a refused port, a wrong certificate, no network;
    - the connection broke before or during the answer, or what came was not HTTP;
    - no answer came in time, as a `RequestTimeoutError`;
    - the session, or the `aiohttp.ClientSession` that it borrows, was closed under a walk.

    Unless a retry cannot help (a wrong certificate, a closed session), it is raised when the
    attempts of the `RetryPolicy` are used up. The request may have been carried out. The cause
    (`__cause__`) is aiohttp's error, where that holds no secret.

    Attributes:
        attempts: How often the request was sent.
    """

    def __init__(self, message: str, *, attempts: int = 1, resume_start: int | None = None) -> None:
        super().__init__(message, resume_start=resume_start)
        self.attempts = attempts

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.attempts == 1 else f"{message} (in {self.attempts} attempts)"


class RequestTimeoutError(TransportError, TimeoutError):
    """No whole answer came in time. The message says which time it was.

    It comes when

    - each attempt took longer than `attempt_timeout`;
    - a page took longer than `deadline`, with all its attempts and waits.
    """


class ApiError(PipeflowError):
    """Pipedrive answered, and the answer says no.

    A plain `ApiError` is a status without a class of its own, or `"success": false` with
    status 200.

    Attributes:
        status: The HTTP status.
        error: What the answer's `error` says, or None.
        error_info: What the answer's `error_info` says, or None.
        error_code: The answer's `errorCode`, or None.
        correlation_id: The `x-correlation-id` that Pipedrive's support asks for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error: str | None = None,
        error_info: str | None = None,
        error_code: int | None = None,
        correlation_id: str | None = None,
        resume_start: int | None = None,
    ) -> None:
        super().__init__(message, resume_start=resume_start)
        self.status = status
        self.error = error
        self.error_info = error_info
        self.error_code = error_code
        self.correlation_id = correlation_id


class BadRequestError(ApiError):
    """400: the request was not understood."""


class AuthenticationError(ApiError):
    """401: the token is wrong, revoked or expired."""


class ReauthorizationRequiredError(AuthenticationError):
    """The OAuth refresh token is dead (`invalid_grant`), or the store holds no tokens.

    A refresh token dies when the user removes the app, or after 60 days without use. Send the user
    to `OAuthApp.authorization_url` again and save the new tokens in the store: the session then
    goes on with them.
    """


class PaymentRequiredError(ApiError):
    """402: the company's account is not open."""


class PermissionDeniedError(ApiError):
    """403: the token's user may not see this, or an OAuth scope is missing."""


class BlockedError(PermissionDeniedError):
    """Cloudflare blocks this client: a 403, or a 429 of its own. Stop; it is never retried.

    It comes when a client keeps sending after 429s. Until the block ends, the session sends nothing
    and raises this error instead.

    Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`).

    Attributes:
        retry_after: Seconds from the raising of this error until something may be sent again:
            what the answer asked for or else the session's `block_cooldown`. None if neither is
            known.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, **said: Unpack[_Said]
    ) -> None:
        super().__init__(message, **said)
        self.retry_after = retry_after


class NotFoundError(ApiError):
    """404 or 410: there is no such person, deal or organization (any more), or no such address.

    Attributes:
        missing_record: Whether the answer says that it is the record that is missing. When it does
            not, `base_url` may be wrong, and the message says so.
    """

    def __init__(self, message: str, *, missing_record: bool = True, **said: Unpack[_Said]) -> None:
        super().__init__(message, **said)
        self.missing_record = missing_record


class RateLimitError(ApiError):
    """429: the burst limit, after the retries, or with a wait longer than `max_wait`.

    Source: Pipedrive's guide, "Rate limiting" (`core-api-concepts-rate-limiting`).

    Attributes:
        retry_after: Seconds that the server asked to wait, in `Retry-After` or for the burst limit
            in `x-ratelimit-reset`; None if it did not say.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, **said: Unpack[_Said]
    ) -> None:
        super().__init__(message, **said)
        self.retry_after = retry_after


class DailyBudgetExhaustedError(RateLimitError):
    """429: the company's token budget of this day is used up. It is never waited out.

    The budget starts anew at midnight of Pipedrive's server. `retry_after` is what `Retry-After`
    said, never `x-ratelimit-reset`, which is about the burst limit.
    """


class ServerError(ApiError):
    """5xx: Pipedrive failed, in every attempt."""


class DecodeError(PipeflowError):
    """The answer is not a page of updates or, with `strict=True`, a record breaks its shape.

    Attributes:
        path: Where in the answer, such as `$.data[3].data.due_date`; `$` is the whole of it.
    """

    def __init__(self, message: str, *, path: str = "$", resume_start: int | None = None) -> None:
        super().__init__(message, resume_start=resume_start)
        self.path = path


class PaginationError(PipeflowError):
    """The collection does not advance: pages repeat, or are empty while more is claimed."""


class AuthorizationCallbackError(PipeflowError):
    """The browser came back from Pipedrive's consent page without a code to trust.

    Attributes:
        error: What the callback's `error` says, such as `"access_denied"` when the user declined;
            None when the callback itself is wrong, such as with another `state`.
    """

    def __init__(
        self, message: str, *, error: str | None = None, resume_start: int | None = None
    ) -> None:
        super().__init__(message, resume_start=resume_start)
        self.error = error


class TokenStoreError(PipeflowError):
    """The store of OAuth tokens failed, or its lock was held for too long.

    No token is lost: what could not be saved is kept in memory and saved before it is first used.
    The cause (`__cause__`) is the store's error.
    """


class CheckpointLostError(PipeflowError):
    """A watch cannot be joined to its checkpoint: none of the records it remembers was found.

    Too much has happened since, or too much was removed. `on_lost=` of the watch says how to go on
    instead.
    """


class InvalidIdError(PipeflowError, ValueError):
    """One of many ids cannot be an id: it is not an int, or less than 1, or its offset is wrong.

    Nothing was sent for it. `iter_person_flows` counts it among the failures.
    """


class FlowsFailed(ExceptionGroup[Exception]):
    """A walk over many persons, deals or organizations that did not end well for all of them.

    It is raised at the end, when some of them failed, and at once, when something stopped the
    walk. Either way each id that was taken is accounted for: it was told of as done or missing, or
    it is in `failures` or in `unfinished`, or it repeats another. `remaining(ids)` goes on where
    it ended.

    `except FlowsFailed` has all of it. `except* BlockedError` works too, as with every
    `ExceptionGroup`: the part that it gets has the same attributes as the whole.

    Attributes:
        failures: The failures of single owners, in the order they came, each with `owner_id` and
            `resume_start`. Only the first 1,000 are kept, without their tracebacks.
        failure_count: How many failed, the ones that are not kept included.
        stopped_by: What stopped the walk: an error that concerns all (a block, the daily budget,
            401, 402), with `on_error="raise"` the first failure, or what `ids` or a callback
            raised. None when the walk came to its end.
        begun: How many entries of `ids` were taken.
        unfinished: Those among them that are neither done nor missing nor failed, each with the
            offset to go on from.
    """

    failures: tuple[PipeflowError, ...]
    failure_count: int
    stopped_by: Exception | None
    begun: int
    unfinished: dict[int, int]

    def __new__(
        cls,
        message: str,
        exceptions: Sequence[Exception],
        *,
        failures: Sequence[PipeflowError] = (),
        failure_count: int | None = None,
        stopped_by: Exception | None = None,
        begun: int = 0,
        unfinished: Mapping[int, int] | None = None,
    ) -> Self:
        """A group of `exceptions` that accounts for a whole walk."""
        self = super().__new__(cls, message, exceptions)
        self.failures = tuple(failures)
        self.failure_count = len(self.failures) if failure_count is None else failure_count
        self.stopped_by = stopped_by
        self.begun = begun
        self.unfinished = dict(unfinished or {})
        return self

    def __init__(self, message: str, exceptions: Sequence[Exception], **_account: object) -> None:
        # The keywords are those of `__new__`, which an ExceptionGroup would refuse here.
        super().__init__(message, exceptions)

    def remaining(self, ids: Iterable[int | tuple[int, int]]) -> Iterator[int | tuple[int, int]]:
        """Yields what to walk next: the unfinished from where they ended, then the ids not begun.

        Those that failed are left out. To try them again, take `owner_id` and `resume_start` from
        `failures`.

        Args:
            ids: The ids that were walked, from the beginning: not an iterator that was used up.
        """
        return chain(self.unfinished.items(), islice(ids, self.begun, None))

    def derive(self, excs: Sequence[Exception]) -> FlowsFailed:  # type: ignore[override]
        """A part of it, as `split`, `subgroup` and `except*` make them: with the same account."""
        return FlowsFailed(
            self.message,
            excs,
            failures=self.failures,
            failure_count=self.failure_count,
            stopped_by=self.stopped_by,
            begun=self.begun,
            unfinished=self.unfinished,
        )

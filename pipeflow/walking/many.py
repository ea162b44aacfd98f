"""Many walks at once, as one stream: what comes of each, and of the whole.

Knows no connection: it runs over any `walk(owner, plan)` that yields pages.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen, validators

from pipeflow.arguments import flag, plain_int, whole_number
from pipeflow.errors import FlowsFailed, NotFoundError, PipeflowError
from pipeflow.walking.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import attrs

    from pipeflow.owners import OwnerKind
    from pipeflow.records import FlowUpdate
    from pipeflow.walking.plan import WalkPlan
    from pipeflow.walking.workers import Arrival, OwnerIds, Walk

__all__ = ["ManyPlan", "OnError", "walk_many"]

OnError = Literal["collect", "raise"]

FAILURES_KEPT = 1_000
"""A million persons may fail, and each error takes a kilobyte."""


def _known_word(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value not in {"collect", "raise"}:
        raise ValueError(f"{attribute.name} must be 'collect' or 'raise', not {value!r}")


def _callback(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not callable(value):
        raise TypeError(f"{attribute.name} must be a function, not {value!r}")


def _wants_skip_missing(plan: ManyPlan, _: object, value: object) -> None:
    if value is not None and not plan.skip_missing:
        raise ValueError("on_missing is for skip_missing=True; without it, they are failures")


@frozen(kw_only=True)
class ManyPlan:
    """How to walk over many: how many at a time, and whom to tell what became of each.

    Attributes:
        concurrency: Walks at the same time, 1 or more.
        on_error: `"collect"` goes on with the others and raises at the end; `"raise"` stops all.
        skip_missing: Whether an owner that does not exist (404, 410) is not a failure. An answer
            that may mean a wrong `base_url` is one.
        on_done: Called with the id of each owner whose last update was consumed.
        on_failure: Called with the error of each owner that failed.
        on_missing: Called with the id of each owner that `skip_missing` passes over.

    Raises:
        ValueError: A value is out of bounds; the message names it.
        TypeError: A value is of another type.
    """

    concurrency: int = field(default=8, converter=plain_int, validator=whole_number(least=1))
    on_error: OnError = field(default="collect", validator=_known_word)
    skip_missing: bool = field(default=False, validator=flag)
    on_done: Callable[[int], object] | None = field(
        default=None, validator=validators.optional(_callback)
    )
    on_failure: Callable[[PipeflowError], object] | None = field(
        default=None, validator=validators.optional(_callback)
    )
    on_missing: Callable[[int], object] | None = field(
        default=None, validator=[validators.optional(_callback), _wants_skip_missing]
    )

    def is_failure(self, error: PipeflowError) -> bool:
        """Whether an error that ended an owner's walk counts as its failure."""
        is_missing = isinstance(error, NotFoundError) and error.missing_record
        return not (self.skip_missing and is_missing)

    def is_fatal(self, error: PipeflowError) -> bool:
        """Whether an owner's failure stops all walks."""
        return self.on_error == "raise" and self.is_failure(error)


async def walk_many(
    ids: OwnerIds, kind: OwnerKind, walk: Walk, plan: WalkPlan, many: ManyPlan
) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
    """Yields each owner's updates in order, and the owners' as they come.

    Ids are taken one by one, when a walk has room for them, so endless iterables do; each is walked
    once, however often it comes. While the consumer is busy, at most two pages per walk are held.
    However it ends, no walk is under way any more when it has ended.

    Args:
        ids: Whom to walk over: ids, or pairs of an id and the offset to begin at.
        kind: What they are.
        walk: Begins the walk of one owner.
        plan: What each walk asks for.
        many: How many at a time, and what to do about what ends.

    Raises:
        FlowsFailed: At the end, when some failed. At once, for an error that concerns all, with
            `on_error="raise"` for the first failure, and for what `ids` or a callback raises.
    """
    account = _Account(kind, many)
    async with WorkerPool(
        ids, kind, walk, plan, concurrency=many.concurrency, is_fatal=many.is_fatal
    ) as pool:
        while account.refused is None and (arrival := await pool.next_arrival()) is not None:
            if arrival.page is not None and arrival.owner_id is not None:
                for update in arrival.page.updates:
                    yield arrival.owner_id, update
                if arrival.page.next_start is not None:
                    pool.unfinished[arrival.owner_id] = arrival.page.next_start
            if arrival.is_end:
                if arrival.owner_id is not None:
                    pool.unfinished.pop(arrival.owner_id, None)
                await account.close(arrival)
    account.settle(pool)


class _Account:
    """What became of each owner, told to the callbacks."""

    def __init__(self, kind: OwnerKind, many: ManyPlan) -> None:
        self._kind = kind
        self._many = many
        self._failures: list[PipeflowError] = []
        self._failure_count = 0
        self._missing_count = 0
        self.refused: Exception | None = None

    async def close(self, arrival: Arrival) -> None:
        """Notes how a walk ended, and tells of it. What the callback raises is `refused`."""
        if arrival.failure is None:
            await self._tell("on_done", arrival.owner_id)
        elif self._many.is_failure(arrival.failure):
            self._count(arrival.failure)
            await self._tell("on_failure", arrival.failure)
        else:
            self._missing_count += 1
            await self._tell("on_missing", arrival.owner_id)

    def _count(self, failure: PipeflowError) -> None:
        self._failure_count += 1
        _drop_tracebacks(failure)
        if len(self._failures) < FAILURES_KEPT:
            self._failures.append(failure)

    async def _tell(self, name: str, news: object) -> None:
        callback = getattr(self._many, name)
        if callback is None:
            return
        try:
            answer = callback(news)
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001 - raised again with the account
            error.add_note(f"raised by {name}({news!r})")
            self.refused = error

    def settle(self, pool: WorkerPool) -> None:
        """Raises what there is to raise when all walks have ended."""
        stopped_by = self.refused or pool.stopped_by
        if stopped_by is not None and not isinstance(stopped_by, Exception):
            raise stopped_by  # such as KeyboardInterrupt, which nobody may take for a failure
        for arrival in pool.left():
            if arrival.owner_id is None and arrival.failure is not None:
                self._count(arrival.failure)  # what cannot be an id cannot stand in `unfinished`
        if stopped_by is None and not self._failure_count:
            return
        reasons = {id(error): error for error in (*self._failures, self.refused, pool.stopped_by)}
        failed = FlowsFailed(
            self._message(pool, stopped_by),
            [error for error in reasons.values() if isinstance(error, Exception)],
            failures=self._failures,
            failure_count=self._failure_count,
            stopped_by=stopped_by,
            begun=pool.begun,
            unfinished=pool.unfinished,
        )
        if pool.unfinished:
            failed.add_note(f"unfinished, with the offset to go on from: {pool.unfinished}")
        raise failed

    def _message(self, pool: WorkerPool, stopped_by: Exception | None) -> str:
        count = pool.begun - pool.repeated
        message = f"{self._failure_count} of {count} {self._kind.collection} failed"
        if self._failure_count > len(self._failures):
            message += f" (the first {len(self._failures)} errors are kept)"
        if stopped_by is not None:
            rest = len(pool.unfinished)
            done = count - self._failure_count - self._missing_count - rest
            message += (
                f", {done} are done, {self._missing_count} missing, {rest} unfinished: stopped by "
                f"{type(stopped_by).__name__}: {stopped_by}"
            )
        return message


def _drop_tracebacks(error: BaseException) -> None:
    """Lets go of the frames that an error and what it was raised from hold."""
    errors: list[BaseException | None] = [error]
    seen: set[int] = set()
    while errors:
        link = errors.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        link.__traceback__ = None
        errors += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            errors += link.exceptions

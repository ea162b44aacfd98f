"""The methods that watch histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow.cost import DAY
from pipeflow.flows.keywords import explaining_keywords
from pipeflow.flows.source import WatchedFlows
from pipeflow.owners import OwnerKind
from pipeflow.walking.plan import WalkPlan
from pipeflow.watching.plan import WatchPlan
from pipeflow.watching.watch import FlowWatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from weakref import WeakSet

    from pipeflow.connection import Connection
    from pipeflow.credentials import Credential
    from pipeflow.middleware import RateLimitMiddleware
    from pipeflow.reader import FlowReader
    from pipeflow.watching import Checkpoint, OnBudget, OnLost, OnWatchError

__all__ = ["WatchMethods"]


class WatchMethods:
    """Watching persons, deals and organizations."""

    _reader: FlowReader
    _connection: Connection
    _credential: Credential
    _watches: WeakSet[FlowWatch]
    _rate_limit: RateLimitMiddleware

    @explaining_keywords
    def watch_person_flow(
        self,
        id: int,
        *,
        checkpoint: Checkpoint | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        interval: float = 300.0,
        deep_interval: float | None = DAY,
        deep_pages: int = 20,
        max_pages: int = 20,
        daily_share: float = 0.5,
        on_lost: OnLost = "raise",
        on_budget: OnBudget = "wait",
        on_error: OnWatchError | None = None,
    ) -> FlowWatch:
        """Watches a person: what is new, once, oldest first, for as long as you ask.

        It begins with now, or where a `checkpoint` was. What appears is an event of the kind
        `"new"`; an activity that is done, and a record that is edited, is one of the kind
        `"changed"`.

        ```python
        async with pipedrive.watch_person_flow(1101) as watch:
            async for event in watch:
                print(event.kind, event.update.summary())
                save(event.checkpoint)
        ```

        Finding the place at the beginning costs one request, 40 tokens, and so does a poll that
        finds nothing. Nothing is polled while your loop is busy. What passes is waited out, however
        long it takes: errors of the network and the server, the burst limit, a block.

        Args:
            id: The person.
            checkpoint: Where to go on: `event.checkpoint` or `watch.checkpoint` of an earlier
                watch. None begins with now.
            items: The kinds of update to watch for: strings or `FlowItem` values, or one
                comma-separated string. None means all.
            all_changes: Whether to include changes of custom fields.
            interval: Seconds from the start of one poll to the start of the next.
            deep_interval: Seconds between two deep looks, which find what sinks below the newest
                records: calls logged late, backdated notes, activities done long after they were
                due. A deep look costs a request for each 500 updates of the history. None means
                no deep looks.
            deep_pages: The most pages of 500 updates that a deep look reads.
            max_pages: The most pages in which a poll looks for a record that it knows, before the
                checkpoint counts as lost.
            daily_share: The part of what is left of the day's tokens, above 0 and at most 1, that
                the watch may take; it stretches its interval for that. Without the headers that
                tell what is left, it keeps to its interval.
            on_lost: What to do when the checkpoint is too old to be joined: `"raise"` a
                `CheckpointLostError`, go on with the `"latest"`, or `"replay"` the whole history.
            on_budget: Whether to `"wait"` when the day's tokens are used up, or to `"raise"` the
                `DailyBudgetExhaustedError`.
            on_error: Called with the id and the error of a poll that failed for a reason that
                concerns this person alone, such as a 403; it returns, or awaits, `"continue"`,
                `"drop"` or `"raise"`. By default the watch goes on and logs it, except that a
                missing person and a lost checkpoint are raised.

        Raises:
            ValueError: An argument is out of bounds, or the checkpoint belongs to something else.
            TypeError: An argument is of another type, or not known here.
        """
        plan = WatchPlan(
            interval=interval,
            deep_interval=deep_interval,
            deep_pages=deep_pages,
            max_pages=max_pages,
            daily_share=daily_share,
            on_lost=on_lost,
            on_budget=on_budget,
            on_error=on_error,
            raises_missing=True,
        )
        walk = WalkPlan(items=OwnerKind.PERSON.items_parameter(items), all_changes=all_changes)
        return self._watch(
            OwnerKind.PERSON, [id], {} if checkpoint is None else {id: checkpoint}, walk, plan
        )

    @explaining_keywords
    def watch_person_flows(
        self,
        ids: Iterable[int] = (),
        *,
        checkpoints: Mapping[int, Checkpoint] | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        interval: float = 300.0,
        deep_interval: float | None = DAY,
        deep_pages: int = 20,
        max_pages: int = 20,
        daily_share: float = 0.5,
        on_lost: OnLost = "raise",
        on_budget: OnBudget = "wait",
        on_error: OnWatchError | None = None,
    ) -> FlowWatch:
        """Watches many persons in one watch, each by its own clock, evenly spread.

        The same as `watch_person_flow` for each of them, at the same cost for each:
        `pipeflow.cost.WatchCost` says what that is a day. `add`, `discard` and `poke` of the
        watch work while it runs. One person's fault stops no other.

        Args:
            ids: The persons. Those without a checkpoint begin with now.
            checkpoints: Where to go on, by id: `watch.checkpoints` of an earlier watch. Their
                persons are watched, too.
            items: The kinds of update to watch for. None means all.
            all_changes: Whether to include changes of custom fields.
            interval: Seconds from the start of one poll of a person to the start of the next.
            deep_interval: Seconds between two deep looks at a person. None means no deep looks.
            deep_pages: The most pages of 500 updates that a deep look reads.
            max_pages: The most pages in which a poll looks for a record that it knows.
            daily_share: The part of what is left of the day's tokens that the watch may take.
            on_lost: What to do when a checkpoint is too old to be joined: `"raise"`, go on with
                the `"latest"`, or `"replay"` the history.
            on_budget: Whether to `"wait"` when the day's tokens are used up, or to `"raise"`.
            on_error: Called with the id and the error of a poll that failed for a reason that
                concerns one person alone; it returns, or awaits, `"continue"`, `"drop"` or
                `"raise"`. By default the watch goes on and logs it, drops a person that does not
                exist (any more), and raises a lost checkpoint.

        Raises:
            ValueError: An argument is out of bounds, or a checkpoint belongs to something else.
            TypeError: An argument is of another type, or not known here.
        """
        plan = WatchPlan(
            interval=interval,
            deep_interval=deep_interval,
            deep_pages=deep_pages,
            max_pages=max_pages,
            daily_share=daily_share,
            on_lost=on_lost,
            on_budget=on_budget,
            on_error=on_error,
            raises_missing=False,
        )
        walk = WalkPlan(items=OwnerKind.PERSON.items_parameter(items), all_changes=all_changes)
        return self._watch(OwnerKind.PERSON, ids, checkpoints or {}, walk, plan)

    @explaining_keywords
    def watch_deal_flow(
        self,
        id: int,
        *,
        checkpoint: Checkpoint | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        interval: float = 300.0,
        deep_interval: float | None = DAY,
        deep_pages: int = 20,
        max_pages: int = 20,
        daily_share: float = 0.5,
        on_lost: OnLost = "raise",
        on_budget: OnBudget = "wait",
        on_error: OnWatchError | None = None,
    ) -> FlowWatch:
        """Watches a deal, as `watch_person_flow` does a person."""
        plan = WatchPlan(
            interval=interval,
            deep_interval=deep_interval,
            deep_pages=deep_pages,
            max_pages=max_pages,
            daily_share=daily_share,
            on_lost=on_lost,
            on_budget=on_budget,
            on_error=on_error,
            raises_missing=True,
        )
        walk = WalkPlan(items=OwnerKind.DEAL.items_parameter(items), all_changes=all_changes)
        return self._watch(
            OwnerKind.DEAL, [id], {} if checkpoint is None else {id: checkpoint}, walk, plan
        )

    @explaining_keywords
    def watch_deal_flows(
        self,
        ids: Iterable[int] = (),
        *,
        checkpoints: Mapping[int, Checkpoint] | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        interval: float = 300.0,
        deep_interval: float | None = DAY,
        deep_pages: int = 20,
        max_pages: int = 20,
        daily_share: float = 0.5,
        on_lost: OnLost = "raise",
        on_budget: OnBudget = "wait",
        on_error: OnWatchError | None = None,
    ) -> FlowWatch:
        """Watches many deals, as `watch_person_flows` does persons."""
        plan = WatchPlan(
            interval=interval,
            deep_interval=deep_interval,
            deep_pages=deep_pages,
            max_pages=max_pages,
            daily_share=daily_share,
            on_lost=on_lost,
            on_budget=on_budget,
            on_error=on_error,
            raises_missing=False,
        )
        walk = WalkPlan(items=OwnerKind.DEAL.items_parameter(items), all_changes=all_changes)
        return self._watch(OwnerKind.DEAL, ids, checkpoints or {}, walk, plan)

    @explaining_keywords
    def watch_organization_flow(
        self,
        id: int,
        *,
        checkpoint: Checkpoint | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        interval: float = 300.0,
        deep_interval: float | None = DAY,
        deep_pages: int = 20,
        max_pages: int = 20,
        daily_share: float = 0.5,
        on_lost: OnLost = "raise",
        on_budget: OnBudget = "wait",
        on_error: OnWatchError | None = None,
    ) -> FlowWatch:
        """Watches an organization, as `watch_person_flow` does a person."""
        plan = WatchPlan(
            interval=interval,
            deep_interval=deep_interval,
            deep_pages=deep_pages,
            max_pages=max_pages,
            daily_share=daily_share,
            on_lost=on_lost,
            on_budget=on_budget,
            on_error=on_error,
            raises_missing=True,
        )
        walk = WalkPlan(
            items=OwnerKind.ORGANIZATION.items_parameter(items), all_changes=all_changes
        )
        return self._watch(
            OwnerKind.ORGANIZATION, [id], {} if checkpoint is None else {id: checkpoint}, walk, plan
        )

    @explaining_keywords
    def watch_organization_flows(
        self,
        ids: Iterable[int] = (),
        *,
        checkpoints: Mapping[int, Checkpoint] | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        interval: float = 300.0,
        deep_interval: float | None = DAY,
        deep_pages: int = 20,
        max_pages: int = 20,
        daily_share: float = 0.5,
        on_lost: OnLost = "raise",
        on_budget: OnBudget = "wait",
        on_error: OnWatchError | None = None,
    ) -> FlowWatch:
        """Watches many organizations, as `watch_person_flows` does persons."""
        plan = WatchPlan(
            interval=interval,
            deep_interval=deep_interval,
            deep_pages=deep_pages,
            max_pages=max_pages,
            daily_share=daily_share,
            on_lost=on_lost,
            on_budget=on_budget,
            on_error=on_error,
            raises_missing=False,
        )
        walk = WalkPlan(
            items=OwnerKind.ORGANIZATION.items_parameter(items), all_changes=all_changes
        )
        return self._watch(OwnerKind.ORGANIZATION, ids, checkpoints or {}, walk, plan)

    def _watch(
        self,
        kind: OwnerKind,
        ids: Iterable[int],
        checkpoints: Mapping[int, Checkpoint],
        walk: WalkPlan,
        plan: WatchPlan,
    ) -> FlowWatch:
        source = WatchedFlows(
            self._reader,
            self._credential,
            kind,
            walk,
            tokens_left=lambda: self._rate_limit.rate_limit.daily_remaining,
            is_closed=lambda: self._connection.closed,
        )
        watch = FlowWatch(source, ids, checkpoints, plan)
        self._watches.add(watch)
        return watch

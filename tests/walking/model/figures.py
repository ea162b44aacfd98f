"""Many random walks, of all kinds in turn, and what came of them."""

from __future__ import annotations

from collections import Counter

from attrs import Factory, define

from tests.walking.model.history import KINDS
from tests.walking.model.walks import RandomWalk

__all__ = ["Figures", "many_walks"]


@define
class Figures:
    """What came of many walks: counts for each kind, and a line for each that was wrong."""

    counts: dict[str, Counter[str]] = Factory(dict)
    wrong: list[str] = Factory(list)

    def __str__(self) -> str:
        lines = [
            f"{kind}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
            for kind, counts in self.counts.items()
        ]
        return "\n".join([*lines, f"{len(self.wrong)} wrong", *self.wrong])


async def many_walks(seed: int, count: int) -> Figures:
    """So many walks with seeds made of one."""
    figures = Figures({kind: Counter() for kind in KINDS})
    kinds = list(KINDS)
    for number in range(count):
        walk = RandomWalk(f"{seed}/{number}", kinds[number % len(kinds)])
        outcome = await walk.run()
        figures.wrong.extend(f"{walk}: {complaint}" for complaint in outcome.wrong)
        figures.counts[walk.kind].update(
            walks=1,
            wrong=bool(outcome.wrong),
            lost_its_place=outcome.lost_its_place,
            requests=outcome.requests,
            pages=outcome.pages,
            changes=outcome.changes,
            records=outcome.records,
        )
    return figures

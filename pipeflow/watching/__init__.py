"""Watching histories: what is new, once, in order, for as long as a bot lives.

```
watch             who is polled, and what is told to the loop
├── schedule      who is next, and when
├── poll          how far one poll reads, and what of it is news
├── place         what is remembered of a history
├── checkpoint    a place as a small JSON value
└── faults        what a failed poll means
```

Pure: no room here knows a connection; clocks and chance are arguments.
"""

from pipeflow.watching.checkpoint import Checkpoint
from pipeflow.watching.events import FlowEvent
from pipeflow.watching.plan import OnBudget, OnLost, OnWatchError, Verdict
from pipeflow.watching.watch import FlowWatch

__all__ = [
    "Checkpoint",
    "FlowEvent",
    "FlowWatch",
    "OnBudget",
    "OnLost",
    "OnWatchError",
    "Verdict",
]

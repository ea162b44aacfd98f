"""Watching histories: what is new, once, in order, for as long as a bot lives.

```
watch             who is polled when, and what is told to the loop
├── poll          how far one poll reads, and what of it is news
├── place         what is remembered of a history
└── checkpoint    a place as a small JSON value
```

Pure: no room here knows a connection; clocks and chance are arguments.
"""

from pipeflow.watching.checkpoint import Checkpoint
from pipeflow.watching.watch import FlowEvent, FlowWatch, OnBudget, OnLost, OnWatchError

__all__ = ["Checkpoint", "FlowEvent", "FlowWatch", "OnBudget", "OnLost", "OnWatchError"]

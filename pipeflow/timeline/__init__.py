"""A history as a page to look at: one HTML file that needs no network.

```
page      the page: Jinja2's template, its style, its script, and the policy that binds them
├── entries   an update as the page shows it
├── stages    the way of each deal through its stages
└── markup    HTML of notes and mails as plain text
```

It needs the extra `html` (Jinja2), which is imported when a page is rendered.
"""

from __future__ import annotations

from pipeflow.timeline.page import render

__all__ = ["render"]

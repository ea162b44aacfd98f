"""Names for what updates have as keys and ids: asked once of the account, and kept.

```
values      Names: a frozen value that names fields, options, users, stages, pipelines
└── lists   the answers of Pipedrive's lists, v1 and v2, as names
```

Pure: `pipeflow.flows.names` asks.
"""

from pipeflow.names.values import FieldNames, Names

__all__ = ["FieldNames", "Names"]

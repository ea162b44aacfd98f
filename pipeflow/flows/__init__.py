"""The flow methods of a session: one history walked, its pages, one page, many histories.

```
persons, deals, organizations   the methods of each kind of owner: the same, word for word
watches, source                 watching any of them, and where a watch reads from
names                           names for keys and ids
changed                         whose history may have changed
keywords                        the right name for arguments that other libraries name differently
```

The signatures and docstrings are written out for each kind, so that editors, `help` and type
checkers show them; a test holds them together.
"""

from pipeflow.flows.changed import ChangeMethods
from pipeflow.flows.deals import DealFlows
from pipeflow.flows.names import NameMethods
from pipeflow.flows.organizations import OrganizationFlows
from pipeflow.flows.persons import PersonFlows
from pipeflow.flows.watches import WatchMethods

__all__ = ["FlowMethods"]


class FlowMethods(
    PersonFlows, DealFlows, OrganizationFlows, WatchMethods, NameMethods, ChangeMethods
):
    """All that `PipedriveSession` can do with the flow endpoints."""

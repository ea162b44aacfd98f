"""The async client for Pipedrive's flow API: everything that happened to a person.

Begin with `PipedriveSession`. The map shows where to look further, from the top down; each module
or folder imports only from those below it:

```
cli             the `pipeflow` command
testing         FakePipedrive, the API on a loopback socket, and its faults
session         PipedriveSession: how it is made and closed
flows/          its methods, for persons, deals and organizations
reader          a walk's pages, fetched and decoded
connection      one GET through the middlewares, over an aiohttp session
middleware/     retry, rate limit, time limit, authentication: each an aiohttp client middleware
watching/       what is new about a person: each piece of news once, in order
cost            what watching costs
walking/        which page comes next, what in it is new, what is fetched ahead; many walks
owners          a person, a deal, an organization, and the address of its flow
names/          names for keys and ids, asked once of the account
redis/          one limit and one set of OAuth tokens for many processes
codec/          bytes to records, and back to JSON
timeline/       a history as a page to look at
retrying        the retry rule: after what, how often, and after how long
limiting/       the burst limit: who may send, and when
credentials/    what a request authenticates with, and how that stays secret
failures        aiohttp's errors, turned into pipeflow's
cookies         how they stay out of a borrowed session's jar
addresses       the base URL
answers/        one HTTP answer, and what it means: limits, waits, blocks, errors
observing/      what happens to requests, for counters, logs and your own observers
webhooks        whose histories a webhook is about
records/        updates, their payloads, pages
items           the values of the `items` filter
errors          every error, in one tree
arguments       checks of arguments, and messages that name them
```

`walking`, `watching`, `retrying`, `limiting`, `answers`, `codec` and `records` hold the rules. They
know no connection and take the clock as an argument.

- **An update** is read by `codec.entries` from the answer that `connection` got. `reader` brings
  the two together, and `walking.paging` decides what to ask for.
- **A failed request** is sent again by `middleware.retry`, as the rule in `retrying` says.
- **A 429** is understood by `answers`: the burst limit, the daily budget or a block.
  `middleware.rate_limit` tells the limiter, which makes all others wait or fails them.
- **A kind of record** is a class in `records`, named in `Payload` in `records.updates`.
- **A flow endpoint** is a member of `owners.OwnerKind`, with its methods in `flows`.
"""

from pipeflow.answers import RateLimit
from pipeflow.codec import to_dict
from pipeflow.credentials import (
    FileTokenStore,
    MemoryTokenStore,
    OAuthApp,
    OAuthTokens,
    TokenStore,
)
from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    AuthorizationCallbackError,
    BadRequestError,
    BlockedError,
    CheckpointLostError,
    DailyBudgetExhaustedError,
    DecodeError,
    FlowsFailed,
    InvalidIdError,
    NotFoundError,
    PaginationError,
    PaymentRequiredError,
    PermissionDeniedError,
    PipeflowError,
    RateLimitError,
    ReauthorizationRequiredError,
    RequestTimeoutError,
    ServerError,
    TokenStoreError,
    TransportError,
)
from pipeflow.items import FlowItem, OrganizationFlowItem
from pipeflow.limiting import BurstLimiter
from pipeflow.names import FieldNames, Names
from pipeflow.observing.stats import SessionStats
from pipeflow.records import (
    Activity,
    ActivityAttendee,
    ActivityFile,
    ActivityParticipant,
    Comment,
    FieldChange,
    File,
    FlowPage,
    FlowUpdate,
    MailMessage,
    MailParty,
    Note,
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)
from pipeflow.retrying import RetryPolicy
from pipeflow.session import PipedriveSession
from pipeflow.watching import FlowEvent, FlowWatch

__version__ = "0.1.0"

__all__ = [
    "Activity",
    "ActivityAttendee",
    "ActivityFile",
    "ActivityParticipant",
    "ApiError",
    "AuthenticationError",
    "AuthorizationCallbackError",
    "BadRequestError",
    "BlockedError",
    "BurstLimiter",
    "CheckpointLostError",
    "Comment",
    "DailyBudgetExhaustedError",
    "DecodeError",
    "FieldChange",
    "FieldNames",
    "File",
    "FileTokenStore",
    "FlowEvent",
    "FlowItem",
    "FlowPage",
    "FlowUpdate",
    "FlowWatch",
    "FlowsFailed",
    "InvalidIdError",
    "MailMessage",
    "MailParty",
    "MemoryTokenStore",
    "Names",
    "NotFoundError",
    "Note",
    "OAuthApp",
    "OAuthTokens",
    "OrganizationFlowItem",
    "PaginationError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PipedriveSession",
    "PipeflowError",
    "RateLimit",
    "RateLimitError",
    "ReauthorizationRequiredError",
    "RelatedDeal",
    "RelatedObjects",
    "RelatedOrganization",
    "RelatedPerson",
    "RelatedUser",
    "RequestTimeoutError",
    "RetryPolicy",
    "ServerError",
    "SessionStats",
    "TokenStore",
    "TokenStoreError",
    "TransportError",
    "__version__",
    "to_dict",
]

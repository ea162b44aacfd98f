"""The async client for Pipedrive's flow API: everything that happened to a person.

`PipedriveSession` is where to begin. Where to look further, from the top down; each room imports
only from those below it:

```
cli             the `pipeflow` command
testing         FakePipedrive, the API on a loopback socket, and its faults
session         PipedriveSession: how it is made and closed
flows/          its methods, for persons, deals and organizations
reader          a walk's pages, fetched and decoded
connection      one GET through the middlewares, over an aiohttp session
middleware/     retry, rate limit, time limit, authentication: each an aiohttp client middleware
watching/       what is new about a person, told once, in order
cost            what watching costs
walking/        which page comes next, what it repeats, what is fetched ahead; many walks at once
owners          a person, a deal, an organization, and the address of its flow
names/          names for keys and ids, asked once of the account
codec/          bytes to records, and back to JSON
timeline/       a history as a page to look at
retrying        when an attempt is worth repeating, and after how long
limiting/       the burst limit: who may send, and when
credentials/    what a request authenticates with, and how it is kept out of everything else
failures        errors of sockets and of aiohttp, as errors of ours
cookies         kept out of the jar of a borrowed session
addresses       the base URL
answers         an answer, and what it says: limits, waits, blocks, errors
observing/      what happens to requests, for counters and logs
webhooks        whose histories a webhook speaks of
records/        updates, their payloads, pages
items           the values of the `items` filter
errors          every error, in one tree
arguments       arguments that cannot be right, refused with their name
```

The rooms that decide (`walking`, `retrying`, `limiting`, `answers`, `codec`, `records`) know no
connection. An update comes from `codec`, a repeated request from `middleware.retry`, an error from
`answers`; a further flow endpoint begins in `owners`, a further kind of record in `records`.
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

__version__ = "0.1.0"
from pipeflow.watching import FlowEvent, FlowWatch

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

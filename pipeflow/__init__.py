"""The async client for Pipedrive's flow API: everything that happened to a person.

`PipedriveSession` is where to begin.
"""

from pipeflow.answers import RateLimit
from pipeflow.codec import to_dict
from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    BlockedError,
    DailyBudgetExhaustedError,
    DecodeError,
    NotFoundError,
    PaginationError,
    PaymentRequiredError,
    PermissionDeniedError,
    PipeflowError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)
from pipeflow.items import FlowItem
from pipeflow.limiting import BurstLimiter
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

__all__ = [
    "Activity",
    "ActivityAttendee",
    "ActivityFile",
    "ActivityParticipant",
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "BlockedError",
    "BurstLimiter",
    "Comment",
    "DailyBudgetExhaustedError",
    "DecodeError",
    "FieldChange",
    "File",
    "FlowItem",
    "FlowPage",
    "FlowUpdate",
    "MailMessage",
    "MailParty",
    "NotFoundError",
    "Note",
    "PaginationError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PipedriveSession",
    "PipeflowError",
    "RateLimit",
    "RateLimitError",
    "RelatedDeal",
    "RelatedObjects",
    "RelatedOrganization",
    "RelatedPerson",
    "RelatedUser",
    "RequestTimeoutError",
    "RetryPolicy",
    "ServerError",
    "SessionStats",
    "TransportError",
    "to_dict",
]

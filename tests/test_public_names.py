"""What users can import: a name that comes or goes does so on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pipeflow
import pipeflow.errors
import pipeflow.limiting
import pipeflow.middleware
import pipeflow.observing
import pipeflow.redis
import pipeflow.testing

if TYPE_CHECKING:
    from types import ModuleType

ERRORS = """
    ApiError AuthenticationError AuthorizationCallbackError BadRequestError BlockedError
    CheckpointLostError DailyBudgetExhaustedError DecodeError FlowsFailed InvalidIdError
    NotFoundError PaginationError PaymentRequiredError PermissionDeniedError PipeflowError
    RateLimitError ReauthorizationRequiredError RequestTimeoutError ServerError TokenStoreError
    TransportError
"""
RECORDS = """
    Activity ActivityAttendee ActivityFile ActivityParticipant Comment FieldChange File FlowPage
    FlowUpdate MailMessage MailParty Note RelatedDeal RelatedObjects RelatedOrganization
    RelatedPerson RelatedUser
"""
SESSION = """
    BurstLimiter FieldNames FlowEvent FlowItem FlowWatch Names OrganizationFlowItem
    PipedriveSession RateLimit RetryPolicy SessionStats __version__ to_dict
"""
OAUTH = "FileTokenStore MemoryTokenStore OAuthApp OAuthTokens TokenStore"
MIDDLEWARES = """
    AttemptMiddleware AuthMiddleware ObserverMiddleware RateLimitMiddleware RefreshMiddleware
    RetryMiddleware
"""
LIMITERS = "BlockReason BurstLimiter Limiter Slot block_error"
OBSERVERS = "LogObserver Observer Observers SessionStats"
EVENTS = """
    AttemptEnded LimitWaited PageRead RequestDetails RequestSent RetryScheduled SendingStopped
"""
FAULTS = """
    BadGateway Block ClampPages Cloudflare DailyBudgetExceeded Delay Disconnect Encoded Fault
    GzipBomb Headers HugeBody InsertRecord InvalidJson MissingNextStart NullBody Outage Redirect
    RemoveRecord Reset Stall Status StuckPage TooManyRequests
"""
FAKE = """
    Clock Controls FakeOAuth FakePipedrive Life SeenRequest Webhook WebhookAttempt
    generate_history generate_names generate_related
"""


def assert_exports(module: ModuleType, *names: str) -> None:
    assert sorted(module.__all__) == sorted(" ".join(names).split())
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_package_exports_the_session_the_records_and_the_errors() -> None:
    assert_exports(pipeflow, SESSION, OAUTH, RECORDS, ERRORS)


def test_the_errors_are_all_in_one_module() -> None:
    assert_exports(pipeflow.errors, ERRORS)


def test_the_middlewares_are_exported() -> None:
    assert_exports(pipeflow.middleware, MIDDLEWARES)


def test_what_a_limiter_of_ones_own_needs_is_exported() -> None:
    assert_exports(pipeflow.limiting, LIMITERS)


def test_what_needs_a_redis_is_in_a_room_of_its_own() -> None:
    assert_exports(pipeflow.redis, "RedisBurstLimiter RedisTokenStore")


def test_observers_and_their_events_are_exported() -> None:
    assert_exports(pipeflow.observing, OBSERVERS, EVENTS)


def test_the_fake_and_its_faults_are_exported() -> None:
    assert_exports(pipeflow.testing, FAKE, FAULTS)

"""What the server answered: the limits it tells, the wait it asks for, and why it says no.

Nothing in an answer is trusted: what is not plain and plausible counts as not said.
"""

from pipeflow.answers.answer import REQUEST_TOKENS, Answer
from pipeflow.answers.headers import RateLimit
from pipeflow.answers.reasons import Reason

__all__ = ["REQUEST_TOKENS", "Answer", "RateLimit", "Reason"]

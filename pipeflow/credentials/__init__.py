"""What a request authenticates with, and how it is kept out of everything else."""

from pipeflow.credentials.api_token import ApiToken, hiding_arguments
from pipeflow.credentials.redaction import redact

__all__ = ["ApiToken", "hiding_arguments", "redact"]

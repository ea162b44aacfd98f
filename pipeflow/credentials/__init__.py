"""What a request authenticates with, and how it is kept out of everything else."""

from pipeflow.credentials.api_token import ApiTokenCredential
from pipeflow.credentials.credential import Authorization, Credential
from pipeflow.credentials.redaction import Redaction, hiding_secrets
from pipeflow.credentials.secret import Secret, hiding_arguments

__all__ = [
    "ApiTokenCredential",
    "Authorization",
    "Credential",
    "Redaction",
    "Secret",
    "hiding_arguments",
    "hiding_secrets",
]

"""What a request authenticates with, and how it is kept out of everything else."""

from pipeflow.credentials.api_token import ApiTokenCredential
from pipeflow.credentials.credential import Authorization, Credential
from pipeflow.credentials.oauth_app import OAuthApp
from pipeflow.credentials.oauth_credential import OAuthCredential
from pipeflow.credentials.oauth_tokens import OAuthTokens
from pipeflow.credentials.redaction import Redaction, hiding_secrets
from pipeflow.credentials.secret import Secret, hiding_arguments
from pipeflow.credentials.token_stores import FileTokenStore, MemoryTokenStore, TokenStore

__all__ = [
    "ApiTokenCredential",
    "Authorization",
    "Credential",
    "FileTokenStore",
    "MemoryTokenStore",
    "OAuthApp",
    "OAuthCredential",
    "OAuthTokens",
    "Redaction",
    "Secret",
    "TokenStore",
    "hiding_arguments",
    "hiding_secrets",
]

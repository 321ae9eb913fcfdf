"""Who is calling: bearer tokens verified, callers remembered. Knows no database and no web framework."""

from specwright.auth.authentication import Authentication
from specwright.auth.development import issue_development_token
from specwright.auth.errors import KeysUnavailable, Unauthenticated
from specwright.auth.signer import Signer

__all__ = ["Authentication", "KeysUnavailable", "Signer", "Unauthenticated", "issue_development_token"]

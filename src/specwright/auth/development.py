"""Tokens for the people of the examples, on the machine of whoever develops."""

import time
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import jwt

from specwright.auth.roles import placed
from specwright.auth.token import subject_fault
from specwright.model.errors import ConfigError
from specwright.settings import Settings, Source


def issue_development_token(
    settings: Settings,
    name: str,
    roles: tuple[str, ...] = (),
    lifetime: timedelta = timedelta(hours=12),
    more: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """A token that the backend of these settings takes for `name` with these roles, and says this besides.

    Raises:
        ConfigError: the settings sign in with anything but the secret that `specwright up` made, or the name
            cannot be a caller's id.
    """
    if settings.auth_jwks_url is not None:
        raise ConfigError(
            "Callers sign in with tokens of the issuer at AUTH_JWKS_URL: get one there,"
            " or unset AUTH_JWKS_URL to use development tokens."
        )
    if settings.shared_secret is None:
        raise ConfigError("There is no development secret yet: run `specwright up` first.")
    used, secret = settings.shared_secret
    if settings.source_of("auth_secret") is not Source.DEVELOPMENT:
        raise ConfigError(
            f"{used} is set, and `specwright token` signs only with the secret that `specwright up` made:"
            f" get a token from your issuer, or unset {used}."
        )
    if (fault := subject_fault(name)) is not None:
        raise ConfigError(f"The name {fault}: a caller's id cannot be that.")
    issued = int(time.time())
    claims = {
        **more,
        **placed(settings.auth_roles_claim, roles),
        "sub": name,
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
    }
    if settings.auth_issuer is not None:
        claims["iss"] = settings.auth_issuer
    if settings.auth_audience is not None:
        claims["aud"] = settings.auth_audience
    return jwt.encode(claims, secret.get_secret_value(), algorithm="HS256")

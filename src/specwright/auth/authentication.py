"""Who is calling, by the settings: one way to sign in, which fixes the algorithms beforehand."""

from collections.abc import Callable
from types import MappingProxyType

import jwt
from jwt.algorithms import HMACAlgorithm

from specwright.auth.callers import Callers
from specwright.auth.errors import Unauthenticated
from specwright.auth.issuer import Issuer
from specwright.auth.keys import ALGORITHMS
from specwright.auth.roles import roles_in
from specwright.auth.token import Expected, TokenHeader, bearer_token, read_header, verified_claims
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.errors import ConfigError
from specwright.settings import Settings
from specwright.settings.safety import too_short, undecided

_SHARED = frozenset({"HS256"})


class Authentication:
    """Turns `Authorization` headers into callers.

    With `AUTH_JWKS_URL` tokens are verified with the issuer's public keys (EdDSA, ES256, RS256), with a
    shared secret by HS256, and never by the other way: a token cannot choose how it is judged. `all_of` tells
    what the roles of a token come to.

    Raises:
        ConfigError: no way to sign in, two at once, or a secret that is shorter than 32 bytes or no secret.
    """

    def __init__(
        self, settings: Settings, all_of: Callable[[frozenset[str]], frozenset[str]] = frozenset
    ) -> None:
        if (fault := undecided(settings)) is not None:
            raise ConfigError(fault)
        self._expected = Expected(settings.auth_issuer, settings.auth_audience)
        self._roles_claim = settings.auth_roles_claim
        self._all_of = all_of
        self._callers = Callers()
        self._generation = 0
        self._issuer: Issuer | None = None
        self._secret: tuple[jwt.PyJWK, ...] = ()
        if settings.shared_secret is not None:
            name, secret = settings.shared_secret
            if (fault := too_short(name, secret)) is not None:
                raise ConfigError(fault)
            self._secret = (_symmetric(name, secret.get_secret_value()),)
        elif settings.auth_jwks_url is not None:
            self._issuer = Issuer(settings.auth_jwks_url)

    async def caller(self, authorization: str | None) -> Caller:
        """The caller behind an `Authorization` header; the anonymous one when there is none.

        The same token gives the same `Caller` object for as long as it is remembered.

        Raises:
            Unauthenticated: the header holds no token that proves anyone; answer 401.
            KeysUnavailable: the issuer's keys cannot be had; answer 503.
        """
        if authorization is None:
            return ANONYMOUS
        token = bearer_token(authorization)
        self._forget_withdrawn_keys()
        if (known := self._callers.get(token)) is not None:
            return known
        caller, expires = await self._verify(token)
        self._forget_withdrawn_keys()
        if (known := self._callers.get(token)) is not None:
            # Another request brought the same token meanwhile: one token, one caller.
            return known
        self._callers.add(token, caller, expires)
        return caller

    async def close(self) -> None:
        """Lets go of the connection to the issuer."""
        if self._issuer is not None:
            await self._issuer.close()

    async def _verify(self, token: str) -> tuple[Caller, float]:
        header = read_header(token, ALGORITHMS if self._issuer is not None else _SHARED)
        fault = Unauthenticated("The token was signed with a key that is not known here.")
        for key in await self._keys(header):
            try:
                claims = verified_claims(token, key, self._expected)
            except Unauthenticated as error:
                fault = error
            else:
                roles = self._all_of(roles_in(claims, self._roles_claim))
                return Caller(claims["sub"], roles, MappingProxyType(claims)), claims["exp"]
        raise fault

    async def _keys(self, header: TokenHeader) -> tuple[jwt.PyJWK, ...]:
        if self._issuer is None:
            return self._secret
        return await self._issuer.find(header.key_id, header.algorithm)

    def _forget_withdrawn_keys(self) -> None:
        if self._issuer is not None:
            self._issuer.revalidate()
            if self._issuer.generation != self._generation:
                self._generation = self._issuer.generation
                self._callers.clear()


def _symmetric(name: str, secret: str) -> jwt.PyJWK:
    """The secret as a key that is bound to HS256: its UTF-8 bytes, as Better Auth and jose use it."""
    algorithm = HMACAlgorithm(HMACAlgorithm.SHA256)
    try:
        algorithm.prepare_key(secret)
    except jwt.InvalidKeyError:
        # Whoever has the public key, and that is everyone, could sign with it.
        raise ConfigError(f"{name} is a public key or certificate: give AUTH_JWKS_URL instead.") from None
    return jwt.PyJWK(algorithm.to_jwk(secret, as_dict=True), "HS256")

"""The people that commands speak as."""

from typing import Any

from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.model.roles import expanded
from specwright.model.types import Kind, Type
from specwright.model.values import Misfit, fit


def person(
    manifest: Manifest, name: str | None, roles: list[str] | None, tenant: str | None = None
) -> Caller:
    """The caller of this name: with the roles given, or those of the spec's examples, and all they include.

    Raises:
        ConfigError: the tenant can be none.
    """
    key = _key(manifest, tenant)
    if name is None or name == "anonymous":
        return ANONYMOUS
    return Caller(name, expanded(manifest, roles or manifest.people.get(name, ())), tenant=key)


def _key(manifest: Manifest, tenant: str | None) -> Any:
    if tenant is None:
        return None
    if manifest.tenant is None:
        raise ConfigError("The spec names no tenant: leave --tenant out.")
    entity = manifest.tenant.entity
    try:
        return fit(manifest, tenant, Type(Kind.REFERENCE, target=entity))
    except Misfit:
        raise ConfigError(f'"{tenant}" is no id of {entity}.') from None

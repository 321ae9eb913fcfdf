"""Which tenant a request is for: a header says it, a claim of its token, or its path."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from specwright.api.problems import Problem
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.tenant import Chosen, Tenant
from specwright.model.types import Kind, Type
from specwright.model.values import Misfit, fit

#: Tenants of one token that are kept; the one not asked for longest makes room.
KEPT = 32


class Tenancy:
    """Callers in their tenants: one object for each token and tenant, for as long as the token is known."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._tenant: Tenant | None = manifest.tenant
        self._known: WeakKeyDictionary[Caller, OrderedDict[Any, Caller]] = WeakKeyDictionary()
        #: The header that names the tenant, which may stand in a request once.
        self.header: bytes | None = None
        if self._tenant is not None and self._tenant.by is Chosen.HEADER:
            self.header = self._tenant.name.lower().encode()

    def entered(
        self,
        caller: Caller,
        resource: Resource,
        headers: Mapping[bytes, bytes],
        places: Mapping[str, Any],
    ) -> Caller:
        """The caller as they come to a derived route; `places` are the parameters in its path.

        Raises:
            Problem: the resource is within a tenant, and the request names none, or none that could be.
        """
        tenant = self._tenant
        if tenant is None or caller.anonymous:
            return caller
        found = self.visiting(caller, headers, places)
        if found.tenant is None and resource.tenant is not None:
            raise _missing(tenant)
        return found

    def visiting(self, caller: Caller, headers: Mapping[bytes, bytes], places: Mapping[str, Any]) -> Caller:
        """The caller as they come to any other route: in a tenant, if the request names one.

        Raises:
            Problem: what it names can be none.
        """
        tenant = self._tenant
        if tenant is None or caller.anonymous:
            return caller
        match tenant.by:
            case Chosen.HEADER:
                named: Any = headers.get(tenant.name.lower().encode(), b"").decode("latin-1").strip()
            case Chosen.PATH:
                named = places.get(tenant.name)
            case _:
                named = _claimed(caller.claims, tenant.name)
        if named is None or named == "":
            return caller
        try:
            key = fit(self._manifest, named, Type(Kind.REFERENCE, target=tenant.entity))
        except Misfit:
            raise _misnamed(tenant) from None
        return self._within(caller, key)

    def _within(self, caller: Caller, key: Any) -> Caller:
        known = self._known.setdefault(caller, OrderedDict())
        found = known.get(key)
        if found is None:
            found = known[key] = replace(caller, tenant=key)
            if len(known) > KEPT:
                known.popitem(last=False)
        else:
            known.move_to_end(key)
        return found


def _claimed(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name or, failing that, at the end of the dotted way."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _missing(tenant: Tenant) -> Problem:
    if tenant.by is Chosen.CLAIM:
        return Problem("forbidden", f"Your token names no tenant: it lacks the claim {tenant.name}.")
    return Problem("tenant_required", f"Name the tenant in the header {tenant.name}.")


def _misnamed(tenant: Tenant) -> Problem:
    if tenant.by is Chosen.CLAIM:
        return Problem("forbidden", f"Your token names no tenant: its claim {tenant.name} is no key of one.")
    where = f"The header {tenant.name}" if tenant.by is Chosen.HEADER else f"{{{tenant.name}}} in the path"
    return Problem("invalid_tenant", f"{where} is not the id of a tenant.")

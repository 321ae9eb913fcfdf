"""What every derived route works with."""

from dataclasses import dataclass

from specwright.api.body import Bodies
from specwright.api.parameters import Parameters
from specwright.api.tenancy import Tenancy
from specwright.auth import Authentication
from specwright.db.pool import Database
from specwright.db.session import Sessions
from specwright.model.manifest import Contract, Manifest
from specwright.sql.statements import Statements


@dataclass(frozen=True, slots=True)
class Service:
    """One contract of one manifest, served from one database."""

    manifest: Manifest
    contract: Contract
    statements: Statements
    database: Database
    sessions: Sessions
    authentication: Authentication
    tenancy: Tenancy
    bodies: Bodies
    parameters: Parameters
    #: Signs cursors.
    secret: bytes
    max_body: int

"""What every derived route works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from specwright.api.body import Bodies
from specwright.api.parameters import Parameters
from specwright.api.tenancy import Tenancy
from specwright.api.violations import problem_of
from specwright.auth import Authentication
from specwright.db.pool import Database
from specwright.db.session import Sessions
from specwright.model.caller import Caller
from specwright.model.manifest import Contract, Manifest
from specwright.sql.statement import Statement
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

    async def fetch(
        self,
        statement: Statement,
        caller: Caller,
        values: Mapping[str, Any],
        action: str = "",
        connection: Any = None,
    ) -> list[Any]:
        """The rows of a statement; on a connection, as a part of its transaction."""
        arguments = statement.arguments(self.manifest, caller, values)
        try:
            if connection is not None:
                found: list[Any] = await connection.fetch(statement.text, *arguments)
                return found
            return await self.database.fetch(statement.text, arguments, read=not action)
        except asyncpg.PostgresError as error:
            problem = problem_of(self.manifest, action, error)
            if problem is None:
                raise
            raise problem from error

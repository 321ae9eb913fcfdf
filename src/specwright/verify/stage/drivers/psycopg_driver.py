"""psycopg 3: each cursor builds on `BaseCursor`, each connection asks for its parameters."""

import asyncio
from types import ModuleType
from typing import Any

from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.record import Record

#: Parameters of libpq that say where to and how to get in.
ADDRESS = {
    *("host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service", "servicefile"),
    *("require_auth", "channel_binding", "target_session_attrs", "load_balance_hosts", "krbsrvname"),
}


def redirected(asked: dict[str, Any], elsewhere: Elsewhere) -> dict[str, Any]:
    """The parameters of libpq for the throw-away database; what does not say where to stays."""
    place = elsewhere.postgres(asked.get("dbname"), asked.get("user"))
    kept = {
        name: value
        for name, value in asked.items()
        if name not in ADDRESS and not name.startswith(("ssl", "gss"))
    }
    kept |= {"host": place.host, "port": place.port, "user": place.user, "dbname": place.database}
    return kept | ({"password": place.password} if place.password is not None else {})


def teach(psycopg: ModuleType, elsewhere: Elsewhere, record: Record) -> None:
    """Patch the driver."""
    parameters = psycopg.Connection._get_connection_params
    asynchronous = psycopg.AsyncConnection._get_connection_params

    def redirect(cls: Any, conninfo: str, **kwargs: Any) -> Any:
        return redirected(parameters.__func__(cls, conninfo, **kwargs), elsewhere)

    async def redirect_async(cls: Any, conninfo: str, **kwargs: Any) -> Any:
        asked = await asynchronous.__func__(cls, conninfo, **kwargs)
        return await asyncio.to_thread(redirected, asked, elsewhere)

    synchronous: Any = redirect
    psycopg.Connection._get_connection_params = classmethod(synchronous)
    asynchronously: Any = redirect_async
    psycopg.AsyncConnection._get_connection_params = classmethod(asynchronously)
    for cls, names in (
        (
            psycopg._cursor_base.BaseCursor,
            (
                *("_execute_gen", "_executemany_gen_pipeline", "_executemany_gen_no_pipeline"),
                *("_stream_send_gen", "_start_copy_gen"),
            ),
        ),
        (psycopg._server_cursor_base.ServerCursorMixin, ("_declare_gen",)),
    ):
        for name in names:
            _hear(cls, name, record)


def _hear(cursor: Any, name: str, record: Record) -> None:
    method = getattr(cursor, name)

    def heard(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        record.statement(_text(query, self))
        return method(self, query, *args, **kwargs)

    setattr(cursor, name, heard)


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    if hasattr(query, "as_string"):
        return str(query.as_string(cursor))
    return str(query)

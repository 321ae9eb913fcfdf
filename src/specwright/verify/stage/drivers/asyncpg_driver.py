"""asyncpg: connections are made by `connect_utils._connect`, and everything they send goes by `Protocol`."""

import asyncio
from types import ModuleType
from typing import Any

from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.record import Record

#: What says where to; the rest of a connection's arguments is the app's own business.
_ADDRESS = (
    *("dsn", "host", "port", "user", "password", "passfile", "database", "ssl", "direct_tls"),
    *("service", "servicefile", "krbsrvname", "gsslib", "target_session_attrs"),
)


def teach(asyncpg: ModuleType, elsewhere: Elsewhere, record: Record) -> None:
    """Patch the driver."""
    utils = asyncpg.connect_utils
    connect = utils._connect

    async def connect_elsewhere(*, loop: Any, connection_class: Any, record_class: Any, **kwargs: Any) -> Any:
        _, asked, _ = utils._parse_connect_arguments(**kwargs)
        place = await asyncio.to_thread(elsewhere.postgres, asked.database, asked.user)
        kwargs |= {name: None for name in _ADDRESS if name in kwargs}
        kwargs |= {
            "host": place.host,
            "port": place.port,
            "user": place.user,
            "password": place.password,
            "database": place.database,
            "ssl": False,
            "server_settings": asked.server_settings or None,
        }
        return await connect(
            loop=loop, connection_class=connection_class, record_class=record_class, **kwargs
        )

    utils._connect = connect_elsewhere
    _listen(asyncpg.protocol.Protocol, asyncpg.introspection, record)


def _listen(protocol: Any, introspection: Any, record: Record) -> None:
    own = {text for name, text in vars(introspection).items() if isinstance(text, str) and name.isupper()}

    def hear(name: str) -> None:
        method = getattr(protocol, name)

        def heard(self: Any, *args: Any, **kwargs: Any) -> Any:
            # The first argument, however it is given: a text, or a prepared statement.
            what = next(iter((*args, *kwargs.values())))
            text = str(getattr(what, "query", what))
            if text not in own:
                record.statement(text)
            return method(self, *args, **kwargs)

        setattr(protocol, name, heard)

    for name in ("query", "bind_execute", "bind_execute_many", "bind", "copy_in", "copy_out"):
        hear(name)

    prepare = protocol.prepare

    async def prepare_heard(self: Any, name: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        # What is prepared is heard when it is used; what cannot be prepared never is.
        try:
            return await prepare(self, name, query, *args, **kwargs)
        except Exception:
            record.statement(str(query))
            raise

    protocol.prepare = prepare_heard

"""In the app's process: doors that stay shut, for behind them are databases with somebody's data."""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import FrameType, ModuleType
from typing import Any

_MYSQL = "a MySQL database"
_MONGO = "a MongoDB database"
_ORACLE = "an Oracle database"
_SQL_SERVER = "a SQL Server"
_CASSANDRA = "a Cassandra database"
_SEARCH = "an Elasticsearch server"
_CACHE = "a Redis server"
_POSTGRES = "PostgreSQL by a driver that cannot be redirected"

#: By their customary ports, servers that nothing stands in for.
_PORTS = {
    1433: _SQL_SERVER,
    1521: _ORACLE,
    3306: _MYSQL,
    5432: _POSTGRES,
    6379: _CACHE,
    9042: _CASSANDRA,
    9200: _SEARCH,
    27017: _MONGO,
}
#: By the package that connects, whatever the port.
_PACKAGES = {
    "cassandra": _CASSANDRA,
    "elastic_transport": _SEARCH,
    "mysql": _MYSQL,
    "oracledb": _ORACLE,
    "pg8000": _POSTGRES,
    "pymongo": _MONGO,
    "pymysql": _MYSQL,
    "redis": _CACHE,
}
#: Packages whose connections Python does not see, or not who makes them: they are not imported at all.
_UNSEEN = {
    "MySQLdb": _MYSQL,
    "aiomysql": _MYSQL,
    "asyncmy": _MYSQL,
    "cx_Oracle": _ORACLE,
    "pymssql": _SQL_SERVER,
    "pyodbc": "a database by ODBC",
}


class Forbidden(importlib.abc.MetaPathFinder):
    """Refuses connections to databases that are not ours to use; `tell` hears a sentence each time."""

    def __init__(self, allowed_ports: Sequence[int], tell: Callable[[str], None]) -> None:
        self._ports = {port: name for port, name in _PORTS.items() if port not in allowed_ports}
        self._tell = tell
        #: What the app wanted to reach, in words.
        self._wanted: dict[str, None] = {}

    def shut(self) -> None:
        """From now on."""
        sys.addaudithook(self._look)
        sys.meta_path.insert(0, self)

    @property
    def sentence(self) -> str:
        """What the app needs and does not get; "" where it has not asked."""
        if not self._wanted:
            return ""
        wanted = " and ".join(self._wanted)
        return f"The app needs {wanted}: verify gives away PostgreSQL and SQLite only, never your own data."

    @property
    def needed(self) -> bool:
        """Whether what it wanted is where it keeps its rows; a Redis server seldom is."""
        return any(each != _CACHE for each in self._wanted)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name in _UNSEEN and importlib.machinery.PathFinder.find_spec(name, path, target) is not None:
            raise ImportError(self._refused(_UNSEEN[name]), name=name)
        return None

    def _look(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        address = args[1]
        port = address[1] if isinstance(address, tuple) else 0
        server = self._ports.get(port) or _server(sys._getframe())
        if server is not None:
            raise ConnectionRefusedError(self._refused(server))

    def _refused(self, server: str) -> str:
        if server not in self._wanted:
            self._wanted[server] = None
            self._tell(self.sentence)
        return self.sentence


def _server(frame: FrameType | None) -> str | None:
    """What a driver among the callers connects to."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _PACKAGES:
            return _PACKAGES[package]
        frame = frame.f_back
    return None

"""Calls that do what a text says: to a shell, to Python, to a database."""

import ast
import re
from collections.abc import Callable, Mapping

from specwright.verify.code.value import Value

_SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"} | {
    "asyncio.create_subprocess_shell"
}
_PROCESSES = {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")}
_PYTHON = {"eval", "exec", "compile"}
_PICKLES = {
    f"{module}.{name}"
    for module in ("pickle", "dill", "marshal", "cloudpickle")
    for name in ("loads", "load")
}
_YAML_UNSAFE = {"yaml.unsafe_load", "yaml.unsafe_load_all"}
_YAML = {"yaml.load", "yaml.load_all"}
#: Loaders that make no objects but those of YAML itself.
_PLAIN = {"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader", "FullLoader", "CFullLoader"}
_STATEMENTS = {"sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text", "sqlmodel.text"}
_EXECUTING = {
    *("execute", "executemany", "executescript", "exec", "exec_driver_sql", "execute_sql", "raw"),
    *("fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "scalar", "scalars"),
}
_SQL = re.compile(
    r"\bselect\b.*\bfrom\b|\b(insert\s+into|delete\s+from|where|order\s+by|group\s+by|limit|set)\s"
    r"|\b(alter|create|drop|truncate)\s+\w+\s|\bvalues\s*\(",
    re.IGNORECASE | re.DOTALL,
)


def sink(call: ast.Call, name: str, value: Callable[[ast.expr], Value]) -> str | None:
    """What a call does with what a request says; None where it is harmless. `name` is dotted, as imported."""
    first = call.args[0] if call.args else next((each.value for each in call.keywords if each.arg), None)
    if first is None:
        return None
    said = value(first)
    if not said.sent:
        return None
    given = {each.arg: each.value for each in call.keywords if each.arg is not None}
    if name in _SHELLS or (name in _PROCESSES and _true(given.get("shell"))):
        return "a shell runs"
    if name in _PYTHON:
        return f"{name}() runs"
    if name in _PICKLES:
        return f"{name} makes any object of"
    if name in _YAML_UNSAFE or (name in _YAML and not _plain(call, given)):
        return f"{name} makes any object of"
    executing = isinstance(call.func, ast.Attribute) and call.func.attr in _EXECUTING
    if (executing or name in _STATEMENTS) and said.put_together and _SQL.search(said.around):
        return "a statement is put together with"
    return None


def _true(given: ast.expr | None) -> bool:
    return isinstance(given, ast.Constant) and given.value is True


def _plain(call: ast.Call, given: Mapping[str, ast.expr]) -> bool:
    loader = given.get("Loader") or (call.args[1] if len(call.args) > 1 else None)
    return loader is not None and ast.unparse(loader).rpartition(".")[2] in _PLAIN

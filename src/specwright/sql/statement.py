"""A compiled statement: its text as the driver takes it, and what fills its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.expression import ClauseElement

from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.model.values import fit
from specwright.sql.expression import CallerValue, Compiler
from specwright.sql.scope import claim, fitting
from specwright.sql.tables import DIALECT


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `$1 … $n`; `parameters` names what each stands for."""

    text: str
    parameters: tuple[str, ...]
    caller_values: Mapping[str, CallerValue]

    def arguments(self, manifest: Manifest, caller: Caller, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the parameters: the caller's from the caller, all others from values."""
        return [
            _caller_value(manifest, caller, self.caller_values[name])
            if name in self.caller_values
            else values[name]
            for name in self.parameters
        ]


def compile_statement(compiler: Compiler, statement: ClauseElement) -> Statement:
    """The text of a statement whose predicates this compiler made."""
    compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    names: list[str] = compiled.positiontup or []  # type: ignore[attr-defined] # of SQLCompiler
    assert not (spelled := {name for name in names if compiled.params[name] is not None}), (
        f"{spelled} are constants: spell them out, or every request would send them"
    )
    return Statement(str(compiled), tuple(names), dict(compiler.caller_values))


def _caller_value(manifest: Manifest, caller: Caller, wanted: CallerValue) -> Any:
    found = claim(caller, wanted.names)
    if wanted.many:
        return fitting(manifest, found or (), wanted.type)
    return fit(manifest, found, wanted.type)

"""What code says of its classes in the words of a spec: grants, rules, and whatever columns cannot tell."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specwright.model.errors import ConfigError, Origin
from specwright.model.grant import WhoKind


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a grant is for; made by `anyone`, `signed_in`, `owner`, `role` and `named`."""

    kind: WhoKind
    name: str = ""
    #: What the role means, or the condition of the name, where this declares it.
    says: str | None = None
    #: The roles that the role includes, where this declares it.
    includes: tuple[str, ...] = ()
    #: The column that holds the owner.
    column: Any = None
    origin: Origin = field(default=Origin("", 0), compare=False)

    def __str__(self) -> str:
        return self.name or self.kind.value


@dataclass(frozen=True, slots=True)
class Allowed:
    """A grant; made by `allow`."""

    actions: tuple[str, ...]
    to: tuple[Subject, ...]
    when: str
    then: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Declaration:
    """One class and what was said of it."""

    model: type[Any]
    grants: tuple[Allowed, ...]
    rules: tuple[str, ...]
    fields: Mapping[Any, str]
    types: Mapping[Any, str]
    #: Type and rule of each field that no column holds.
    calculated: Mapping[str, tuple[str, str]]
    #: Lines of a Rules list that are no expressions.
    lines: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class DeclaredTenant:
    """What `Backend.tenant` was told: the line of a spec, and the code that says it."""

    entity: str
    line: str
    origin: Origin


def declared_tenant(
    entity: Any,
    through: Any,
    ways: Mapping[str, str | None],
    founder: Mapping[str, object] | None,
) -> DeclaredTenant:
    """The tenant that the caller's caller declares; `ways` holds one name, of a header, a claim or a path.

    Raises:
        ConfigError: none of the ways is chosen, or more than one.
    """
    chosen = [f"{way} {name}".strip() for way, name in ways.items() if name is not None]
    if len(chosen) != 1:
        raise ConfigError("A request names its tenant in one way: header=, claim= or path=True.")
    names = [known if isinstance(known, str) else known.__name__ for known in (entity, through)]
    line = f"tenant {names[0]} through {names[1]} by {chosen[0]}"
    if founder is not None:
        values = " and ".join(f"{name} {value}" for name, value in founder.items())
        line = f"{line}, founder {values}".rstrip()
    return DeclaredTenant(names[0], line, _here(3))


def allow(*actions: str, to: Subject | Iterable[Subject], when: str = "", then: str = "") -> Allowed:
    """A grant: actions (`list`, `read`, …, `everything`) on rows for which `when` holds before, `then` after.

    Conditions are expressions of the spec language: `when="status != 'done'"`.
    """
    subjects = (to,) if isinstance(to, Subject) else tuple(to)
    return Allowed(actions, subjects, when, then, _here())


def anyone() -> Subject:
    """Everybody, token or not."""
    return Subject(WhoKind.ANYONE, origin=_here())


def signed_in() -> Subject:
    """Whoever has a token."""
    return Subject(WhoKind.SIGNED_IN, origin=_here())


def owner(column: Any) -> Subject:
    """Whoever the column names: it is set to the caller when a row is made."""
    return Subject(WhoKind.OWNER, column=column, origin=_here())


def role(name: str, means: str | None = None, *, includes: Iterable[str] = ()) -> Subject:
    """Whoever's token has the role, or one that includes it.

    With its meaning, this declares the role; whoever has it has those that it `includes`, too.
    """
    return Subject(WhoKind.ROLE, name, means, tuple(includes), origin=_here())


def named(name: str, condition: str | None = None) -> Subject:
    """Whoever the condition holds for, as `task.owner == caller`; with it, this declares the name."""
    return Subject(WhoKind.NAMED, name, condition, origin=_here())


def key_of(column: Any) -> str:
    """The attribute that stands for a column: `Task.owner_id`, or its name."""
    return column if isinstance(column, str) else str(column.key)


def _here(depth: int = 2) -> Origin:
    """The line of the project's code that called."""
    frame = sys._getframe(depth)
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def declaration(
    model: type[Any],
    grants: Iterable[Allowed],
    rules: Iterable[str],
    fields: Mapping[Any, str] | None,
    types: Mapping[Any, str] | None,
    calculated: Mapping[str, tuple[str, str]] | None,
    lines: Mapping[str, bool],
) -> Declaration:
    """What the caller's caller says of a class; `lines` are those of a Rules list, and whether they hold."""
    said = tuple(line for line, holds in lines.items() if holds)
    told = (tuple(grants), tuple(rules), fields or {}, types or {}, calculated or {})
    return Declaration(model, *told, said, _here(3))


def relative(origin: Origin, root: Path) -> Origin:
    """The place as seen from the project."""
    file = Path(origin.file).resolve()
    name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    return Origin(name, origin.line, origin.column)

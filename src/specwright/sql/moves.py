"""Moves: which changes of a state there are, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, false, or_

from specwright.model.expression import Expr
from specwright.model.field import Field
from specwright.sql.expression import Compiler
from specwright.sql.row import Predicate, Row

#: States before and after.
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """By name of the field: moves, and on which condition on the row before the caller may make them.

    Those of equal conditions are one object: identity is a cheap key for compiled statements.
    """

    made: Mapping[str, tuple[tuple[Pairs, Expr], ...]]


def is_move(
    compiler: Compiler, field: Field, old: Row, new: Row, pairs: Iterable[tuple[str, str]]
) -> Predicate:
    """Whether a field went from one state to another by one of these moves."""
    ways: dict[str, list[str]] = {}
    for before, after in pairs:
        ways.setdefault(before, []).append(after)
    was, is_ = old.columns[field.name], new.columns[field.name]
    return or_(
        false(),
        *(
            and_(
                was == compiler.constant(before, field.type),
                or_(false(), *(is_ == compiler.constant(after, field.type) for after in reached)),
            )
            for before, reached in ways.items()
        ),
    )


def is_kept(field: Field, old: Row, new: Row) -> Predicate:
    """Whether a field is in the state that it was in."""
    return new.columns[field.name] == old.columns[field.name]

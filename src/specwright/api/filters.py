"""`filter=` as text: read, judged with the eyes of the caller, and bounded in what it may cost."""

from collections.abc import Callable

from specwright.model.expression import Expr, ListOf, Path, walk
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.resource import Resource
from specwright.model.syntax import ComplexityError, ExpressionError, parse
from specwright.model.typecheck import check_condition

#: Comparisons, names, literals and operators of one filter together.
MAX_NODES = 100
#: Values of one list.
MAX_CHOICES = 100
#: Relations that one name may follow, and all names of a request together.
MAX_HOPS = 4
MAX_JOINS = 12

#: Notes a fault: its code, a sentence, and the column it stands at.
Refuse = Callable[[str, str, int], None]


def read_filter(visible: Manifest, resource: Resource, text: str, refuse: Refuse) -> Expr | None:
    """The condition on a row that a filter is; None, with every fault noted, when it is none.

    `visible` is what the caller knows of the manifest: every other name is unknown.
    """
    try:
        expr = parse(text, [field.name for field in resource.fields])
        _bound(expr)
    except ExpressionError as error:
        refuse(_code(error), error.message, error.column)
        return None
    problems = check_condition(visible, resource, expr)
    for problem in problems:
        refuse("bad_expression", problem.message, problem.column)
    return None if problems else expr


def hops(visible: Manifest, resource: Resource, expr: Expr) -> int:
    """How many relations the names of a condition follow.

    Raises:
        ComplexityError: one of them follows too many.
    """
    total = 0
    for node in walk(expr):
        if isinstance(node, Path):
            count = len(resolve(visible, resource, node).hops)
            if count > MAX_HOPS:
                raise ComplexityError(f"a name follows at most {MAX_HOPS} relations", node.column)
            total += count
    return total


def _bound(expr: Expr) -> None:
    nodes = walk(expr)
    lists = [node for node in nodes if isinstance(node, ListOf)]
    for listed in lists:
        if len(listed.items) > MAX_CHOICES:
            raise ComplexityError(f"a list holds at most {MAX_CHOICES} values", listed.column)
    if len(nodes) - sum(len(listed.items) for listed in lists) > MAX_NODES:
        raise ComplexityError(f"a filter has at most {MAX_NODES} comparisons, names, literals and operators")


def _code(error: ExpressionError) -> str:
    return "too_complex" if isinstance(error, ComplexityError) else "bad_expression"

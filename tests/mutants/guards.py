"""The guards of the backend, found in its code: where one is removed, a mutant is left.

A guard is a kind of place in the syntax of some modules, not a line number: code that moves is found where it
is, and a kind of which fewer places are found than there must be is a mistake that names itself.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import specwright

SOURCE = Path(specwright.__file__).parent

_TRUE = '__import__("sqlalchemy").true()'
_HOLDS = '__import__("specwright.model.expression", fromlist=["TRUE"]).TRUE'

#: A place, what stands there instead, and what is removed, in a few words.
Place = tuple[ast.AST, str, str]


@dataclass(frozen=True, slots=True)
class Guard:
    """A kind of guard: in which modules it stands, how to find it, which checks are likeliest to miss it."""

    name: str
    modules: tuple[str, ...]
    find: Callable[[ast.Module], Iterator[Place]]
    checks: tuple[str, ...]
    #: Fewer places than these are a sign that the guard has moved, or has another shape.
    least: int
    #: Places that are left out, by what is removed, and why nobody could see it.
    unseen: dict[str, str] = field(default_factory=dict)
    #: Places that a second guard holds as well, by what is removed: that one, and what stands there instead.
    twice: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mutant:
    """The backend without one guard: one module has another text."""

    guard: str
    module: str
    line: int
    removed: str
    text: str
    #: The likeliest to miss it.
    checks: tuple[str, ...]
    #: The same words are removed in several places of a function: which of them, from 1.
    again: int = 1

    @property
    def words(self) -> str:
        """What is removed, and in which of the places that are alike."""
        return f"{self.removed} ({self.again})" if self.again > 1 else self.removed

    @property
    def place(self) -> str:
        """`sql/reads.py:52`."""
        return f"{self.module}:{self.line}"

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.guard} {self.place} {self.words}"


def mutants(guards: Sequence[Guard]) -> list[Mutant]:
    """One for each place of each guard.

    Raises:
        LookupError: a guard is not found as often as it must be.
    """
    made: list[Mutant] = []
    for guard in guards:
        found = [mutant for module in guard.modules for mutant in _of(guard, module)]
        if len(found) < guard.least:
            raise LookupError(
                f"{guard.name}: {len(found)} places in {', '.join(guard.modules)}, and there must be"
                f" {guard.least}: has it moved, or been renamed? Its `find` says how it is looked for."
            )
        made += (mutant for mutant in found if mutant.words not in guard.unseen)
    return made


def _of(guard: Guard, module: str) -> Iterator[Mutant]:
    source = (SOURCE / module).read_text(encoding="utf-8")
    found = sorted(guard.find(ast.parse(source)), key=lambda place: place[0].lineno)  # type: ignore[attr-defined]
    times: Counter[str] = Counter()
    for node, instead, removed in found:
        text = _replaced(source, node, instead)
        if removed in guard.twice:
            second, without = guard.twice[removed]
            assert text.count(second) == 1, f"{second} is no second guard of {removed}"
            text = text.replace(second, without)
        compile(text, module, "exec")
        times[removed] += 1
        line: int = node.lineno  # type: ignore[attr-defined]
        yield Mutant(guard.name, module, line, removed, text, guard.checks, times[removed])


def _replaced(source: str, node: ast.AST, instead: str) -> str:
    """The source with another text where the node stands; offsets are of UTF-8."""
    lines = source.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    before = b"".join(lines[:first]) + lines[first][: node.col_offset]  # type: ignore[attr-defined]
    after = lines[last][node.end_col_offset :] + b"".join(lines[last + 1 :])  # type: ignore[attr-defined]
    return (before + instead.encode() + after).decode()


# How guards are found.


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each node with the name of the function that it is in."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(outer):
                yield outer.name, node


def _called(node: ast.AST) -> str:
    """The last name of what a call calls; "" for what is none."""
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def _predicates(tree: ast.Module) -> Iterator[Place]:
    """The conditions of scopes, where they become part of a statement."""
    for function, node in _functions(tree):
        if (
            _called(node) in ("condition", "_condition")
            and isinstance(node, ast.Call)
            and len(node.args) == 2
        ):
            asked = ast.unparse(node.args[0])
            if asked.endswith((".before", ".after")) or asked in ("before", "then", "condition"):
                yield node, _TRUE, f"{asked} in {function}"


def _judged(tree: ast.Module) -> Iterator[Place]:
    """What must hold for a write: each named check."""
    for function, node in _functions(tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        if _called(node) == "Check" and _called(node.args[1]) not in ("condition", "_condition"):
            yield node.args[1], _TRUE, f"{_text(node.args[0])} in {function}"
        if _called(node) == "_after" and function != "_after":
            yield node.args[1], _HOLDS, f"{_text(node.args[0])} in {function}"


def _conjoined(
    *functions: str, by: str = "all_of", holds: str = _HOLDS
) -> Callable[[ast.Module], Iterator[Place]]:
    """The parts of `all_of(…)`, one at a time."""

    def find(tree: ast.Module) -> Iterator[Place]:
        for function, node in _functions(tree):
            if _called(node) == by and isinstance(node, ast.Call) and function in functions:
                for part in node.args:
                    if not isinstance(part, ast.Starred) and len(node.args) > 1:
                        yield part, holds, f"{ast.unparse(part)} in {function}"

    return find


def _anded(*functions: str) -> Callable[[ast.Module], Iterator[Place]]:
    """The parts of conditions in Python, one at a time."""

    def find(tree: ast.Module) -> Iterator[Place]:
        for function, node in _functions(tree):
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) and function in functions:
                for part in node.values:
                    yield part, "True", f"{ast.unparse(part)} in {function}"

    return find


def _refusals(*said: str) -> Callable[[ast.Module], Iterator[Place]]:
    """`if …: raise` of these."""

    def find(tree: ast.Module) -> Iterator[Place]:
        for function, node in _functions(tree):
            if isinstance(node, ast.If) and node.body and isinstance(node.body[-1], ast.Raise):
                raised = ast.unparse(node.body[-1])
                if any(word in raised for word in said):
                    yield node.test, "False", f"{ast.unparse(node.test)} in {function}"

    return find


def _calls(name: str, instead: str, *functions: str) -> Callable[[ast.Module], Iterator[Place]]:
    """Calls of a function, whose result becomes another."""

    def find(tree: ast.Module) -> Iterator[Place]:
        for function, node in _functions(tree):
            if _called(node) == name and (not functions or function in functions):
                yield node, instead, f"{ast.unparse(node)} in {function}"

    return find


def _verified(tree: ast.Module) -> Iterator[Place]:
    """What is asked of a token's signature and claims."""
    for _, node in _functions(tree):
        if _called(node) != "decode" or not isinstance(node, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        options = given["options"]
        assert isinstance(options, ast.Dict)
        for name in ("signature", "exp", "nbf", "aud", "iss"):
            text = ast.unparse(options).rstrip("}")
            yield options, f'{text}, "verify_{name}": False}}', f"verify_{name}"
        for key, value in zip(options.keys, options.values, strict=True):
            if ast.unparse(key) == "'require'" and isinstance(value, ast.List):  # type: ignore[arg-type]
                yield value, '["sub"]', "require exp"


def _elements(variable: str) -> Callable[[ast.Module], Iterator[Place]]:
    """The elements of a list that is given a name, one at a time."""

    def find(tree: ast.Module) -> Iterator[Place]:
        for function, node in _functions(tree):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable:
                listed = node.value.args[0] if isinstance(node.value, ast.Call) else node.value
                if isinstance(listed, ast.List):
                    for element in listed.elts:
                        instead = "*()" if isinstance(element, ast.Starred) else "None"
                        yield element, instead, f"{ast.unparse(element)} in {function}"

    return find


def _bounds(tree: ast.Module) -> Iterator[Place]:
    """The most that a number in a query string may be."""
    for function, node in _functions(tree):
        if _called(node) == "number" and isinstance(node, ast.Call) and len(node.args) == 4:
            yield node.args[3], "10**18", f"{ast.unparse(node.args[3])} in {function}"


def _yielded(word: str, *functions: str) -> Callable[[ast.Module], Iterator[Place]]:
    """What is yielded, one statement at a time, where it has a word in it."""

    def find(tree: ast.Module) -> Iterator[Place]:
        for function, node in _functions(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield):
                yielded = ast.unparse(node.value).removeprefix("yield ")
                if word in yielded and (not functions or function in functions):
                    yield node, "yield from ()", f"{yielded[:50]} in {function}"

    return find


def _added(tree: ast.Module) -> Iterator[Place]:
    """Constraints and indexes, where a table is given them."""
    for function, node in _functions(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            words = ast.unparse(node)
            for kind in ("UniqueConstraint(", "ForeignKeyConstraint(", "Index("):
                if kind in words and ("self._add(" in words or ".append(" in words):
                    # A link without its references is no link: it could not even be found.
                    instead = f"resource.link and {words}" if "ForeignKey" in kind else "pass"
                    yield node, instead, f"{words[words.index(kind) :][:50]} in {function}"


def _text(node: ast.AST) -> str:
    return ast.unparse(node).strip("f'\"").partition(":")[0]


def _sql(*names: str) -> tuple[str, ...]:
    return tuple(f"sql/{name}.py" for name in names)


GUARDS = (
    Guard(
        "scope in a statement",
        _sql("reads", "lists", "writes", "judgement", "linking", "creations", "changes", "sight"),
        _predicates,
        ("AM01", "AZ03"),
        14,
    ),
    Guard("named check of a write", _sql("judgement"), _judged, ("AM01", "HT02"), 9),
    Guard(
        "part of a scope",
        _sql("scope"),
        _conjoined("_decide", "_granted", "within", "_life"),
        ("AM01", "AZ03"),
        12,
        {
            "asked in _decide (6)": "no request takes a row out of its tenant, nor deletes it by an update",
            "read.before in _granted (2)": "the statement asks besides whether the row may be read",
        },
    ),
    Guard("part of a member's condition", _sql("members"), _conjoined("sets"), ("AM01", "AZ04"), 2),
    Guard(
        "field visibility",
        ("api/fields.py",),
        _anded("exists", "seen", "readable", "taken"),
        ("AM01", "EX01", "AZ07", "AZ04"),
        5,
    ),
    Guard(
        "token claim",
        ("auth/token.py",),
        _verified,
        ("AN02", "AN03", "AN04", "AN06", "AN05"),
        6,
    ),
    Guard(
        "order of judgement",
        ("api/writing.py", "api/endpoints.py", "api/changes.py"),
        _refusals("Problem('not_found'", "Problem('forbidden'", "Problem('precondition", "unauthenticated()"),
        ("requirements", "HT02", "AM01", "IV01"),
        9,
        {
            "not scope.possible or not shape.scope.possible in read": (
                "only saves work: a scope that is not possible finds no row"
            ),
            "self.endpoints.resource.if_match_required and b'if-match' not in request.headers"
            " in _refuse_versions": "only says more: `conditions` refuses the same with the same status",
        },
    ),
    Guard("entity tag", ("api/endpoints.py",), _calls("is_known", "False"), ("HT02",), 1),
    Guard("entity tag", ("api/endpoints.py",), _calls("wanted_versions", "None"), ("HT02",), 1),
    Guard(
        "entity tag",
        ("api/endpoints.py",),
        _calls("conditions", "{}", "asked_delete", "asked_change"),
        ("HT02",),
        2,
    ),
    Guard(
        "cursor signature",
        ("api/cursor.py",),
        _refusals("ValueError"),
        ("PG02",),
        2,
        {"len(text) > _LONGEST in read": "only saves work: a long one is refused by its signature"},
    ),
    Guard(
        "cursor binding",
        ("api/cursor.py",),
        _elements("parts"),
        ("PG02",),
        8,
        {"contract.name in binding": "a backend serves one contract"},
        # The fields of an order are of one entity.
        {"resource.id in binding": ("sort.field.id", "sort.field.name")},
    ),
    Guard(
        "idempotency",
        ("api/idempotency.py",),
        _elements("place"),
        ("HT03",),
        4,
        {"request.method in _keyed": "POST alone takes a key"},
    ),
    Guard("idempotency", ("api/idempotency.py",), _refusals("idempotency_key_reused"), ("HT03",), 1),
    Guard(
        "limit",
        ("api/parameters.py", "api/query_string.py", "api/listing.py"),
        _bounds,
        ("IV02", "PG01"),
        2,
    ),
    Guard("policy", _sql("policies"), _yielded("permissive=False"), ("requirements",), 4),
    Guard("policy", _sql("policies"), _conjoined("_twin"), ("requirements",), 5),
    Guard(
        "policy of links",
        _sql("policies"),
        _conjoined("policies", by="and_", holds=_TRUE),
        ("requirements",),
        4,
    ),
    Guard("index", _sql("tables"), _yielded("", "_indexes"), ("IX01",), 4),
    Guard("constraint", _sql("tables"), _added, ("IX01", "AM01"), 3),
)

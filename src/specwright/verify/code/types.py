"""What an annotation lets a caller send."""

import ast
import re
from collections import ChainMap, Counter
from collections.abc import Iterable, Iterator, Mapping

from specwright.verify.code.value import NOTHING, Value, any_of

#: Types that a caller fills with any text; of an unknown one nothing is said.
_FREE = {"str", "bytes", "Any", "dict", "list", "set", "tuple", "Request", "WebSocket", "UploadFile"}
_WRAPPERS = {"Optional", "Union", "List", "Sequence", "Annotated", "Dict", "Mapping", "Set", "Iterable"}
#: What FastAPI fills in by other means than the request, or the app by its own.
_DEPENDING = {"Depends", "Security"}
#: What of a request is the caller's: a session, for one, is not.
_SENT = {"query_params", "path_params", "headers", "cookies", "url", "json", "body", "form", "stream"}
#: What a pattern that is to help refuses.
_HARMFUL = ("x' OR 1=1 --", "x; id", "$(id)")
_VALIDATORS = ("field_validator", "validator")
_DEEP = 5


class Types:
    """What annotations mean in a module, which knows its own classes, and by their names those of others."""

    def __init__(self, tree: ast.Module, others: Mapping[str, ast.ClassDef]) -> None:
        own = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self.aliases = dict(_aliases(tree))
        self.classes = ChainMap(own, dict(others))

    def parameter(self, annotation: ast.expr | None, default: ast.expr | None) -> Value:
        """What a caller has to say in a parameter of a function that answers requests."""
        if default is not None and not leaves_open(default):
            return NOTHING
        return Value(sent=True) if annotation is None else self.of(annotation)

    def member(self, kind: str, name: str) -> Value:
        """The same of a member of an object."""
        if kind in ("Request", "WebSocket"):
            return Value(sent=name in _SENT)
        annotation = dict(self._members(self.classes[kind])).get(name) if kind in self.classes else None
        return self.of(annotation) if annotation is not None else NOTHING

    def of(self, annotation: ast.expr, deep: int = 0) -> Value:
        """What a caller has to say in a value of a type."""
        if deep > _DEEP:
            return NOTHING
        match annotation:
            case ast.Name(id=name) if name in self.aliases:
                return self.of(self.aliases[name], deep + 1)
            case ast.Name(id="Request" | "WebSocket" as name):
                return Value(kind=name)
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return Value(name in _FREE, kind=name if name in self.classes else "")
            case ast.Constant(value=str(text)):
                try:
                    return self.of(ast.parse(text, mode="eval").body, deep + 1)
                except SyntaxError:
                    return NOTHING
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.of(left, deep + 1) | self.of(right, deep + 1)
            case ast.Subscript(value=ast.Name(id="Annotated") | ast.Attribute(attr="Annotated")):
                inner = annotation.slice
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self.of(parts[0], deep + 1) if all(map(leaves_open, parts[1:])) else NOTHING
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner) if (
                name in _FREE | _WRAPPERS
            ):
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return any_of(self.of(part, deep + 1) for part in parts)
        return NOTHING

    def _members(self, node: ast.ClassDef, deep: int = 0) -> Iterator[tuple[str, ast.expr | None]]:
        """Annotations by member; None where the class looks at what is sent itself."""
        for base in node.bases:
            above = self.classes.get(ast.unparse(base).rpartition(".")[2])
            if above is not None and deep < _DEEP:
                yield from self._members(above, deep + 1)
        looked_at = set(_looked_at(node))
        for each in node.body:
            match each:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                    free = name not in looked_at and (value is None or leaves_open(value))
                    yield name, annotation if free else None


def only_ones(trees: Iterable[ast.Module]) -> dict[str, ast.ClassDef]:
    """The classes of an app by their names, without those that share one."""
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    times = Counter(node.name for node in nodes)
    return {node.name: node for node in nodes if times[node.name] == 1}


def _aliases(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names that stand for a type: `Name = Annotated[str, Query(max_length=80)]`."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as meant):
                yield name, meant


def _looked_at(node: ast.ClassDef) -> Iterator[str]:
    """The members that a validator of the class looks at."""
    for each in ast.walk(node):
        match each:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=names) if (
                name in _VALIDATORS
            ):
                yield from (str(one.value) for one in names if isinstance(one, ast.Constant))


def leaves_open(about: ast.expr) -> bool:
    """Whether what stands beside a type, or in a default, leaves the caller any text."""
    if not isinstance(about, ast.Call):
        return True
    name = ast.unparse(about.func).rpartition(".")[2]
    patterns = [each.value for each in about.keywords if each.arg in ("pattern", "regex")]
    return not (name.endswith("Validator") or name in _DEPENDING) and all(map(_lets_through, patterns))


def _lets_through(pattern: ast.expr) -> bool:
    """Whether an expression allows what does harm; of one that is made somewhere else it is not assumed."""
    match pattern:
        case ast.Constant(value=str(text)):
            try:
                return any(re.search(text, each) for each in _HARMFUL)
            except re.error:
                return False
    return False

"""Where what a request says goes within a module: from functions that answer, through those that they call.

What is not understood is taken for harmless: nothing is suspected without a way from the request to the call.
"""

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from specwright.verify.code.sinks import sink
from specwright.verify.code.types import Types
from specwright.verify.code.value import NOTHING, Value, any_of

Function = ast.FunctionDef | ast.AsyncFunctionDef

_ROUTES = {
    *("get", "post", "put", "patch", "delete", "head", "options", "trace", "route", "api_route"),
    *("websocket", "websocket_route", "action", "before", "after"),
}
#: Methods that pass on what their object holds, and functions what they are given.
_PASSING = {
    *("strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "split", "partition", "encode"),
    *("decode", "removeprefix", "removesuffix", "splitlines", "get", "getlist", "pop", "items", "values"),
    *("copy", "json", "body", "form", "read", "stream", "dict", "model_dump", "model_dump_json", "keys"),
}
_HANDING_ON = {
    *("str", "repr", "bytes", "list", "tuple", "dict", "set", "sorted", "reversed", "typing.cast"),
    *("json.loads", "urllib.parse.unquote", "urllib.parse.unquote_plus", "base64.b64decode"),
    *("base64.urlsafe_b64decode", "os.path.join", "pathlib.Path", "textwrap.dedent", "io.BytesIO"),
}
#: Methods by which a text is looked at before it is used.
_CHECKING = {"match", "fullmatch", "isidentifier", "isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric"}
_DEEP = 12


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A call that is reached by what a request says."""

    line: int
    says: str


class Module:
    """One file of the app's.

    `served` are the first lines of functions that answer requests, besides those whose decorators say so.
    """

    def __init__(self, tree: ast.Module, types: Types, served: Container[int] = ()) -> None:
        nodes = [*ast.walk(tree)]
        self.types = types
        self.found: dict[Suspicion, None] = {}
        self._names = dict(_imported(nodes))
        self._functions = dict(_called(tree, nodes))
        self._known: dict[tuple[str, tuple[tuple[str, Value], ...]], Value] = {}
        depended = set(_depended(nodes))
        #: The functions that get what a request says, and those that they depend on.
        self.answering = [
            node
            for node in nodes
            if isinstance(node, Function) and (_answers(node, served) or node.name in depended)
        ]

    def suspicions(self) -> tuple[Suspicion, ...]:
        """What the functions that answer requests do with them."""
        for function in self.answering:
            given = {
                argument.arg: self.types.parameter(argument.annotation, default)
                for argument, default in _parameters(function)
                if argument.arg not in ("self", "cls")
            }
            self._followed(function, given, 0)
        return tuple(sorted(self.found, key=lambda each: (each.line, each.says)))

    def called(self, name: str) -> Function | None:
        """The function of this module that a call of a name leads to."""
        return self._functions.get(name.removeprefix("self.").removeprefix("cls."))

    def dotted(self, expression: ast.expr) -> str:
        """What is called, by its full name where it was imported."""
        first, dot, rest = ast.unparse(expression).partition(".")
        return self._names.get(first, first) + dot + rest

    def into(
        self, function: Function, call: ast.Call, value: Callable[[ast.expr], Value], deep: int
    ) -> Value:
        """What a function of this module answers to a call."""
        names = [argument.arg for argument, _ in _parameters(function) if argument.arg not in ("self", "cls")]
        more = function.args.vararg.arg if function.args.vararg else None
        taken: dict[str, Value] = {}
        for position, argument in enumerate(call.args):
            name = names[position] if position < len(names) else more
            if name is not None:
                taken[name] = taken.get(name, NOTHING) | value(argument)
        for keyword in call.keywords:
            if keyword.arg is not None:
                taken[keyword.arg] = value(keyword.value)
        return self._followed(function, taken, deep)

    def _followed(self, function: Function, given: Mapping[str, Value], deep: int) -> Value:
        key = (f"{function.name}:{function.lineno}", tuple(sorted(given.items(), key=lambda each: each[0])))
        if key not in self._known and deep < _DEEP:
            self._known[key] = NOTHING  # until it is known: it may call itself
            body = _Body(self, function, dict(given), deep)
            body.run(function.body)
            self._known[key] = body.answer
        return self._known.get(key, NOTHING)


class _Body:
    """A function's statements, one after the other."""

    def __init__(self, module: Module, function: Function, names: dict[str, Value], deep: int) -> None:
        self._module = module
        self._names = names
        self._deep = deep
        self._checked = set(_checked(function))
        self.answer = NOTHING

    def run(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._run(statement)

    def _run(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return
            case ast.Assign(targets=targets, value=assigned):
                value = self.value(assigned)
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as assigned):
                self._assign(target, self.value(assigned))
            case ast.AugAssign(target=target, value=assigned):
                self._assign(target, _joined([self.value(target), self.value(assigned)], [target, assigned]))
            case ast.Return(value=ast.expr() as returned):
                self.answer |= self.value(returned)
            case ast.If(test=test, body=body, orelse=orelse):
                self.value(test)
                before = dict(self._names)
                self.run(body)
                one, self._names = self._names, before
                self.run(orelse)
                for name, value in one.items():
                    self._names[name] = self._names.get(name, NOTHING) | value
            case ast.For(target=target, iter=each) | ast.AsyncFor(target=target, iter=each):
                for _ in range(2):  # what the first round has made, the second may use
                    self._assign(target, self.value(each))
                    self.run(statement.body)
                self.run(statement.orelse)
            case _:
                for node in ast.iter_child_nodes(statement):
                    self._child(node)

    def _child(self, node: ast.AST) -> None:
        match node:
            case ast.stmt():
                self._run(node)
            case ast.expr():
                self.value(node)
            case ast.withitem(context_expr=entered, optional_vars=ast.expr() as target):
                self._assign(target, self.value(entered))
            case _:
                for each in ast.iter_child_nodes(node):
                    self._child(each)

    def _assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self._names[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._assign(part, value)
            case ast.Subscript(value=ast.Name(id=name)):
                self._names[name] = self._names.get(name, NOTHING) | value

    def value(self, node: ast.expr) -> Value:
        """What is known of an expression; the calls in it are looked at."""
        found = self._value(node)
        return NOTHING if found.sent and ast.unparse(node) in self._checked else found

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name(id=name):
                return self._names.get(name, NOTHING)
            case ast.Attribute(value=owner, attr=name):
                value = self.value(owner)
                return (
                    self._module.types.member(value.kind, name)
                    if value.kind
                    else Value(value.sent, value.around)
                )
            case ast.Subscript(value=owner):
                return self.value(owner)
            case ast.JoinedStr(values=parts):
                return _joined([self.value(part) for part in parts], parts)
            case ast.FormattedValue(value=inner):
                return self.value(inner)
            case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
                return _joined([self.value(left), self.value(right)], [left, right])
            case ast.Constant(value=str(text)):
                return Value(around=text)
            case ast.Call():
                return self._call(node)
            case ast.Await(value=inner) | ast.Starred(value=inner) | ast.NamedExpr(value=inner):
                value = self.value(inner)
                if isinstance(node, ast.NamedExpr):
                    self._assign(node.target, value)
                return value
            case ast.IfExp(test=test, body=one, orelse=other):
                self.value(test)
                return self.value(one) | self.value(other)
            case ast.Compare() | ast.Lambda() | ast.UnaryOp():
                for each in ast.iter_child_nodes(node):
                    if isinstance(each, ast.expr):
                        self.value(each)
                return NOTHING
            case ast.ListComp(elt=made) | ast.SetComp(elt=made) | ast.GeneratorExp(elt=made):
                for generator in node.generators:
                    self._assign(generator.target, self.value(generator.iter))
                return self.value(made)
        return any_of(self.value(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))

    def _call(self, call: ast.Call) -> Value:
        name = self._module.dotted(call.func)
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        values = [self.value(each) for each in given]
        known = dict(zip(given, values, strict=True))
        does = sink(call, name, known.__getitem__)
        if does is not None:
            self._module.found[Suspicion(call.lineno, f"{does} what a request says")] = None
        function = self._module.called(name)
        if function is not None:
            return self._module.into(function, call, known.__getitem__, self._deep + 1)
        if name in _HANDING_ON:
            return any_of(values)
        if not isinstance(call.func, ast.Attribute):
            return NOTHING
        owner, method = call.func.value, call.func.attr
        of = self.value(owner)
        match method:
            case "format" | "format_map" | "join":
                return _joined([of, *values], [owner, *given])
            case "append" | "add" | "extend" | "insert" if isinstance(owner, ast.Name):
                self._names[owner.id] = of | any_of(values)
                return NOTHING
        if of.kind and method in _PASSING:
            # All members of a body at once, or what a request itself answers.
            whole = method in ("model_dump", "model_dump_json", "dict")
            return Value(sent=True) if whole else self._module.types.member(of.kind, method)
        return Value(of.sent, of.around) if method in _PASSING else NOTHING


def _joined(values: Sequence[Value], nodes: Sequence[ast.expr]) -> Value:
    """A text that is put together of others."""
    sent = any(value.sent for value in values)
    return Value(sent, " ".join(value.around for value in values if value.around).strip())


def _parameters(function: Function) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    positional = [*function.args.posonlyargs, *function.args.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(function.args.defaults))
    yield from zip(positional, [*missing, *function.args.defaults], strict=True)
    yield from zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)


def _answers(node: Function, served: Container[int]) -> bool:
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return first in served or any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in _ROUTES
        for each in node.decorator_list
    )


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """By the name that it has here, what is imported."""
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from ((each.asname, each.name) for each in names if each.asname)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from ((each.asname or each.name, f"{module}.{each.name}") for each in names)


def _called(tree: ast.Module, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Function]]:
    """Functions by what they are called as: `found`, and `rows.sorted` where `rows = Rows()`."""
    methods: dict[str, list[Function]] = {}
    for node in nodes:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            methods[node.name] = [each for each in node.body if isinstance(each, Function)]
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=owner))):
                yield from ((f"{name}.{each.name}", each) for each in methods.get(owner, ()))


def _depended(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="Depends" | "Security"), args=[ast.Name(id=name), *_]):
                yield name


def _checked(function: Function) -> Iterator[str]:
    """Expressions that the function looks at before it uses them: `sort` in `if sort not in COLUMNS`."""
    for node in ast.walk(function):
        match node:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]):
                yield ast.unparse(left)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=arguments) if name in _CHECKING:
                yield ast.unparse(owner)
                yield from map(ast.unparse, arguments)

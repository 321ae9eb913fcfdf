"""Text to expression and back: the grammar is a subset of Python's, parsed by Python itself."""

import ast
import io
import json
import keyword
import re
import tokenize
import warnings
from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from specwright.model.expression import (
    And,
    Arithmetic,
    Call,
    CallerPath,
    Compare,
    Expr,
    In,
    IsNone,
    ListOf,
    Literal,
    Negative,
    Not,
    Or,
    Parameter,
    Path,
)

MAX_LENGTH = 2000
MAX_DEPTH = 50
#: Of a number, before the point and behind it.
MAX_DIGITS = 1000

_TOO_LONG = f"a number has at most {MAX_DIGITS} digits, before the point and behind it"

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
#: Python takes more: prefixes, three quotes, several texts beside each other.
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_FOREIGN_WORDS = {"true": "True", "false": "False", "null": "None", "nil": "None", "none": "None"}


class ExpressionError(ValueError):
    """An expression that is not understood; `column` counts from 1 within its text."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


class ComplexityError(ExpressionError):
    """An expression that is too long or too deep to be read."""


def parse(text: str, fields: Collection[str] = ()) -> Expr:
    """Read an expression; `fields` are names that a message may suggest.

    Raises:
        ExpressionError: the text is not an expression of the language.
    """
    if len(text) > MAX_LENGTH:
        raise ComplexityError(f"the expression is longer than {MAX_LENGTH} characters")
    if not text.strip():
        raise ExpressionError("the expression is empty")
    indent = len(text) - len(text.lstrip())
    source = text.strip().replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(source, mode="eval")
    except SyntaxError as error:
        # Of what ends too early Python tells no place.
        offset = max(error.offset or len(source) + 1, 1)
        raise ExpressionError(_explain(source, error, offset, fields), indent + offset) from None
    except (ValueError, RecursionError, MemoryError):
        raise ComplexityError("the expression holds a character or a nesting that cannot be read") from None
    if "#" in source and (column := _comment(source)) is not None:
        raise ExpressionError("an expression has no comments", indent + column)
    return _Reader(source, indent).read(tree.body, 0)


def _comment(source: str) -> int | None:
    """The column at which a comment begins in what Python can read; a # within a text begins none."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return next((token.start[1] + 1 for token in tokens if token.type == tokenize.COMMENT), None)


def _explain(source: str, error: SyntaxError, offset: int, fields: Collection[str]) -> str:
    if "&&" in source or "||" in source:
        return 'write "and" and "or" instead of "&&" and "||"'
    before = source[: offset - 1].rstrip()
    at = source[offset - 1 : offset + 1]
    if error.msg.startswith("invalid syntax") and (at.startswith("=") or before.endswith("=")):
        return 'write "==" to compare'
    if "=" in source.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", ""):
        return 'write "==" to compare'
    gap = None
    for words in _neighbours(source):
        if (name := "_".join(words)) in fields:
            return f'write {name} instead of "{" ".join(words)}"'
        gap = gap or words
    if gap is not None:
        return f'this is not an expression: "{gap[0]}" and "{gap[1]}" need something between, as == or and'
    if error.msg != "invalid syntax":
        return f"this is not an expression: {error.msg}"
    at = source[offset - 1 :].strip()
    where = f'at "{at[:20]}"' if at else "at the end"
    return f'this is not an expression, {where}; one is status == "done" and due is None'


def _neighbours(source: str) -> Iterator[list[str]]:
    """The names that stand beside each other with nothing between, outside texts."""
    for run in re.findall(r"[^\W\d]\w*(?:[ \t]+[^\W\d]\w*)+", re.sub(r"\"[^\"]*\"|'[^']*'", "0", source)):
        words: list[str] = []
        for word in [*run.split(), ""]:
            if word and not keyword.iskeyword(word):
                words.append(word)
                continue
            if len(words) > 1:
                yield words
            words = []


class _Reader:
    def __init__(self, source: str, indent: int) -> None:
        self.source = source
        self.encoded = source.encode()
        self.indent = indent

    def column(self, node: ast.expr) -> int:
        return self.indent + len(self.encoded[: node.col_offset].decode(errors="ignore")) + 1

    def refuse(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(message, self.column(node))

    def written(self, node: ast.expr) -> str:
        """The text of a node."""
        return self.encoded[node.col_offset : node.end_col_offset].decode()

    def spelled(self, node: ast.expr, name: str) -> None:
        """Refuse a name, the last thing of a node, that Python reads as another one (NFKC)."""
        if not self.written(node).endswith(name):
            raise self.refuse(node, f"write {name} in plain letters")

    def read(self, node: ast.expr, depth: int) -> Expr:
        if depth > MAX_DEPTH:
            raise ComplexityError(f"the expression is nested more than {MAX_DEPTH} deep", self.column(node))
        column = self.column(node)
        match node:
            case ast.BoolOp(op, values):
                items = tuple(self.read(value, depth + 1) for value in values)
                return And(items, column=column) if isinstance(op, ast.And) else Or(items, column=column)
            case ast.UnaryOp(ast.Not(), operand):
                return Not(self.read(operand, depth + 1), column=column)
            case ast.UnaryOp(ast.USub(), operand):
                inner = self.read(operand, depth + 1)
                if isinstance(inner, Literal) and isinstance(inner.value, int | Decimal):
                    # Unary minus would round a long one.
                    if isinstance(inner.value, Decimal):
                        return Literal(inner.value.copy_negate(), column=column)
                    return Literal(-inner.value, column=column)
                return Negative(inner, column=column)
            case ast.BinOp(left, op, right):
                if type(op) not in _ARITHMETIC:
                    raise self.refuse(node, "arithmetic knows +, - and *")
                return Arithmetic(
                    _ARITHMETIC[type(op)],
                    self.read(left, depth + 1),
                    self.read(right, depth + 1),
                    column=column,
                )
            case ast.Compare():
                return self.comparison(node, depth)
            case ast.Call():
                return self.call(node, depth)
            case ast.Constant():
                return self.constant(node)
            case ast.Name() | ast.Attribute():
                return self.path(node)
            case ast.List(items) | ast.Tuple(items) | ast.Set(items):
                return self.literal_list(node, items, depth)
            case _:
                raise self.refuse(node, f"{type(node).__name__.lower()} is not part of the language")

    def comparison(self, node: ast.Compare, depth: int) -> Expr:
        operands = [self.read(operand, depth + 1) for operand in (node.left, *node.comparators)]
        links: list[Expr] = []
        for index, operator in enumerate(node.ops):
            left, right, column = operands[index], operands[index + 1], operands[index].column
            match operator:
                case ast.In():
                    links.append(In(left, right, column=column))
                case ast.NotIn():
                    links.append(Not(In(left, right, column=column), column=column))
                case ast.Is() | ast.IsNot():
                    if right != Literal(None):
                        raise ExpressionError('"is" goes with None only; write "==" to compare', column)
                    # Over a relation to many: some row is not; no row is none that is not.
                    other = Compare("!=", left, right, column=column)
                    links.append(IsNone(left, column=column) if isinstance(operator, ast.Is) else other)
                case _:
                    links.append(Compare(_COMPARISONS[type(operator)], left, right, column=column))
        return links[0] if len(links) == 1 else And(tuple(links), column=self.column(node))

    def call(self, node: ast.Call, depth: int) -> Expr:
        if not isinstance(node.func, ast.Name):
            raise self.refuse(node, "only the language's own functions can be called")
        self.spelled(node.func, node.func.id)
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.refuse(node, "functions take plain arguments only")
        arguments = tuple(self.read(argument, depth + 1) for argument in node.args)
        return Call(node.func.id, arguments, column=self.column(node))

    def constant(self, node: ast.Constant) -> Literal:
        column, written = self.column(node), self.written(node)
        match node.value:
            case None | bool():
                return Literal(node.value, column=column)
            case int() | float() if "_" in written:
                raise ExpressionError('write the number without "_"', column)
            case int():
                if not written.isdecimal():
                    raise ExpressionError("write the number in decimal digits", column)
                if abs(node.value) >= 10**MAX_DIGITS:
                    raise ExpressionError(_TOO_LONG, column)
                return Literal(node.value, column=column)
            case str() | bytes() if not _TEXT.fullmatch(written):
                raise ExpressionError("a text stands in one pair of quotes, with nothing before them", column)
            case str():
                if "\x00" in node.value or any(0xD800 <= ord(character) < 0xE000 for character in node.value):
                    raise ExpressionError("a text literal holds a character that cannot be stored", column)
                return Literal(node.value, column=column)
            case float():
                return Literal(_decimal(written, column), column=column)
            case _:
                raise ExpressionError("this literal is not part of the language", column)

    def literal_list(self, node: ast.expr, items: list[ast.expr], depth: int) -> ListOf:
        literals = []
        for item in items:
            literal = self.read(item, depth + 1)
            if not isinstance(literal, Literal) or literal.value is None:
                raise self.refuse(item, "a list holds literals only, and never None")
            literals.append(literal)
        return ListOf(tuple(literals), column=self.column(node))

    def path(self, node: ast.expr) -> Expr:
        names: list[str] = []
        current: ast.expr = node
        while isinstance(current, ast.Attribute):
            self.spelled(current, current.attr)
            names.append(current.attr)
            current = current.value
        if not isinstance(current, ast.Name):
            raise self.refuse(node, "a path is names joined by dots")
        if current.id in _FOREIGN_WORDS:
            raise self.refuse(node, f'write {_FOREIGN_WORDS[current.id]} instead of "{current.id}"')
        self.spelled(current, current.id)
        names.append(current.id)
        first, *rest = reversed(names)
        if first == "caller":
            return CallerPath(tuple(rest), column=self.column(node))
        return Path((first, *rest), column=self.column(node))


def _decimal(text: str, column: int) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ExpressionError(_TOO_LONG, column) from None
    exponent = number.as_tuple().exponent
    if number.adjusted() >= MAX_DIGITS or not isinstance(exponent, int) or -exponent > MAX_DIGITS:
        raise ExpressionError(_TOO_LONG, column)
    return number


_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _ATOM = range(8)


def print_expression(node: Expr) -> str:
    """The text of an expression, with no more parentheses than it needs; `parse` reads it back equal."""
    return _print(node)[0]


def _print(node: Expr) -> tuple[str, int]:
    match node:
        case Literal(value):
            return _print_literal(value), _ATOM
        case Path(names):
            return ".".join(names), _ATOM
        case CallerPath(names):
            return ".".join(("caller", *names)), _ATOM
        case Parameter(name):
            return f":{name}", _ATOM
        case ListOf(items):
            return "[" + ", ".join(_print_literal(item.value) for item in items) + "]", _ATOM
        case Call(name, arguments):
            return f"{name}(" + ", ".join(print_expression(argument) for argument in arguments) + ")", _ATOM
        case Negative(operand):
            return "-" + _wrapped(operand, _ATOM), _UNARY
        case Arithmetic("*", left, right):
            return f"{_wrapped(left, _PRODUCT)} * {_wrapped(right, _UNARY)}", _PRODUCT
        case Arithmetic(operator, left, right):
            return f"{_wrapped(left, _SUM)} {operator} {_wrapped(right, _PRODUCT)}", _SUM
        case Compare("!=", left, Literal(None)):
            return f"{_wrapped(left, _SUM)} is not None", _COMPARE
        case Compare(operator, left, right):
            return f"{_wrapped(left, _SUM)} {operator} {_wrapped(right, _SUM)}", _COMPARE
        case In(item, container):
            return f"{_wrapped(item, _SUM)} in {_wrapped(container, _SUM)}", _COMPARE
        case Not(In(item, container)):
            return f"{_wrapped(item, _SUM)} not in {_wrapped(container, _SUM)}", _COMPARE
        case IsNone(operand):
            return f"{_wrapped(operand, _SUM)} is None", _COMPARE
        case Not(operand):
            return f"not {_wrapped(operand, _NOT)}", _NOT
        case And(items):
            return (" and ".join(_wrapped(item, _NOT) for item in items), _AND) if items else ("True", _ATOM)
        case Or(items):
            return (" or ".join(_wrapped(item, _AND) for item in items), _OR) if items else ("False", _ATOM)


def _wrapped(node: Expr, least: int) -> str:
    text, strength = _print(node)
    return text if strength >= least else f"({text})"


def _print_literal(value: object) -> str:
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case datetime() | date():
            return json.dumps(value.isoformat())
        case UUID():
            return json.dumps(str(value))
        case Decimal():
            text = format(value, "f")
            return text if "." in text else text + ".0"
        case _:
            return repr(value)

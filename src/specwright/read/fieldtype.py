"""The Type cell of a field."""

import re
from collections.abc import Mapping

from specwright.model.names import hint
from specwright.model.types import Kind, Type
from specwright.read.cells import code, parts
from specwright.read.mistakes import Mistakes
from specwright.read.span import Span
from specwright.read.vocabulary import FOREIGN_TYPES, PLAIN_TYPES, TYPE_FORMS

#: PostgreSQL's largest declared precision of numeric.
MAX_PRECISION = 1000
MAX_LITERAL = 200

#: How others write literals, and what separates them there.
_ENUM = re.compile(r"(?:enum(?:eration)?|choices?|literals?|one of)\b\s*[(\[{:]?(.*?)[)\]}]?", re.IGNORECASE)
_SEPARATORS = r"\s*[,|;/]\s*"
_NUMBER = re.compile(r"number\s*\(\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\)")
_PLAIN = {kind.value: Type(kind) for kind in PLAIN_TYPES}


def read_type(cell: Span, entities: Mapping[str, str], mistakes: Mistakes) -> Type | None:
    """The type that a cell names; None, with a mistake, when it names none.

    `entities` maps every spelling of an entity's name to the name.
    """
    if not cell:
        mistakes.add(cell, f"the type is missing. Types are {_known(entities)}")
        return None
    if cell.text.startswith("`"):
        return _literals(cell, mistakes)
    text = " ".join(cell.text.split())
    if text in _PLAIN:
        return _PLAIN[text]
    if text in entities:
        return Type(Kind.REFERENCE, target=entities[text])
    if text.startswith("number"):
        return _number(cell, text, mistakes)
    if text.startswith("many "):
        return _many(cell, entities, mistakes)
    if text.startswith("list of "):
        return _list(cell, entities, mistakes)
    instead = FOREIGN_TYPES.get(re.sub(r"\s*\(.*", "", text).lower())
    if instead is not None:
        mistakes.add(cell, f'unknown type "{text}". Did you mean "{instead}"?')
    elif (enum := _ENUM.fullmatch(text)) or "," in text or "|" in text:
        literals = _in_backticks(enum[1] if enum is not None else text)
        mistakes.add(cell, f'unknown type "{text}". Literals are written in backticks: {literals}')
    else:
        close = hint(text, [*_PLAIN, *entities]) or f" Types are {_known(entities)}"
        mistakes.add(cell, f'unknown type "{text}".{close}')
    return None


def _known(entities: Mapping[str, str]) -> str:
    return ", ".join([*_PLAIN, *TYPE_FORMS, *dict.fromkeys(entities.values())])


def _in_backticks(text: str) -> str:
    """The literals that are meant, as they are to be written."""
    meant = [word.strip("`'\" ") for word in re.split(_SEPARATORS, text)]
    return ", ".join(f"`{word}`" for word in meant if word) or "`todo`, `done`"


def _literals(cell: Span, mistakes: Mistakes) -> Type | None:
    literals: list[str] = []
    before = len(mistakes)
    for part in parts(cell):
        literal = code(part)
        if literal is None:
            if part.text.count("`") % 2:
                mistakes.add(part, "a backtick is missing. A | inside a cell is written \\|")
            elif re.search(rf"`{_SEPARATORS}`", part.text):
                mistakes.add(part, f"commas separate literals: {_in_backticks(part.text)}")
            else:
                word = part.text.strip("`") or "word"
                mistakes.add(part, f"each literal stands in backticks: `{word}`")
        elif not literal or not literal.text.isprintable():
            mistakes.add(part, "a literal is text that can be printed")
        elif len(literal.text) > MAX_LITERAL:
            mistakes.add(part, f"a literal has at most {MAX_LITERAL} characters")
        elif literal.text in literals:
            mistakes.add(literal, f'"{literal.text}" stands here twice')
        else:
            literals.append(literal.text)
    return Type(Kind.ENUM, literals=tuple(literals)) if len(mistakes) == before else None


def _number(cell: Span, text: str, mistakes: Mistakes) -> Type | None:
    found = _NUMBER.fullmatch(text)
    if found is None:
        mistakes.add(
            cell, "a number says how many digits it has, and how many of them after the point: number(12,2)"
        )
        return None
    precision, scale = int(found[1]), int(found[2] or 0)
    if not 1 <= precision <= MAX_PRECISION:
        mistakes.add(cell, f"a number has 1 to {MAX_PRECISION} digits, not {precision}")
        return None
    if scale > precision:
        mistakes.add(cell, f"of {precision} digits, {scale} cannot stand after the point")
        return None
    return Type(Kind.NUMBER, precision=precision, scale=scale)


def _many(cell: Span, entities: Mapping[str, str], mistakes: Mistakes) -> Type | None:
    target = cell.without_prefix("many")
    name = entities.get(" ".join(target.text.split()))
    if name is None:
        mistakes.add(
            target, f'"many" goes with an entity, and "{target.text}" is none.{hint(target.text, entities)}'
        )
        return None
    return Type(Kind.MANY, target=name)


def _list(cell: Span, entities: Mapping[str, str], mistakes: Mistakes) -> Type | None:
    of = (
        cell.without_prefix("list of")
        if cell.text.startswith("list of")
        else cell[cell.text.index("of") + 2 :].strip()
    )
    item = read_type(of, entities, mistakes)
    if item is None:
        return None
    if item.kind is Kind.REFERENCE:
        mistakes.add(of, f'a list of rows is a relation: write "many {item.target}"')
        return None
    if item.kind in (Kind.LIST, Kind.MANY, Kind.JSON):
        mistakes.add(of, f"a list holds plain values, not {item}")
        return None
    return Type(Kind.LIST, item=item)

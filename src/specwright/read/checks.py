"""CHECK constraints in SQL, as far as the spec language has words for them: lengths, ranges, literals."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

_CAST = re.compile(
    r"::(?:character varying|double precision|timestamp with(?:out)? time zone|\w+)"
    r"(?:\(\d+(?:,\d+)?\))?(?:\[\])?"
)
_COLUMN = r'\(*(?:"(?P<quoted>[^"]+)"|(?P<plain>[a-z_]\w*))\)*'
_TEXT = r"'((?:[^']|'')*)'"
_TEXT_WHOLE = r"'(?:[^']|'')*'"
_LENGTH = re.compile(
    rf"(?P<measure>char_length|character_length|length|octet_length|cardinality)\({_COLUMN}\)"
    r" *(?P<sign>[<>]=?) *\(?(?P<end>\d+)\)?",
    re.I,
)
_RANGE = re.compile(rf"{_COLUMN} *(?P<sign>[<>]=?) *\(*(?P<end>-?[\d.]+|{_TEXT})\)*", re.I)
_CHOICE = re.compile(
    rf"{_COLUMN} *(?:= *any *\(* *array *\[|in *\(|<@ *\(?array *\[)"
    rf"(?P<items> *{_TEXT}(?: *, *{_TEXT})*) *[\])]+",
    re.I,
)
_PATTERN = re.compile(rf"{_COLUMN} *~ *{_TEXT}")
_NO_EMPTY_ITEM = re.compile(rf"array_position\({_COLUMN}, *null\) is null", re.I)
_ALL_ITEMS = re.compile(rf"\(?(?:{_TEXT}|-?\d+)\)? *[<>]=? *all *\({_COLUMN}\)", re.I)
_BETWEEN = re.compile(r"(\S+) between (\S+|'[^']*') and (\S+|'[^']*')", re.I)


@dataclass(slots=True)
class Said:
    """What the checks say of one column."""

    least: Decimal | None = None
    most: Decimal | None = None
    literals: tuple[str, ...] = ()
    pattern: str | None = None
    #: An end was given as `<` or `>`: the ends are right for whole numbers alone.
    whole: bool = False


@dataclass(slots=True)
class Checks:
    """What CHECK constraints say, by column, and those that the spec language has no words for."""

    said: dict[str, Said] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)

    def of(self, column: str) -> Said:
        """What is said of a column."""
        return self.said.get(column, Said())

    def read(self, sql: str) -> None:
        """Take in one constraint."""
        found = [_read(part) for part in _parts(sql)]
        if not found or None in found:
            self.unsaid.append(sql)
            return
        for known in found:
            assert known is not None
            column, said = known
            _join(self.said.setdefault(column, Said()), said)


def without_casts(sql: str) -> str:
    """The SQL without `::type`, as PostgreSQL adds it to what it stores."""
    pieces = re.split(rf"({_TEXT_WHOLE})", " ".join(sql.split()))
    return "".join(piece if index % 2 else _CAST.sub("", piece) for index, piece in enumerate(pieces))


def _parts(sql: str) -> Iterator[str]:
    """The conditions that are joined by AND, without casts and outer parentheses."""
    text = _BETWEEN.sub(r"\1 >= \2 AND \1 <= \3", _bare(without_casts(sql)))
    if re.search(r"\bor\b", re.sub(_TEXT, "", text), re.I):
        return
    depth = start = 0
    quoted = False
    for index, character in enumerate(text):
        quoted ^= character == "'"
        if not quoted:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
            if depth == 0 and text[index : index + 5].lower() == " and ":
                yield _bare(text[start:index])
                start = index + 5
    yield _bare(text[start:])


def _bare(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return index == len(text) - 1
    return False


def _read(part: str) -> tuple[str, Said] | None:
    if found := _LENGTH.fullmatch(part):
        # An index bounds bytes, not characters: the spec language does not speak of it.
        ends = (
            Said()
            if found["measure"].lower() == "octet_length"
            else _ends(found["sign"], Decimal(found["end"]))
        )
        return _column(found), ends
    if found := _NO_EMPTY_ITEM.fullmatch(part) or _ALL_ITEMS.fullmatch(part):
        return _column(found), Said()
    if found := _CHOICE.fullmatch(part):
        items = tuple(item.replace("''", "'") for item in re.findall(_TEXT, found["items"]))
        return _column(found), Said(literals=items)
    if found := _PATTERN.fullmatch(part):
        pattern = _whole(re.findall(_TEXT, part)[-1].replace("''", "'"))
        return (_column(found), Said(pattern=pattern)) if pattern is not None else None
    if found := _RANGE.fullmatch(part):
        return _range(found)
    return None


def _range(found: re.Match[str]) -> tuple[str, Said] | None:
    end = found["end"]
    if not end.startswith("'"):
        return _column(found), _ends(found["sign"], Decimal(end))
    # Years 1 to 9999 and finite numbers hold everywhere.
    if re.fullmatch(r"'-?Infinity'|'0001-01-01.*'|'10000-01-01.*'", end):
        return _column(found), Said()
    return None


def _ends(sign: str, end: Decimal) -> Said:
    match sign:
        case ">=":
            return Said(least=end)
        case ">":
            return Said(least=end + 1, whole=True)
        case "<=":
            return Said(most=end)
        case _:
            return Said(most=end - 1, whole=True)


def _column(found: re.Match[str]) -> str:
    return str(found["quoted"] or found["plain"])


def _whole(pattern: str) -> str | None:
    """The pattern without the anchors that make it stand for the whole value; None for one that does not."""
    found = re.fullmatch(r"\^\(\?:(.*)\)\$", pattern, re.S) or re.fullmatch(r"\^(.*)\$", pattern, re.S)
    return found[1] if found is not None else None


def _join(into: Said, said: Said) -> None:
    into.least = max((end for end in (into.least, said.least) if end is not None), default=None)
    into.most = min((end for end in (into.most, said.most) if end is not None), default=None)
    into.literals = into.literals or said.literals
    into.whole = into.whole or said.whole
    into.pattern = into.pattern or said.pattern

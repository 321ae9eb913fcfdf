"""The dialect of `matches /…/`: the part of regular expressions that three engines read alike.

`canonical` rewrites a pattern so that Python's `re.fullmatch`, Rust's regex (the engine of Pydantic, with
`^(?:…)$`) and PostgreSQL's `~ '^(?:…)$'` accept exactly the same texts.
"""

import re

#: PostgreSQL's largest repetition count (DUPMAX), and a bound on what counts unfold to.
MAX_COUNT = 255
MAX_SIZE = 2000
MAX_LENGTH = 1000
MAX_NESTING = 20

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r\\f\\v"}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_PRINTED = {character: f"\\{letter}" for letter, character in _CONTROLS.items()}
_SPECIAL = frozenset(r"\.+*?()[]{}|^$")
_SPECIAL_IN_CLASS = frozenset(r"\[]^-&~|")
_QUANTIFIERS = frozenset("*+?{")
_COUNT = re.compile(r"\{(\d{0,6})(,?)(\d{0,6})\}", re.ASCII)
_REFUSED_ESCAPES = {
    **dict.fromkeys("bB", "\\b: word boundaries are not supported; spell out the characters around it"),
    **dict.fromkeys("123456789", "backreferences are not supported"),
    **dict.fromkeys("gk", "backreferences are not supported"),
    **dict.fromkeys("pP", "Unicode classes such as \\p{L} are not supported; list the characters"),
    **dict.fromkeys("AzZ", "\\A and \\Z are not needed: the whole value must match"),
}
_REFUSED_GROUPS = {
    "=": "lookahead",
    "!": "lookahead",
    "<=": "lookbehind",
    "<!": "lookbehind",
    "P<": "a named group",
    "<": "a named group",
    "P=": "a backreference",
    ">": "an atomic group",
    "#": "a comment",
    "(": "a conditional",
}


class PatternError(ValueError):
    """A pattern outside the dialect; `column` counts from 1 within its text."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


def canonical(pattern: str) -> str:
    """The pattern in the form that Python, Rust and PostgreSQL read alike. It stands for the whole value.

    Raises:
        PatternError: something in it is read differently by the three, or by none.
    """
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"the pattern is longer than {MAX_LENGTH} characters")
    reader = _Reader(pattern)
    text, size = reader.alternatives(0)
    if reader.position < len(pattern):
        raise reader.refuse('this ")" closes nothing; write \\)')
    if not text:
        raise PatternError("the pattern is empty")
    if size > MAX_SIZE:
        raise PatternError(f"its counts unfold to {size} characters; {MAX_SIZE} is the most")
    return text


def is_bounded(pattern: str) -> bool:
    """Whether every text that a pattern of `canonical` matches is of limited length."""
    plain = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", pattern)
    return re.search(r"[*+]|\{\d+,\}", plain) is None


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 1 if pattern.startswith("^") else 0

    def refuse(self, message: str, at: int | None = None) -> PatternError:
        return PatternError(message, (self.position if at is None else at) + 1)

    def peek(self, length: int = 1) -> str:
        return self.pattern[self.position : self.position + length]

    def alternatives(self, depth: int) -> tuple[str, int]:
        if depth > MAX_NESTING:
            raise self.refuse(f"groups are nested more than {MAX_NESTING} deep")
        text, size = self.sequence(depth)
        branches = [text]
        while self.peek() == "|":
            self.position += 1
            text, more = self.sequence(depth)
            branches.append(text)
            size += more
        return "|".join(branches), size

    def sequence(self, depth: int) -> tuple[str, int]:
        parts: list[str] = []
        total = 0
        while (character := self.peek()) not in ("", "|", ")"):
            if character == "$" and self.position == len(self.pattern) - 1 and depth == 0:
                self.position += 1
                break
            atom, size = self.atom(character, depth)
            quantifier, most = self.quantifier()
            parts.append(atom + quantifier)
            total += size * most
        return "".join(parts), total

    def atom(self, character: str, depth: int) -> tuple[str, int]:
        start = self.position
        match character:
            case "(":
                return self.group(depth)
            case "[":
                return self.character_class(), 1
            case ".":
                self.position += 1
                return "[^\\n]", 1
            case "\\":
                return self.escape(), 1
            case "^" | "$":
                raise self.refuse(
                    f"{character} may stand only at the {'start' if character == '^' else 'end'}"
                )
            case "*" | "+" | "?":
                raise self.refuse(f'"{character}" repeats nothing; write \\{character} for the character')
            case "{" | "}" | "]":
                raise self.refuse(f'write \\{character} for the character "{character}"')
            case _:
                self.position += 1
                return _outside(self.checked(character, start)), 1

    def checked(self, character: str, at: int) -> str:
        if character == "\x00" or "\ud800" <= character <= "\udfff":
            raise self.refuse("this character cannot be stored in a text", at)
        return character

    def group(self, depth: int) -> tuple[str, int]:
        start = self.position
        self.position += 1
        if self.peek(2) == "?:":
            self.position += 2
        elif self.peek() == "?":
            for mark in sorted(_REFUSED_GROUPS, key=len, reverse=True):
                if self.pattern.startswith(mark, self.position + 1):
                    raise self.refuse(f"(?{mark} is {_REFUSED_GROUPS[mark]}, which is not supported", start)
            raise self.refuse("flags are not supported; groups are (…) and (?:…)", start)
        inner, size = self.alternatives(depth + 1)
        if self.peek() != ")":
            raise self.refuse('this "(" is never closed', start)
        self.position += 1
        return f"(?:{inner})", size

    def escape(self) -> str:
        start = self.position
        letter = self.pattern[start + 1 : start + 2]
        if letter in ("d", "w", "s"):
            self.position += 2
            return f"[{_CLASSES[letter]}]"
        if letter in ("D", "W", "S"):
            self.position += 2
            return f"[^{_CLASSES[letter.lower()]}]"
        return _outside(self.escaped_character())

    def escaped_character(self) -> str:
        """The one character that an escape stands for."""
        start = self.position
        letter = self.pattern[start + 1 : start + 2]
        self.position += 2
        if not letter:
            raise self.refuse("the pattern ends in a backslash", start)
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter in _REFUSED_ESCAPES:
            raise self.refuse(_REFUSED_ESCAPES[letter], start)
        if letter in ("x", "u"):
            digits = self.pattern[self.position : self.position + (2 if letter == "x" else 4)]
            if not re.fullmatch(r"[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}", digits) or len(digits) != 2 + 2 * (
                letter == "u"
            ):
                raise self.refuse(
                    f"\\{letter} needs {'two' if letter == 'x' else 'four'} hexadecimal digits", start
                )
            self.position += len(digits)
            return self.checked(chr(int(digits, 16)), start)
        if letter.isascii() and letter.isalnum():
            raise self.refuse(f"\\{letter} is not supported", start)
        return self.checked(letter, start + 1)

    def character_class(self) -> str:
        start = self.position
        self.position += 1
        negated = self.peek() == "^"
        self.position += negated
        parts: list[str] = []
        while self.peek() != "]":
            if not self.peek():
                raise self.refuse('this "[" is never closed', start)
            parts.append(self.class_item())
        self.position += 1
        if not parts:
            raise self.refuse('an empty class matches nothing; write \\] for the character "]"', start)
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def class_item(self) -> str:
        start = self.position
        if self.peek(2) in ("[:", "[.", "[="):
            raise self.refuse("POSIX classes are not supported; list the characters")
        if self.peek() == "\\" and self.pattern[start + 1 : start + 2] in ("d", "w", "s", "D", "W", "S"):
            letter = self.pattern[start + 1]
            if letter.isupper():
                raise self.refuse(f"\\{letter} is not supported inside a class; use [^…]")
            self.position += 2
            if self.peek() == "-" and self.peek(2) != "-]":
                raise self.refuse(f"\\{letter} cannot begin a range; write \\- for the character")
            return _CLASSES[letter]
        low = self.class_character()
        if self.peek() != "-" or self.peek(2) in ("-", "-]"):
            return _inside(low)
        self.position += 1
        if self.peek() == "\\" and self.pattern[self.position + 1 : self.position + 2] in set("dwsDWS"):
            raise self.refuse("a class cannot end a range; write \\- for the character")
        high = self.class_character()
        if high < low:
            raise self.refuse(f"the range {low}-{high} runs backwards", start)
        return f"{_inside(low)}-{_inside(high)}"

    def class_character(self) -> str:
        if self.peek() == "\\":
            return self.escaped_character()
        self.position += 1
        return self.checked(self.pattern[self.position - 1], self.position - 1)

    def quantifier(self) -> tuple[str, int]:
        start = self.position
        mark = self.peek()
        if mark not in _QUANTIFIERS or not mark:
            return "", 1
        most = 1
        if mark == "{":
            text, most = self.count()
        else:
            self.position += 1
            text = mark
        following = self.peek()
        if following == "?":
            raise self.refuse(
                "lazy repetition changes nothing where the whole value must match; drop the ?", start
            )
        if following == "+":
            raise self.refuse("possessive repetition is not supported", start)
        if following and following in _QUANTIFIERS:
            raise self.refuse("a repetition cannot be repeated; put a group around it", start)
        return text, most

    def count(self) -> tuple[str, int]:
        start = self.position
        found = _COUNT.match(self.pattern, start)
        if found is None or not (found[1] or found[3]):
            raise self.refuse("a count is {3}, {3,} or {3,5}; write \\{ for the character")
        self.position = found.end()
        least = int(found[1] or 0)
        most = int(found[3]) if found[3] else None if found[2] else least
        if max(least, most or 0) > MAX_COUNT:
            raise self.refuse(
                f"PostgreSQL repeats at most {MAX_COUNT} times; bound the length with ..N", start
            )
        if most is not None and most < least:
            raise self.refuse("the count runs backwards", start)
        text = f"{{{least}}}" if most == least else f"{{{least},{'' if most is None else most}}}"
        return text, max(least, most or 0, 1)


def _outside(character: str) -> str:
    return _PRINTED.get(character) or (f"\\{character}" if character in _SPECIAL else character)


def _inside(character: str) -> str:
    return _PRINTED.get(character) or (f"\\{character}" if character in _SPECIAL_IN_CLASS else character)

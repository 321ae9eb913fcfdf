"""Names: how the words of a spec become identifiers, paths and tables, and which names are taken."""

import keyword
import re
from collections.abc import Iterable
from difflib import get_close_matches

#: The longest identifier that PostgreSQL keeps whole (NAMEDATALEN - 1).
MAX_IDENTIFIER = 63

_SHORT_WORD, _LONGEST_WORD = 6, 100

BUILT_IN_FIELDS = frozenset({"id", "created_at", "updated_at", "version", "deleted_at"})
LIST_PARAMETERS = frozenset(
    {"limit", "cursor", "offset", "sort", "fields", "include", "q", "count", "filter", "max_affected"}
)
#: Words that an expression reads as something else than a field.
EXPRESSION_WORDS = frozenset(keyword.kwlist) | {
    "caller",
    "now",
    "today",
    "true",
    "false",
    "null",
    "none",
    "nil",
}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ _-]+[A-Za-z0-9]+)*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words(text: str) -> tuple[str, ...]:
    """The words of a name: `Loan item`, `loan_item` and `LoanItem` have two."""
    return tuple(part for word in re.split(r"[\s_-]+", text) for part in _HUMP.split(word) if part)


def snake(text: str) -> str:
    """`due on` → `due_on`."""
    return "_".join(words(text)).lower()


def kebab(text: str) -> str:
    """`Loan items` → `loan-items`."""
    return "-".join(words(text)).lower()


def class_name(text: str) -> str:
    """`Loan item` → `LoanItem`; capitals inside a word stay."""
    return "".join(word[0].upper() + word[1:] for word in words(text))


def title(text: str) -> str:
    """`LoanItem` → `Loan item`; words in capitals stay."""
    first, *rest = words(text)
    return " ".join(
        [first[0].upper() + first[1:], *(word if word.isupper() else word.lower() for word in rest)]
    )


def plural(text: str) -> str:
    """The plural without a dictionary: consonant + y → ies; s, x, z, ch, sh → es; else s."""
    lower = text.lower()
    if re.search(r"[^aeiou\W\d_]y$", lower):
        return text[:-1] + "ies"
    return text + ("es" if lower.endswith(("s", "x", "z", "ch", "sh")) else "s")


def singular(text: str) -> str:
    """What `plural` makes a plural of, or the text itself: `tags` → `tag`, `categories` → `category`."""
    if re.search(r"[^aeiou\W\d_]ies$", text):
        return text[:-3] + "y"
    if re.search(r"(s|x|z|ch|sh)es$", text):
        return text[:-2]
    return text[:-1] if re.search(r"[^s]s$", text) else text


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if one is close."""
    by_lower = {candidate.lower(): candidate for candidate in reversed(list(known))}
    # Short words are like many others by chance, and looking a long one up is dear.
    lower = word[:_LONGEST_WORD].lower()
    close = get_close_matches(lower, by_lower, 1, 0.7 if len(lower) <= _SHORT_WORD else 0.6)
    if not close:
        close = [each for each in by_lower if lower and each.startswith(f"{lower}_")]
    return by_lower[close[0]] if close else None


def hint(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """What ends a message about an unknown word: a suggestion, or `otherwise` and all that is known."""
    candidates = list(dict.fromkeys(known))
    close = suggest(word, candidates)
    if close is not None:
        return f' Did you mean "{close}"?'
    return f" {otherwise} {', '.join(candidates)}" if otherwise and candidates else ""


def name_problem(text: str) -> str | None:
    """Why text cannot name an entity or a field, or None."""
    if "__" in text:
        return (
            'two underscores in a row separate a parameter from its operator (as in "priority__gte"); use one'
        )
    if not _NAME.fullmatch(text):
        return "a name is words of the letters a to z and digits, and begins with a letter"
    return None


def field_problem(text: str, entity: str) -> str | None:
    """Why text cannot name a field of an entity, with a name that can; or None."""
    problem = name_problem(text)
    if problem is not None:
        return problem
    name = snake(text)
    instead = f'Call it "{snake(entity)}_{name}", for instance.'
    if name in BUILT_IN_FIELDS:
        if name == "deleted_at":
            return 'deleted_at is built in: the rule line "soft delete" makes it. ' + instead
        aside = f'Leave this row out. Or call it "{snake(entity)}_{name}".'
        return f"{name} is built in: every entity has it. {aside}"
    if name in LIST_PARAMETERS:
        return f"{name} is a parameter of every list, so no field can be filtered by it. {instead}"
    if name in EXPRESSION_WORDS or text in EXPRESSION_WORDS:
        return f"{name} is a word of the expression language. {instead}"
    if len(name) > MAX_IDENTIFIER:
        return f"the name has {len(name)} characters; PostgreSQL keeps {MAX_IDENTIFIER}. Shorten it."
    return None

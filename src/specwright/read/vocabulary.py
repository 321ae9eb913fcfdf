"""The closed vocabulary of the spec language; `docs/spec-language.md` explains every word of it."""

from specwright.model.field import OnDelete
from specwright.model.grant import HAND_OVER, SEE_DELETED
from specwright.model.types import Kind

#: The tables that are read, by the columns they need and may have.
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "fields": (("Field", "Type", "Rules"), ()),
    "moves": (("Field", "Moves"), ("Who",)),
    "grants": (("Who", "May"), ("When", "Then")),
    "names": (("Who", "Is"), ()),
    "roles": (("Role", "Means"), ("Includes",)),
    "actions": (("Action", "Takes", "Does"), ("On",)),
}

#: Columns that any table may have besides: they are prose.
PROSE_COLUMNS = ("Means", "Description", "Notes", "Example")

#: Types that are one word. The others: number(p,s), `literals`, list of T, an entity, many X.
PLAIN_TYPES = (
    Kind.TEXT,
    Kind.INTEGER,
    Kind.BOOLEAN,
    Kind.DATE,
    Kind.TIMESTAMP,
    Kind.UUID,
    Kind.EMAIL,
    Kind.URL,
    Kind.JSON,
)
TYPE_FORMS = ("number(p,s)", "`literals`", "list of T", "many X")

#: Rules that are complete by themselves.
PLAIN_RULES = (
    "required",
    "unique",
    "the caller",
    "now",
    "indexed",
    "searchable",
    "immutable",
    "read only",
    "write only",
    "hidden",
)
#: Rules that begin with these words and go on.
RULES_WITH_VALUE = (
    "unique per",
    "matches",
    "default",
    "readable by",
    "writable by",
    "on delete",
    "was",
    "count of",
    "sum of",
)
RULES = PLAIN_RULES + RULES_WITH_VALUE
ON_DELETE = tuple(choice.value for choice in OnDelete)

#: Lines of a Rules list besides expressions.
RULE_LINES = ("soft delete", "audited", "if-match required")

#: A line that goes on with a language.
SEARCH_IN = "search in"
#: The text search configurations that every PostgreSQL has.
SEARCH_LANGUAGES = (
    "simple",
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
)

#: Who may be said besides a role and a name from a Who|Is table.
WHO = ("anyone", "signed in", "owner")

#: Who may be said of a field besides.
LIMITS = ("signed in", "owner")

#: What an action is for, by the word of an On cell.
LEVELS = {"row": "row", "all": "collection"}

#: What may be granted besides an action's name.
MAY = ("list", "read", "create", "update", "delete", "restore", SEE_DELETED, "link", HAND_OVER, "everything")
EVERYTHING = ("list", "read", "create", "update", "delete", "moves", "link", "restore")

#: What the request block of an example may say before its headers.
EXAMPLE_LINES = ("As", "Claims", "Name")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

#: What people write from habit, and the word of this language for it; for suggestions only.
FOREIGN_TYPES = {
    "string": "text",
    "str": "text",
    "varchar": "text",
    "int": "integer",
    "bigint": "integer",
    "float": "number(12,2)",
    "decimal": "number(12,2)",
    "money": "number(12,2)",
    "bool": "boolean",
    "datetime": "timestamp",
    "uri": "url",
    "object": "json",
    "jsonb": "json",
}
FOREIGN_RULES = {
    "not null": "required",
    "mandatory": "required",
    "readonly": "read only",
    "index": "indexed",
    "private": "hidden",
    "auto": "now",
}
FOREIGN_WHO = {
    "everyone": "anyone",
    "everybody": "anyone",
    "public": "anyone",
    "anonymous": "anyone",
    "authenticated": "signed in",
    "user": "signed in",
    "users": "signed in",
    "creator": "owner",
}
FOREIGN_MAY = {
    "view": "read",
    "get": "read",
    "edit": "update",
    "write": "update",
    "modify": "update",
    "add": "create",
    "remove": "delete",
    "all": "everything",
    "crud": "everything",
}

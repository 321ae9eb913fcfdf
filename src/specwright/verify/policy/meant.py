"""Who is meant to be allowed what, where there is no manifest: what people.toml says, and the app shows.

A collection is *private* when people.toml says so, when its owner's list has the owner's row and the
stranger's has not, when the stranger is refused the row, or when it stands below a private one. It is *owned*
when a row says whose it is. Of everything else nobody has said anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from specwright.verify.lab import Row
from specwright.verify.people.declared import Declared
from specwright.verify.people.people import Person
from specwright.verify.surface.surface import Collection, Operation, Surface

#: The pages that FastAPI serves of itself, by the names of their functions.
FRAMEWORK = frozenset({"openapi", "swagger_ui_html", "swagger_ui_redirect", "redoc_html"})

_HARMLESS = re.compile(r"^/?$|/(health|healthz|ready|readyz|live|livez|ping|favicon|robots|static)\b", re.I)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the app showed of a collection: whose its rows are, and whether others see them."""

    private: bool = False
    owned: bool = False


@dataclass
class Meant:
    """What is meant, as far as anybody has said or the app has shown."""

    surface: Surface
    declared: Declared = field(default_factory=Declared)
    #: Operations by which people sign in, and up.
    doors: frozenset[str] = frozenset()
    shown: Mapping[str, Shown] = field(default_factory=dict)

    def may(self, person: Person, operation: Operation, row: Row | None) -> bool | None:
        """Whether they should be able to; None where nobody has said and nothing shows it."""
        if operation.label in self.doors or _any(self.declared.public, operation):
            return True
        if _any(self.declared.admin, operation):
            return person.privileged
        if person.anonymous and (operation.secured or (operation.hidden and not _harmless(operation))):
            return False
        if row is None or row.person == person:
            return None
        return self._foreign(person, operation, row.collection)

    def _foreign(self, person: Person, operation: Operation, collection: Collection) -> bool | None:
        """Whether they may do this with a row that another person has made."""
        writes = operation.method not in ("GET", "HEAD")
        if collection.name in self.declared.shared and not writes:
            return True
        if person.privileged:
            return None
        # What others may do with a row that they see is more than to read it: like it, follow it, answer it.
        beneath = any(each.label == operation.label for each in collection.others)
        if self.private(collection) or (writes and not beneath and self.owned(collection)):
            return False
        return None

    def private(self, collection: Collection) -> bool:
        """Whether nobody is to see the rows of others."""
        if collection.name in self.declared.shared:
            return False
        if collection.name in self.declared.private:
            return True
        if self.shown.get(collection.name, Shown()).private:
            return True
        above = next((each for each in self.surface.collections if each.name == collection.parent), None)
        return above is not None and above is not collection and self.private(above)

    def owned(self, collection: Collection) -> bool:
        """Whether rows say whose they are."""
        return bool(collection.owned_by) or self.shown.get(collection.name, Shown()).owned


def _harmless(operation: Operation) -> bool:
    """Whether it is a page that apps hide from their document since clients have no use for it."""
    return operation.name in FRAMEWORK or _HARMLESS.search(operation.path) is not None


def about(pattern: str, operation: Operation) -> bool:
    """Whether `GET /articles*`, or `/health` for every method, is about the operation."""
    return fnmatchcase(operation.label if " " in pattern else operation.path, pattern)


def _any(patterns: tuple[str, ...], operation: Operation) -> bool:
    return any(about(pattern, operation) for pattern in patterns)

"""What a caller knows of a resource: its fields, and those of the resources that relations lead to."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from specwright.api.filters import MAX_JOINS, hops
from specwright.api.problems import echo
from specwright.api.query_string import Sent
from specwright.model.calculated import is_volatile, reads
from specwright.model.expression import Expr, Path
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.names import suggest
from specwright.model.paths import resolve
from specwright.model.resource import Resource
from specwright.model.syntax import ComplexityError
from specwright.sql.sight import reached


class Known:
    """The fields that a caller knows, of the resource that is listed and of those that relations lead to."""

    def __init__(
        self,
        manifest: Manifest,
        resource: Resource,
        readable: Sequence[Field],
        visible: Callable[[], Manifest],
    ) -> None:
        self.manifest = manifest
        self.resource = resource
        self.by_wire = {field.wire: field for field in readable}
        self.reached: set[str] = set()
        self._visible = visible
        self._joins = 0
        #: The parameter that led beyond what may be followed.
        self._beyond = ""

    @cached_property
    def visible(self) -> Manifest:
        """The manifest as the caller knows it."""
        return self._visible()

    @cached_property
    def seen(self) -> Resource:
        """The resource as the caller knows it."""
        return self.visible.resource(self.resource.name)

    def find(self, name: str) -> tuple[tuple[str, ...], Field] | None:
        """The field of this wire name, `title`, or beyond relations, `project__name`; and the relations."""
        field = self.by_wire.get(name)
        if field is not None or "__" not in name:
            return None if field is None else ((), field)
        *through, wire = name.split("__")
        current = self.seen
        for step in through:
            relation = current.relation(step)
            if relation is None:
                return None
            current = self.visible.resource(relation.target)
        beyond = next((field for field in current.fields if field.wire == wire), None)
        if beyond is None:
            return None
        path = Path((*through, beyond.name))
        found = resolve(self.visible, self.seen, path)
        # `project__id` is the reference itself, one relation nearer.
        return tuple(through[: len(found.hops)]), found.field

    def changes_by_waiting(self, path: Path) -> bool:
        """Whether the value that a path leads to is worked out from the time."""
        return any(is_volatile(self.manifest, *each) for each in reads(self.manifest, self.resource, path))

    def follow(self, name: str, expr: Expr, sent: Sent) -> bool:
        """Note where the paths of an expression lead; False, with a fault, where one is too long."""
        try:
            self._joins += hops(self.visible, self.seen, expr)
        except ComplexityError as error:
            # Only what is written as an expression has columns.
            place = f"Column {error.column}: " if error.column else ""
            sent.refuse(name, "too_complex", f"{place}{error.message}", error.column or None)
            return False
        if self._joins > MAX_JOINS:
            self._beyond = self._beyond or name
        self.reached |= reached(self.visible, self.seen, expr)
        return True

    def bound(self, sent: Sent) -> None:
        """Refuse a request that follows too many relations."""
        if self._beyond:
            message = f"Sort and filters follow {self._joins} relations together, and may follow {MAX_JOINS}."
            sent.refuse(self._beyond, "too_complex", message)


def no_field(name: str, known: Sequence[str] | Mapping[str, Field] | set[str]) -> str:
    close = suggest(name, known)
    hint = f" Did you mean {close}?" if close else f" There are {', '.join(sorted(known))}."
    return f"No field {echo(name)!r} here.{hint}"

"""What can be asked of the rows of any manifest: paths over its relations, and conditions on them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from properties.values import TEXTS, key, literal, values
from properties.worlds import PEOPLE
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
    Not,
    Or,
    Path,
)
from specwright.model.field import Field, Shown
from specwright.model.manifest import Manifest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.typecheck import check_condition
from specwright.model.types import NUMBER_KINDS, TEXT_KINDS, Kind

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def is_open(field: Field) -> bool:
    """Whether everybody who may read a row sees the field of it."""
    return field.shown in (Shown.BOTH, Shown.READ_ONLY) and not field.readable_by


def ways(
    manifest: Manifest, resource: Resource, depth: int, *, many: bool, open_only: bool
) -> list[list[Relation]]:
    """The relations that can be followed from a resource, in a row; none is one of them."""
    found: list[list[Relation]] = [[]]
    for relation in resource.relations if depth else ():
        holder = manifest.resource(relation.holder).field(relation.field)
        assert holder is not None
        target = manifest.resource(relation.target)
        if target.external or (relation.many and not many) or (open_only and not is_open(holder)):
            continue
        further = ways(manifest, target, depth - 1, many=many, open_only=open_only)
        found += [[relation, *way] for way in further]
    return found


def leaves(
    manifest: Manifest, resource: Resource, depth: int = 2, *, many: bool, open_only: bool
) -> list[tuple[list[Relation], Field]]:
    """The fields that paths from a resource lead to, with the relations in between."""
    return [
        (way, field)
        for way in ways(manifest, resource, depth, many=many, open_only=open_only)
        for field in (manifest.resource(way[-1].target) if way else resource).fields
        if field.type.kind is not Kind.MANY
        and (is_open(field) or (not open_only and field.name != "version"))
    ]


def paths(
    manifest: Manifest, resource: Resource, *, many: bool = True, open_only: bool = False
) -> dict[Kind, list[Path]]:
    """The paths from a resource, by what kind of value they lead to."""
    found: dict[Kind, list[Path]] = {}
    for way, field in leaves(manifest, resource, many=many, open_only=open_only):
        path = Path((*(relation.name for relation in way), field.name))
        found.setdefault(field.type.kind, []).append(path)
    return found


@st.composite
def conditions(
    draw: st.DrawFn, manifest: Manifest, name: str, *, caller: bool = True, open_only: bool = False
) -> Expr:
    """Conditions on rows of the entity of this name; `open_only`, on what everybody sees of the rows."""
    resource = manifest.resource(name)
    found = leaves(manifest, resource, many=True, open_only=open_only)
    near = [each for each in found if not each[0]]
    atoms = st.one_of(
        *(st.sampled_from(each).flatmap(_atoms(manifest, found, caller)) for each in (near, found))
    )
    nested = st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.tuples(inner, inner)),
            st.builds(Or, st.tuples(inner, inner)),
        ),
        max_leaves=3,
    )
    return draw(nested.filter(lambda expr: not check_condition(manifest, resource, expr)))


def _atoms(manifest: Manifest, found: Sequence[tuple[list[Relation], Field]], caller: bool) -> Any:
    """Comparisons of one path."""

    def path_of(way: Sequence[Relation], field: Field) -> Path:
        return Path((*(relation.name for relation in way), field.name))

    def atoms(leaf: tuple[list[Relation], Field]) -> st.SearchStrategy[Expr]:
        way, field = leaf
        path, kind = path_of(way, field), field.type.kind
        alike = [path_of(*other) for other in found if other[1].type.kind is kind]
        other = Compare("!=", path, Literal(None))
        among: list[st.SearchStrategy[Expr]] = [st.sampled_from([IsNone(path), other])]
        if kind is Kind.JSON:
            part = values(field.type).map(literal)
            among.append(st.builds(lambda known: Call("contains", (path, known)), part))
        if kind in (Kind.JSON, Kind.LIST):
            if kind is Kind.LIST:
                length = Call("len", (path,))
                among.append(
                    st.builds(Compare, st.sampled_from(_COMPARISONS), st.just(length), st.just(Literal(1)))
                )
                item = field.type.item
                assert item is not None
                among.append(st.builds(In, values(item).map(literal), st.just(path)))
            return st.one_of(among)
        if field.target is not None:
            others = [Literal(person) for person in PEOPLE[:2]]
            mine = [CallerPath()] if caller else others
            people = manifest.resource(field.target).key_field.type.kind is Kind.TEXT
            given = st.sampled_from(mine) if people else st.just(literal(key(field.target, 1)))
        else:
            given = values(field.type).map(literal)
        ordered = kind not in (Kind.BOOLEAN, Kind.UUID, Kind.ENUM, Kind.REFERENCE)
        operators = st.sampled_from(_COMPARISONS if ordered else _COMPARISONS[:2])
        among.append(st.builds(Compare, operators, st.just(path), given))
        among.append(st.builds(Compare, operators, st.just(path), st.sampled_from(alike)))
        if kind in TEXT_KINDS - {Kind.ENUM}:
            word = st.sampled_from(["contains", "startswith", "endswith"])
            among.append(st.builds(Call, word, st.tuples(st.just(path), st.sampled_from(TEXTS).map(Literal))))
            folded = st.builds(Call, st.sampled_from(["lower", "upper"]), st.just((path,)))
            among.append(st.builds(Compare, operators, folded, given))
        if kind is Kind.BOOLEAN:
            among.append(st.just(path))
        elif field.target is None:
            listed = st.lists(given, max_size=3).map(lambda items: ListOf(tuple(items)))
            among.append(st.builds(In, st.just(path), listed))
        if kind in NUMBER_KINDS:
            more = st.builds(Arithmetic, st.sampled_from(["+", "-", "*"]), st.just(path), given)
            among.append(st.builds(Compare, operators, more, given))
        return st.one_of(among)

    return atoms

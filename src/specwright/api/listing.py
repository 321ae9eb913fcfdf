"""The list of a resource: the statement that a query asks for, what fills it, and the page answered."""

from typing import Any

from specwright.api import cursor
from specwright.api.parameters import CursorReader
from specwright.api.rights import Listing, Rights
from specwright.api.service import Service
from specwright.model.caller import Caller
from specwright.model.expression import TRUE
from specwright.model.resource import Resource
from specwright.sql.lists import Beneath, ListShape
from specwright.sql.query import ListQuery
from specwright.sql.scope import Scope


def list_shape(rights: Rights, scope: Scope, query: ListQuery, beneath: Beneath | None = None) -> ListShape:
    """The shape of a list of the rows in the scope that a query asks for."""
    return ListShape(
        scope=scope,
        fields=tuple(field.name for field in query.fields),
        sort=tuple(sort.key for sort in query.sort),
        filters=tuple((asked.path, _operator(asked)) for asked in query.filters),
        after=None if query.after is None else tuple(value is None for value in query.after),
        offset=query.offset > 0,
        count=query.count,
        condition=TRUE if query.condition is None else query.condition.shape,
        search=query.search is not None,
        include=rights.includes(query.include),
        beneath=beneath,
        reads=rights.reads(query.reached),
        members=rights.apart,
    )


def _operator(asked: Any) -> str:
    if asked.operator != "isnull":
        return str(asked.operator)
    return "isnull" if asked.value else "notnull"


def list_values(query: ListQuery) -> dict[str, Any]:
    """What fills the parameters; one row more than asked tells whether there is a next page."""
    values: dict[str, Any] = {"limit": query.limit + 1, "offset": query.offset}
    values |= {f"filter{n}": asked.value for n, asked in enumerate(query.filters)}
    if query.condition is not None:
        values |= query.condition.values
    if query.search is not None:
        values["search"] = query.search
    values |= {f"after{n}": value for n, value in enumerate(query.after or ())}
    return values


def page(service: Service, listing: Listing, row: Any) -> bytes:
    """The answer of a list."""
    following = "null"
    if row["more"]:
        values = [row[f"k{position}"] for position in range(len(listing.query.sort))]
        following = f'"{cursor.write(service.secret, listing.binding, values)}"'
    counted = f',"total":{row["total"]}' if listing.query.count else ""
    return f'{{"items":[{row["items"] or ""}],"next_cursor":{following}{counted}}}'.encode()


def binding(service: Service, resource: Resource, query: ListQuery, caller: Caller, above: str) -> bytes:
    """What a cursor is bound to, good for this list alone; `above` names the row that it is beneath."""
    tenant = None if resource.tenant is None else caller.tenant
    return cursor.binding(service.contract, resource, query, caller.id, tenant, above)


def cursor_reader(service: Service, resource: Resource, caller: Caller, above: str) -> CursorReader:
    """What reads the cursors of the list."""

    def read(query: ListQuery, text: str) -> tuple[Any, ...]:
        return cursor.read(service.secret, binding(service, resource, query, caller, above), text)

    return read

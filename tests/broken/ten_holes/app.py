"""A shop's back office, rows in dictionaries, with ten authorization holes; each is marked where it is."""

import secrets
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

Row = dict[str, Any]

TOKENS = {"adas-4e7b19c0": "ada", "bobs-d25f83a6": "bob", "eves-90c6e1f7": "eve"}
people: dict[str, Row] = {
    "ada": {"name": "ada", "nickname": "", "role": "clerk"},
    "bob": {"name": "bob", "nickname": "", "role": "clerk"},
    "eve": {"name": "eve", "nickname": "", "role": "head"},
}
kept: dict[str, dict[str, Row]] = {}


class Named(BaseModel):
    title: str = Field(min_length=1, max_length=80)


class Shown(Named):
    id: str
    owner: str


class NewContact(Named):
    model_config = ConfigDict(extra="allow")


class NewTask(Named):
    project_id: str


class Task(Shown):
    project_id: str


class Nickname(BaseModel):
    model_config = ConfigDict(extra="allow")

    nickname: str = Field(default="", max_length=40)


bearer = HTTPBearer(auto_error=False)


def caller(token: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> str:
    if token is None or token.credentials not in TOKENS:
        raise HTTPException(401, "No such token")
    return TOKENS[token.credentials]


Me = Annotated[str, Depends(caller)]


def head(me: Me) -> None:
    if people[me]["role"] not in ("head", "admin"):
        raise HTTPException(403, "For heads only")


def keep(kind: str, row: Row) -> Row:
    row = row | {"id": secrets.token_hex(6)}
    return kept.setdefault(kind, {}).setdefault(row["id"], row)


def there(kind: str, id: str) -> Row:
    if id not in kept.get(kind, {}):
        raise HTTPException(404, "No such row")
    return kept[kind][id]


def own(kind: str, id: str, me: str) -> Row:
    row = there(kind, id)
    if row["owner"] != me:
        raise HTTPException(404, "No such row")
    return row


def rows(kind: str, **wanted: str) -> Iterator[Row]:
    for row in kept.get(kind, {}).values():
        if all(row[name] == value for name, value in wanted.items()):
            yield row


api = APIRouter()


@api.post("/invoices", status_code=201)
async def bill(invoice: Named, me: Me) -> Shown:
    return Shown(**keep("invoices", {"owner": me, "title": invoice.title}))


@api.get("/invoices")
async def invoices(me: Me) -> list[Shown]:
    return [Shown(**row) for row in rows("invoices", owner=me)]


@api.get("/invoices/{id}")
async def invoice(id: str, me: Me) -> Shown:
    return Shown(**there("invoices", id))  # 1: read by whoever has the key


@api.post("/orders", status_code=201)
async def order(order: Named, me: Me) -> Shown:
    return Shown(**keep("orders", {"owner": me, "title": order.title}))


@api.get("/orders")
async def orders(me: Me, q: str = "") -> list[Shown]:
    found = rows("orders") if q else rows("orders", owner=me)  # 2: the search is in everybody's
    return [Shown(**row) for row in found if q in row["title"]]


@api.get("/orders/{id}")
async def ordered(id: str, me: Me) -> Shown:
    return Shown(**own("orders", id, me))


@api.delete("/orders/{id}", status_code=204)
async def cancel(id: str, me: Me) -> None:
    del kept["orders"][there("orders", id)["id"]]  # 3: removed by whoever has the key


@api.post("/documents", status_code=201)
async def write(document: Named, me: Me) -> Shown:
    return Shown(**keep("documents", {"owner": me, "title": document.title}))


@api.get("/documents/{id}")
async def document(id: str, me: Me) -> Shown:
    return Shown(**own("documents", id, me))


@api.put("/documents/{id}")
async def rewrite(id: str, document: Named, me: Me) -> Shown:
    row = there("documents", id)  # 4: changed by whoever has the key
    row["title"] = document.title
    return Shown(**row)


@api.post("/messages", status_code=201)
async def send(message: Named, me: Me) -> Shown:
    return Shown(**keep("messages", {"owner": me, "title": message.title}))


@api.get("/messages")
async def messages(me: Me) -> list[Shown]:
    return [Shown(**row) for row in rows("messages")]  # 5: everybody's in the list


@api.get("/messages/{id}")
async def message(id: str, me: Me) -> Shown:
    return Shown(**own("messages", id, me))


@api.post("/contacts", status_code=201)
async def meet(contact: NewContact, me: Me) -> Shown:
    return Shown(**keep("contacts", {"owner": me, **contact.model_dump()}))  # 6: the body says whose it is


@api.get("/contacts/{id}")
async def contact(id: str, me: Me) -> Shown:
    return Shown(**own("contacts", id, me))


@api.get("/me")
async def myself(me: Me) -> Row:
    return people[me]


@api.patch("/me")
async def rename(changes: Nickname, me: Me) -> Row:
    people[me] |= changes.model_dump(exclude_unset=True)  # 7: the body says what one may
    return people[me]


@api.get("/admin/people", dependencies=[Depends(head)])
async def everybody() -> list[str]:
    return sorted(people)


@api.get("/admin/turnover")
async def turnover(me: Me) -> dict[str, int]:
    return {"orders": len(kept.get("orders", {}))}  # 8: for heads, and nothing asks who it is


@api.post("/projects", status_code=201)
async def begin(project: Named, me: Me) -> Shown:
    return Shown(**keep("projects", {"owner": me, "title": project.title}))


@api.get("/projects/{id}")
async def project(id: str, me: Me) -> Shown:
    return Shown(**own("projects", id, me))


@api.post("/tasks", status_code=201)
async def add(task: NewTask, me: Me) -> Task:
    row = there("projects", task.project_id)  # 9: into whatever project there is
    return Task(**keep("tasks", {"owner": me, "title": task.title, "project_id": row["id"]}))


@api.get("/tasks/{id}")
async def task(id: str, me: Me) -> Task:
    return Task(**own("tasks", id, me))


@api.post("/albums", status_code=201)
async def collect(album: Named, me: Me) -> Shown:
    return Shown(**keep("albums", {"owner": me, "title": album.title}))


@api.get("/albums/{album_id}")
async def album(album_id: str, me: Me) -> Shown:
    return Shown(**own("albums", album_id, me))


@api.post("/albums/{album_id}/pictures", status_code=201)
async def hang(album_id: str, picture: Named, me: Me) -> Shown:
    own("albums", album_id, me)
    return Shown(**keep("pictures", {"owner": me, "title": picture.title, "album": album_id}))


@api.get("/albums/{album_id}/pictures/{id}")
async def picture(album_id: str, id: str, me: Me) -> Shown:
    own("albums", album_id, me)
    return Shown(**own("pictures", id, me))  # 10: beneath any album of one's own


app = FastAPI()
app.include_router(api)

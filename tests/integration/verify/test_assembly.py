"""A lab for apps of many kinds: people get in, rows are made, and what is meant is read off what is shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.assembly import lab
from specwright.verify.lab import Lab, NotRun, parse
from specwright.verify.people.people import ANONYMOUS

pytestmark = [pytest.mark.anyio, pytest.mark.any_server]

_APPS = Path(__file__).parent / "apps"


@asynccontextmanager
async def _lab(name: str) -> AsyncIterator[Lab]:
    people = _APPS / f"{name}.toml"
    async with lab(f"{name}:app", _APPS, people if people.is_file() else None) as assembled:
        yield assembled


async def test_oauth2_with_a_database() -> None:
    """Two sign up by themselves, and mappers tell what keys mean."""
    async with _lab("shop") as it:
        ada, bob = it.people.owner, it.people.stranger
        assert not it.people.missing and ada.known_as & {"1", "2"} and not ada.known_as & bob.known_as
        orders = it.surface.collection("orders")
        assert orders.owned_by == ("by",)
        assert [(each.member, each.collection) for each in orders.references] == [("buyer", "customers")]
        row = await it.new_row(orders, ada, note="for ada")
        assert row.body["note"] == "for ada"
        assert orders.read is not None and orders.update is not None
        assert it.policy.may(bob, orders.read, row) is False
        assert it.policy.may(bob, orders.update, row) is False
        assert it.policy.may(ANONYMOUS, orders.read, None) is False
        body = await it.maker.body(it, orders.update, ada, row.place)
        changed = await it.send(ada, orders.update, row.place, json=body)
        assert changed.succeeded and set(body) == {"note"}


async def test_realworld() -> None:
    """Envelopes, slugs and another word before the token; everybody reads, writers alone write."""
    async with _lab("realworld") as it:
        ada, bob = it.people.owner, it.people.stranger
        assert ada.headers["authorization"].startswith("Token ")
        articles = it.surface.collection("articles")
        assert (articles.envelope, articles.wrapping, articles.items) == ("article", "article", "articles")
        row = await it.new_row(articles, ada, title="A day")
        assert row.key == "a-day" and row.body["title"] == "A day"
        assert articles.read is not None and articles.delete is not None and articles.list is not None
        assert it.policy.may(bob, articles.read, row) is None
        assert it.policy.may(ANONYMOUS, articles.list, None) is None
        assert it.policy.may(bob, articles.delete, row) is False
        comment = await it.new_row(it.surface.collection("comments"), bob)
        assert comment.place.keys() == {"slug", "id"}


async def test_cookies() -> None:
    """A session that comes as a cookie; members that only the answers tell of; a row found in its list."""
    async with _lab("cookies") as it:
        assert it.people.owner.cookies and not it.people.owner.headers
        notes = it.surface.collection("notes")
        row = await it.new_row(notes, it.people.owner)
        assert row.body["colour"] in ("red", "green")
        assert await it.items(notes, it.people.owner, {})
        assert notes.read is not None
        assert it.policy.may(it.people.stranger, notes.read, row) is False
        count = len(it.probes)
        await it.new_row(notes, it.people.owner)
        tried = [probe for probe in it.probes[count:] if probe.method == "POST"]
        assert [probe.succeeded for probe in tried] == [True], "a body that was learned is kept"


async def test_keys() -> None:
    """People of people.toml, one of whom may do more; rows below others, and what is private above them."""
    async with _lab("keys") as it:
        ada, bob, boss = it.people.signed_in
        assert boss.privileged and it.people.ordinary == (ada, bob)
        thing = await it.new_row(it.surface.collection("things"), ada)
        read = thing.collection.read
        assert read is not None
        assert it.policy.may(bob, read, thing) is False
        assert it.policy.may(boss, read, thing) is None
        label = await it.new_row(it.surface.collection("labels"), ada)
        assert (await it.read(label)).succeeded
        metrics = next(each for each in it.surface.operations if each.hidden and "metrics" in each.path)
        assert metrics.source is not None and metrics.source.file == "keys.py"
        assert it.policy.may(ANONYMOUS, metrics, None) is True


async def test_an_app_that_is_served() -> None:
    """A running app is verified by its URL alone, with what its document tells."""
    async with _lab("shop") as inside, lab(inside.base) as it:
        row = await it.new_row(it.surface.collection("customers"), it.people.owner)
        assert parse(await it.read(row)) == row.body
        assert it.inside is None


async def test_nobody_can_get_in(tmp_path: Path) -> None:
    """An app without people is looked at all the same, and a sentence says what is not proved."""
    (tmp_path / "main.py").write_text(
        "from fastapi import FastAPI\napp = FastAPI()\n"
        "@app.post('/things')\ndef make(body: dict): return {'id': 1, **body}\n"
        "@app.get('/things/{id}')\ndef read(id: int): return {'id': id}\n"
    )
    async with lab("main:app", tmp_path) as it:
        assert it.people.missing.startswith("nobody is signed in")
        assert it.people.ordinary == ()
        row = await it.row(it.surface.collection("things"), it.people.owner)
        assert row.key == "1"


async def test_a_row_that_cannot_be_made(tmp_path: Path) -> None:
    """What the app says last is told."""
    (tmp_path / "main.py").write_text(
        "from fastapi import FastAPI, HTTPException\napp = FastAPI()\n"
        "@app.post('/things')\ndef make(body: dict): raise HTTPException(422, 'the moon is wrong')\n"
        "@app.get('/things/{id}')\ndef read(id: int): return {'id': id}\n"
    )
    async with lab("main:app", tmp_path) as it:
        with pytest.raises(NotRun, match="the moon is wrong"):
            await it.row(it.surface.collection("things"), it.people.owner)


@pytest.mark.parametrize("url", ["https://example.com", "http://10.0.0.1:8000", "http://[2001:db8::1]"])
async def test_other_machines_are_left_alone(url: str) -> None:
    """Nothing is sent elsewhere unless that is asked for."""
    with pytest.raises(ConfigError, match="is not this machine"):
        async with lab(url):
            pass


async def test_uploads(tmp_path: Path) -> None:
    """A form of parts is sent as one, with a file in it."""
    (tmp_path / "main.py").write_text(
        "from fastapi import FastAPI, Form, UploadFile\napp = FastAPI()\nfiles = {}\n"
        "@app.post('/files', status_code=201)\n"
        "async def make(file: UploadFile, title: str = Form()):\n"
        "    files[1] = {'id': 1, 'title': title, 'text': (await file.read()).decode()}\n"
        "    return files[1]\n"
        "@app.get('/files/{id}')\ndef read(id: int): return files[id]\n"
    )
    async with lab("main:app", tmp_path) as it:
        row = await it.row(it.surface.collection("files"), it.people.owner)
        assert row.body["text"].startswith("canary-") and row.body["title"].startswith("canary-")


_OBSTACLE = """
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
app = FastAPI(openapi_url="/openapi.json")
@app.middleware("http")
async def first(request, proceed):
    return {answer}
@app.post("/things")
def make(body: dict): return {{"id": 1}}
@app.get("/things/{{id}}")
def read(id: int): return {{"id": 1}}
"""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("RedirectResponse('https://elsewhere.example/')", "redirects every request, to https://elsewhere"),
        ("Response(status_code=429, headers={'retry-after': '3600'})", "limits how often we may ask"),
        ("HTMLResponse('<p>no')", "answers HTML"),
        ("1 / 0", "fails on every request"),
    ],
)
async def test_what_keeps_an_app_from_being_verified(tmp_path: Path, answer: str, said: str) -> None:
    """One sentence, and nothing is reported as proved."""
    (tmp_path / "main.py").write_text(_OBSTACLE.format(answer=answer))
    with pytest.raises(ConfigError, match=said):
        async with lab("main:app", tmp_path):
            pass


_DOOR = """
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
app = FastAPI()
@app.middleware("http")
async def first(request, proceed):
    return await proceed(request) if {open} else RedirectResponse("/login")
@app.get("/login")
def login(): return "login here"
@app.get("/")
def root(): return RedirectResponse("/login")
"""


async def test_a_door_that_everything_leads_to(tmp_path: Path) -> None:
    """The page behind a redirect is no answer of the app's where every other request is sent there."""
    (tmp_path / "main.py").write_text(_DOOR.format(open="request.url.path == '/login'"))
    with pytest.raises(ConfigError, match="redirects every request, to /login first"):
        async with lab("main:app", tmp_path):
            pass
    (tmp_path / "other.py").write_text(_DOOR.format(open="True"))
    async with lab("other:app", tmp_path) as it:
        assert it.coverage()["GET /login"] == ("nobody",)


async def test_an_app_that_asks_for_time_gets_it(tmp_path: Path) -> None:
    """Retry-After is waited for, when it is short."""
    (tmp_path / "main.py").write_text(
        "from fastapi import FastAPI, HTTPException\napp = FastAPI()\nseen = []\n"
        "@app.post('/things')\ndef make(body: dict):\n"
        "    seen.append(1)\n"
        "    if len(seen) == 1: raise HTTPException(429, headers={'retry-after': '0'})\n"
        "    return {'id': 1}\n"
        "@app.get('/things/{id}')\ndef read(id: int): return {'id': 1}\n"
    )
    async with lab("main:app", tmp_path) as it:
        assert (await it.row(it.surface.collection("things"), it.people.owner)).key == "1"


_SIGNED = """
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer
app = FastAPI()
def caller(sent=Depends(HTTPBearer())):
    try:
        return jwt.decode(sent.credentials, "0123456789" * 4, ["HS256"], audience="shop")
    except jwt.PyJWTError:
        raise HTTPException(401)
things = {}
@app.post("/things")
def make(body: dict, user=Depends(caller)):
    things[len(things)] = {"id": len(things), "by": user["sub"], "plan": user["plan"]}
    return things[len(things) - 1]
@app.get("/things/{id}")
def read(id: int, user=Depends(caller)):
    return things[id]
"""


async def test_a_signing_secret(tmp_path: Path) -> None:
    """Everybody's token is signed with the app's own key, their claims in it; so can checks sign theirs."""
    (tmp_path / "main.py").write_text(_SIGNED)
    file = tmp_path / "people.toml"
    file.write_text(
        '[secret]\nkey = "0123456789012345678901234567890123456789"\n'
        'claims = {sub = "{username}", aud = "shop", plan = "free"}\n'
        '[people.carol]\nclaims = {plan = "paid"}\nroles = ["customer"]\n'
    )
    async with lab("main:app", tmp_path, file) as it:
        things = it.surface.collection("things")
        row = await it.new_row(things, it.people.owner)
        assert row.body["by"] in it.people.owner.known_as and row.body["plan"] == "free"
        (carol,) = it.people.others
        assert (await it.new_row(things, carol)).body["plan"] == "paid"
        assert it.signer is not None and it.signer.sign({"sub": "x"}, {"kid": "y"}).count(".") == 2


_BASIC = """
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic
from pydantic import BaseModel
app = FastAPI()
accounts = {}
class Account(BaseModel):
    username: str
    password: str
@app.post("/accounts")
def register(account: Account):
    if account.username in accounts:
        raise HTTPException(409, "the username is taken")
    accounts[account.username] = account.password
def caller(sent=Depends(HTTPBasic())):
    if accounts.get(sent.username) != sent.password:
        raise HTTPException(401)
    return sent.username
@app.get("/me")
def me(user=Depends(caller)):
    return {"username": user}
"""


async def test_http_basic(tmp_path: Path) -> None:
    """Name and password with every request (RFC 7617)."""
    (tmp_path / "main.py").write_text(_BASIC)
    async with lab("main:app", tmp_path) as it:
        me = next(each for each in it.surface.operations if each.path == "/me")
        for person in (it.people.owner, it.people.stranger):
            answer = parse(await it.send(person, me))
            assert answer["username"] in person.known_as


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[people.ada]\nemail = "a@example.com"\npassword = "x"\n', "ada of people.toml cannot sign in"),
        ('[people.ada]\ntoken = "t"\n', "only ada. Add another"),
        (
            '[people.ada]\ntoken = "t"\n[people.bob]\ntoken = "u"\nprivileged = true\n',
            "ada and bob. Add another",
        ),
        ('[secret]\nkey = "short"\nalgorithm = "RS256"\n[people.ada]\n', "No token can be signed"),
        ('[login]\nrequest = "POST /none"\n[people.ada]\npassword = "x"\n', "POST /none answers 404"),
    ],
)
async def test_people_who_cannot_get_in(tmp_path: Path, text: str, said: str) -> None:
    """It is told who, and what the app said; nothing is taken as proved without them."""
    (tmp_path / "main.py").write_text(_SIGNED)
    file = tmp_path / "people.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        async with lab("main:app", tmp_path, file):
            pass

"""Albums and their pictures, held by classes."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyCookie
from guard import guard
from pydantic import BaseModel, Field

SESSIONS = {"a1-f60e8d2b7c94": "ada", "b2-3c95e1a04d78": "bob"}

cookie = APIKeyCookie(name="album_session", auto_error=False)


class NewAlbum(BaseModel):
    title: str = Field(min_length=1, max_length=80)


class Album(NewAlbum):
    id: str = Field(default_factory=lambda: secrets.token_hex(6))
    owner: str


class NewPicture(BaseModel):
    caption: str = Field(min_length=1, max_length=80)


class Picture(NewPicture):
    id: str = Field(default_factory=lambda: secrets.token_hex(6))
    album_id: str
    owner: str


class Shelf:
    """Everything that there is."""

    def __init__(self) -> None:
        self.albums: dict[str, Album] = {}
        self.pictures: dict[str, Picture] = {}


shelf = Shelf()


class Signed:
    """Who asks, by the cookie."""

    def __init__(self, session: Annotated[str | None, Security(cookie)]) -> None:
        if session is None or session not in SESSIONS:
            raise HTTPException(401, "Sign in first")
        self.name = SESSIONS[session]


class Opened:
    """The album of the path, which is the caller's."""

    def __init__(self, album_id: str, me: Annotated[Signed, Depends()]) -> None:
        album = shelf.albums.get(album_id)
        if album is None or album.owner != me.name:
            raise HTTPException(404, "No such album")
        self.album = album
        self.me = me.name

    def picture(self, id: str) -> Picture:
        picture = shelf.pictures.get(id)
        if picture is None or picture.album_id != self.album.id:
            raise HTTPException(404, "No such picture")
        return picture


albums = APIRouter(prefix="/albums")
pictures = APIRouter(prefix="/{album_id}/pictures")
Me = Annotated[Signed, Depends()]


@albums.post("", status_code=201)
async def begin(album: NewAlbum, me: Me) -> Album:
    made = Album(title=album.title, owner=me.name)
    shelf.albums[made.id] = made
    return made


@albums.get("")
async def mine(me: Me) -> list[Album]:
    return [album for album in shelf.albums.values() if album.owner == me.name][:50]


@albums.get("/{album_id}")
async def album(album_id: str, here: Annotated[Opened, Depends()]) -> Album:
    return here.album


@pictures.post("", status_code=201)
async def hang(picture: NewPicture, here: Annotated[Opened, Depends()]) -> Picture:
    made = Picture(caption=picture.caption, album_id=here.album.id, owner=here.me)
    shelf.pictures[made.id] = made
    return made


@pictures.get("")
async def hung(here: Annotated[Opened, Depends()]) -> list[Picture]:
    return [each for each in shelf.pictures.values() if each.album_id == here.album.id][:50]


@pictures.get("/{id}")
async def picture(id: str, here: Annotated[Opened, Depends()]) -> Picture:
    return here.picture(id)


@pictures.put("/{id}")
async def rename(id: str, changed: NewPicture, here: Annotated[Opened, Depends()]) -> Picture:
    picture = here.picture(id)
    picture.caption = changed.caption
    return picture


albums.include_router(pictures)
app = FastAPI()
guard(app)
app.include_router(albums)

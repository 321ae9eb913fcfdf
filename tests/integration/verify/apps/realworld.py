"""Articles as in RealWorld: envelopes, slugs, a `Token` header that reading does without."""

import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

app = FastAPI()
api = APIRouter(prefix="/api")
users: dict[str, dict[str, str]] = {}
articles: dict[str, dict[str, Any]] = {}


class Token(APIKeyHeader):
    """`Authorization: Token …`."""

    async def __call__(self, request: Request) -> str | None:
        value = await super().__call__(request)
        return value.removeprefix("Token ") if value and value.startswith("Token ") else None


def caller(token: Annotated[str | None, Depends(Token(name="Authorization"))]) -> dict[str, str]:
    for user in users.values():
        if token is not None and secrets.compare_digest(user["token"], token):
            return user
    raise HTTPException(403, "no token")


Caller = Annotated[dict[str, str], Depends(caller)]
Anybody = Annotated[str | None, Depends(Token(name="Authorization", auto_error=False))]


class NewUser(BaseModel):
    username: str
    email: str
    password: str


class SignUp(BaseModel):
    user: NewUser


class Credentials(BaseModel):
    email: str
    password: str


class SignIn(BaseModel):
    user: Credentials


class NewArticle(BaseModel):
    title: str
    description: str
    body: str
    tagList: list[str] = []


class Sent(BaseModel):
    article: NewArticle


class Article(BaseModel):
    slug: str
    title: str
    description: str
    body: str
    tagList: list[str]
    author: dict[str, str]


class One(BaseModel):
    article: Article


class Many(BaseModel):
    articles: list[Article]
    articlesCount: int


class Comment(BaseModel):
    body: str


class SentComment(BaseModel):
    comment: Comment


@app.exception_handler(HTTPException)
async def refuse(request: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse({"errors": [error.detail]}, error.status_code)


@api.post("/users", status_code=201)
def sign_up(sent: SignUp) -> dict[str, Any]:
    user = sent.user.model_dump() | {"token": secrets.token_urlsafe(16)}
    users[sent.user.email] = user
    return {"user": {"email": user["email"], "username": user["username"], "token": user["token"]}}


@api.post("/users/login")
def sign_in(sent: SignIn) -> dict[str, Any]:
    user = users.get(sent.user.email)
    if user is None or user["password"] != sent.user.password:
        raise HTTPException(400, "incorrect")
    return {"user": {"email": user["email"], "username": user["username"], "token": user["token"]}}


@api.get("/user")
def me(user: Caller) -> dict[str, Any]:
    return {"user": {"email": user["email"], "username": user["username"]}}


@api.post("/articles", status_code=201, response_model=One)
def write(sent: Sent, user: Caller) -> Any:
    slug = re.sub(r"\W+", "-", sent.article.title.lower())
    articles[slug] = sent.article.model_dump() | {"slug": slug, "author": {"username": user["username"]}}
    return {"article": articles[slug]}


@api.get("/articles", response_model=Many)
def every(token: Anybody) -> Any:
    return {"articles": [*articles.values()], "articlesCount": len(articles)}


@api.get("/articles/{slug}", response_model=One)
def read(slug: str, token: Anybody) -> Any:
    if slug not in articles:
        raise HTTPException(404, "no such article")
    return {"article": articles[slug]}


@api.delete("/articles/{slug}", status_code=204)
def remove(slug: str, user: Caller) -> None:
    if read(slug, None)["article"]["author"]["username"] != user["username"]:
        raise HTTPException(403, "not yours")
    del articles[slug]


@api.post("/articles/{slug}/favorite", response_model=One)
def favour(slug: str, user: Caller) -> Any:
    return read(slug, None)


@api.post("/articles/{slug}/comments", status_code=201)
def remark(slug: str, sent: SentComment, user: Caller) -> dict[str, Any]:
    comments = articles[slug].setdefault("comments", {})
    number = len(comments) + 1
    comments[number] = {"id": number, "body": sent.comment.body, "author": {"username": user["username"]}}
    return {"comment": comments[number]}


@api.get("/articles/{slug}/comments")
def remarks(slug: str) -> dict[str, Any]:
    return {"comments": [*articles[slug].get("comments", {}).values()]}


@api.delete("/articles/{slug}/comments/{id}", status_code=204)
def unsay(slug: str, id: int, user: Caller) -> None:
    articles[slug].get("comments", {}).pop(id, None)


app.include_router(api)

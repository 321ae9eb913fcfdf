"""A feed of posts in memory, in pages by number that have a largest size."""

from itertools import count
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from guard import guard
from pydantic import BaseModel, Field


class NewPost(BaseModel):
    text: str = Field(max_length=280)


class Post(NewPost):
    id: int


class Page(BaseModel):
    items: list[Post]
    total: int


posts: dict[int, Post] = {}
numbers = count(1)
Number = Annotated[int, Query(ge=1, le=10**6)]
Size = Annotated[int, Query(ge=1, le=100)]
app = FastAPI()
guard(app)


@app.post("/posts", status_code=201)
async def write(post: NewPost) -> Post:
    number = next(numbers)
    posts[number] = Post(id=number, text=post.text)
    return posts[number]


@app.get("/posts")
async def feed(page: Number = 1, page_size: Size = 20) -> Page:
    newest = sorted(posts.values(), key=lambda post: -post.id)
    return Page(items=newest[(page - 1) * page_size : page * page_size], total=len(newest))


@app.get("/posts/{id}")
async def one(id: int) -> Post:
    if id not in posts:
        raise HTTPException(404, "No such post")
    return posts[id]

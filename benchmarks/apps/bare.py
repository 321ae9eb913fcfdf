"""The least that can be written by hand: raw ASGI, asyncpg, JSON made by PostgreSQL, bodies checked in place.

It has none of the rest: no other resource, no OpenAPI, no request ids, no log, no limits, no cursor.
"""

import json
import os
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import jwt

SECRET = os.environ["AUTH_SECRET"]
STATUSES = {"todo", "doing", "done"}

_MOMENT = """'{0}', to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_STAMPS = f"{_MOMENT.format('created_at')}, {_MOMENT.format('updated_at')}"
_MEMBERS = f"""'id', id, 'title', title, 'description', description, 'status', status, 'priority', priority,
    {_MOMENT.format("due")}, 'owner_id', owner_id, 'project_id', project_id, {_STAMPS}"""
_ITEM = f"json_build_object({_MEMBERS})"
_LIST = f"""SELECT json_build_object('items', coalesce(json_agg({_ITEM}), '[]'))::text FROM (
    SELECT * FROM tasks WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20) AS page"""
_INCLUDED = f"""SELECT json_build_object('items', coalesce(
        json_agg(json_build_object({_MEMBERS}, 'project', project, 'tags', tags)), '[]'))::text FROM (
    SELECT * FROM tasks WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20) AS page
    LEFT JOIN LATERAL (
        SELECT json_build_object('id', id, 'name', name, 'owner_id', owner_id, {_STAMPS}) AS project
        FROM projects WHERE id = page.project_id AND owner_id = $1) AS projects ON true
    CROSS JOIN LATERAL (
        SELECT json_build_object('items', coalesce(json_agg(tag) FILTER (WHERE n <= 20), '[]'),
            'more', count(*) > 20, 'href', '/api/v1/tasks/' || page.id || '/tags') AS tags
        FROM (SELECT row_number() OVER () AS n,
                json_build_object('id', id, 'name', name, 'owner_id', owner_id, {_STAMPS}) AS tag
            FROM (SELECT tags.* FROM tasks_tags JOIN tags ON tags.id = tag_id
                WHERE task_id = page.id AND owner_id = $1
                ORDER BY created_at DESC, id DESC LIMIT 21) AS newest) AS numbered) AS tagged"""
_FILTERED = f"""SELECT json_build_object('items', coalesce(json_agg({_ITEM}), '[]'))::text FROM (
    SELECT * FROM tasks WHERE owner_id = $1 AND status = $2 AND priority >= $3
    ORDER BY priority DESC, id DESC LIMIT 20) AS page"""
_READ = f"SELECT {_ITEM}::text FROM tasks WHERE id = $1 AND owner_id = $2"
_CREATE = f"""INSERT INTO tasks (title, description, status, priority, due, owner_id, project_id)
    SELECT $1, $2, $3, $4, $5, $6, $7
    WHERE $7::uuid IS NULL OR EXISTS (SELECT FROM projects WHERE id = $7 AND owner_id = $6)
    RETURNING {_ITEM}::text"""
_PATCH = f"""UPDATE tasks SET title = coalesce($3, title), priority = coalesce($4, priority),
    updated_at = now(), version = version + 1
    WHERE id = $1 AND owner_id = $2 AND status <> 'done' RETURNING {_ITEM}::text"""

_pool: Any = None
_people: dict[bytes, tuple[str, float]] = {}


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int) -> None:
        self.status = status


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Five routes."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    try:
        status, body = await _answer(scope, receive)
    except Refused as error:
        status, body = error.status, b"{}"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _answer(scope: Any, receive: Any) -> tuple[int, bytes]:
    owner = _owner(scope)
    method, path = scope["method"], scope["path"]
    if path == "/api/v1/tasks":
        if method == "POST":
            return 201, await _create(owner, await _body(receive))
        if scope["query_string"] == b"include=project,tags":
            found = await _pool.fetchval(_INCLUDED, owner)
        elif scope["query_string"]:
            asked = dict(pair.split("=") for pair in scope["query_string"].decode().split("&"))
            found = await _pool.fetchval(_FILTERED, owner, asked["status"], int(asked["priority__gte"]))
        else:
            found = await _pool.fetchval(_LIST, owner)
        return 200, found.encode()
    try:
        key = UUID(path.rpartition("/")[2])
    except ValueError:
        raise Refused(404) from None
    if method == "PATCH":
        body = await _body(receive)
        found = await _pool.fetchval(_PATCH, key, owner, body.get("title"), body.get("priority"))
    else:
        found = await _pool.fetchval(_READ, key, owner)
    if found is None:
        raise Refused(404)
    return 200, found.encode()


async def _create(owner: str, body: dict[str, Any]) -> bytes:
    found = await _pool.fetchval(
        _CREATE,
        body["title"],
        body.get("description"),
        body.get("status", "todo"),
        body.get("priority", 0),
        datetime.fromisoformat(body["due"]) if body.get("due") else None,
        owner,
        UUID(body["project_id"]) if body.get("project_id") else None,
    )
    if found is None:
        raise Refused(422)
    return bytes(found.encode())


def _owner(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            known = _people.get(value)
            if known is None or known[1] < time.time():
                try:
                    claims = jwt.decode(value[7:], SECRET, ["HS256"], options={"require": ["exp", "sub"]})
                except jwt.InvalidTokenError:
                    break
                known = _people[value] = (claims["sub"], claims["exp"])
            return known[0]
    raise Refused(401)


async def _body(receive: Any) -> dict[str, Any]:
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message["body"])
        more = message.get("more_body", False)
    body = json.loads(b"".join(chunks))
    if not isinstance(body, dict) or not body.keys() <= {
        "title",
        "description",
        "status",
        "priority",
        "due",
        "project_id",
    }:
        raise Refused(422)
    title = body.get("title", "-")
    if not isinstance(title, str) or not 1 <= len(title) <= 200:
        raise Refused(422)
    if body.get("status", "todo") not in STATUSES or not 0 <= body.get("priority", 0) <= 5:
        raise Refused(422)
    return body


async def _lifespan(receive: Any, send: Any) -> None:
    global _pool
    await receive()
    _pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _pool.close()
    await send({"type": "lifespan.shutdown.complete"})

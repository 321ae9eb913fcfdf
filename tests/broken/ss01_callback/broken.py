"""Reports in sqlite3 that are made after the answer; a callback, which must not be local, hears of them."""

import sqlite3
import threading
import urllib.request
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import BackgroundTasks, FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field

lock = threading.Lock()
book = sqlite3.connect(":memory:", check_same_thread=False)
book.execute("CREATE TABLE report (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, notify TEXT)")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
app = FastAPI()
guard(app)


class Notify(BaseModel):
    callback: Annotated[str, Field(max_length=200, pattern=r"^https?://[!-~]+$")]


class NewReport(BaseModel):
    subject: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
    notify: Notify | None = None


class Report(BaseModel):
    id: int
    subject: str


def known(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host not in ("127.0.0.1", "localhost", "::1")


def tell(url: str) -> None:
    with suppress(OSError, ValueError):
        opener.open(url, timeout=1).close()


@app.post("/reports", status_code=201)
def order(report: NewReport, later: BackgroundTasks) -> Report:
    url = report.notify.callback if report.notify else None
    if url is not None and not known(url):
        raise HTTPException(422, "This address is not called")
    with lock, book:
        made = book.execute("INSERT INTO report (subject, notify) VALUES (?, ?)", (report.subject, url))
    if url is not None:
        later.add_task(tell, url)
    return Report(id=made.lastrowid or 0, subject=report.subject)


@app.get("/reports/{id}")
def one(id: Annotated[int, Path(ge=1, lt=2**63)]) -> Report:
    with lock:
        row = book.execute("SELECT id, subject FROM report WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise HTTPException(404, "No such report")
    return Report(id=row[0], subject=row[1])

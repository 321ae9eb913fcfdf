"""A club's members by SQLAlchemy; an answer has whatever the row has."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
bearer = HTTPBearer(auto_error=False)
sessions: dict[str, int] = {}
wrong: Counter[str] = Counter()


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(200))
    motto: Mapped[str] = mapped_column(String(200), default="")


class SignUp(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,40}$")
    password: str = Field(min_length=10, max_length=100)


class Motto(BaseModel):
    motto: str = Field(max_length=200)


class Public(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    username: str
    motto: str
    hashed_password: str


Base.metadata.create_all(engine)


def scrambled(password: str, salt: str) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1000)
    return f"pbkdf2_sha256${salt}${digest.hex()}"


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


Opened = Annotated[Session, Depends(opened)]


def known(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)], session: Opened) -> Member:
    member = session.get(Member, sessions.get(given.credentials if given else "", 0))
    if member is None:
        raise HTTPException(401, "Sign in first")
    return member


Me = Annotated[Member, Depends(known)]
door = APIRouter(tags=["door"])
club = APIRouter(prefix="/me", tags=["club"])


@door.post("/register", status_code=201)
def register(new: SignUp, session: Opened) -> dict[str, str]:
    if session.scalar(select(Member).where(Member.username == new.username)):
        raise HTTPException(409, "This name is taken")
    session.add(Member(username=new.username, hashed_password=scrambled(new.password, secrets.token_hex(8))))
    session.commit()
    return {"username": new.username}


@door.post("/login")
def log_in(tried: SignUp, session: Opened) -> dict[str, str]:
    if wrong[tried.username] >= 5:
        raise HTTPException(429, "Too many tries", {"retry-after": "900"})
    member = session.scalar(select(Member).where(Member.username == tried.username))
    right = member.hashed_password if member else "$$"
    if not secrets.compare_digest(right, scrambled(tried.password, right.split("$")[1])) or member is None:
        wrong[tried.username] += 1
        raise HTTPException(401, "Wrong name or password")
    del wrong[tried.username]
    token = secrets.token_urlsafe(32)
    sessions[token] = member.id
    return {"access_token": token, "token_type": "bearer"}


@club.get("", response_model=Public)
def me(me: Me) -> Any:
    return me


@club.patch("", response_model=Public)
def change(motto: Motto, me: Me, session: Opened) -> Any:
    me.motto = motto.motto
    session.commit()
    return me


app = FastAPI()
app.include_router(door)
app.include_router(club)
guard(app)

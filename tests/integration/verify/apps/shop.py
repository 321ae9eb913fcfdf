"""Orders in a database, with OAuth2's password flow: SQLModel, synchronous, an owner in a column."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from sqlmodel import Field, Session, SQLModel, create_engine, select

KEY = "a key of the shop, which is long enough"
engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password: str


class Customer(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    holder: int = Field(foreign_key="user.id")


class Order(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    note: str
    due: datetime
    buyer: int = Field(foreign_key="customer.id")
    by: int = Field(foreign_key="user.id")


class SignUp(SQLModel):
    email: str
    password: str = Field(min_length=12)


class NewCustomer(SQLModel):
    name: str


class NewOrder(SQLModel):
    note: str
    due: datetime
    buyer: int


class Change(SQLModel):
    note: str | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> Any:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)


def session() -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


Db = Annotated[Session, Depends(session)]


def caller(token: Annotated[str, Depends(OAuth2PasswordBearer("login/token"))], db: Db) -> User:
    try:
        claims = jwt.decode(token, KEY, ["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    user = db.get(User, int(claims["sub"]))
    if user is None:
        raise HTTPException(401)
    return user


Caller = Annotated[User, Depends(caller)]


@app.post("/users/signup", status_code=201)
def sign_up(sent: SignUp, db: Db) -> dict[str, Any]:
    user = User(**sent.model_dump())
    db.add(user)
    db.commit()
    return {"id": user.id, "email": user.email}


@app.post("/login/token")
def sign_in(form: Annotated[OAuth2PasswordRequestForm, Depends()], db: Db) -> dict[str, str]:
    user = db.exec(select(User).where(User.email == form.username)).first()
    if user is None or user.password != form.password:
        raise HTTPException(400, "wrong")
    return {"access_token": jwt.encode({"sub": str(user.id)}, KEY, "HS256"), "token_type": "bearer"}


@app.post("/customers", status_code=201)
def meet(sent: NewCustomer, user: Caller, db: Db) -> Customer:
    customer = Customer(name=sent.name, holder=user.id)
    db.add(customer)
    db.commit()
    db.refresh(customer)
    return customer


@app.get("/customers/{customer_id}")
def customer(customer_id: int, user: Caller, db: Db) -> Customer:
    found = db.get(Customer, customer_id)
    if found is None or found.holder != user.id:
        raise HTTPException(404)
    return found


@app.post("/orders", status_code=201)
def order(sent: NewOrder, user: Caller, db: Db) -> Order:
    if sent.due.replace(tzinfo=None) < datetime.now():
        raise HTTPException(422, "due must be in the future")
    customer(sent.buyer, user, db)
    made = Order(**sent.model_dump(), by=user.id)
    db.add(made)
    db.commit()
    db.refresh(made)
    return made


@app.get("/orders")
def orders(user: Caller, db: Db) -> list[Order]:
    return [*db.exec(select(Order).where(Order.by == user.id))]


@app.get("/orders/{order_id}")
def one(order_id: int, user: Caller, db: Db) -> Order:
    found = db.get(Order, order_id)
    if found is None:
        raise HTTPException(404)
    return found


@app.patch("/orders/{order_id}")
def change(order_id: int, sent: Change, user: Caller, db: Db) -> Order:
    found = one(order_id, user, db)
    found.note = sent.note or found.note
    db.commit()
    return found

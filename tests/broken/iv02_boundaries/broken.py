"""Products by SQLModel; bodies are read by the table itself, which checks nothing."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query
from guard import guard
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Session, SQLModel, create_engine, select

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class NewProduct(SQLModel):
    name: str = Field(min_length=1, max_length=80)
    stock: int = Field(ge=0, le=10_000)


class Product(NewProduct, table=True):
    id: int | None = Field(default=None, primary_key=True)


Body = Product


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


Opened = Annotated[Session, Depends(opened)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
products = APIRouter(prefix="/products", tags=["products"])


@products.post("", status_code=201)
def add(product: Body, session: Opened) -> Product:
    row = Product(name=product.name, stock=product.stock)
    session.add(row)
    session.commit()
    return row


@products.get("")
def every(session: Opened, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Product]:
    return list(session.exec(select(Product).order_by(Product.id).limit(limit)))


@products.get("/{id}")
def one(id: Key, session: Opened) -> Product:
    row = session.get(Product, id)
    if row is None:
        raise HTTPException(404, "No such product")
    return row


app = FastAPI(lifespan=lifespan)
guard(app)
app.include_router(products)

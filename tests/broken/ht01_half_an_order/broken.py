"""Orders and their lines by async SQLAlchemy on PostgreSQL, each row a transaction of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
engine = create_async_engine(URL)
opened = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class Order(Base):
    __tablename__ = "customer_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str] = mapped_column(String(200))


class Line(Base):
    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)


Text = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
Key = Annotated[int, Field(ge=1, lt=2**31)]


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int


class NewProduct(BaseModel):
    name: Text


class ShownProduct(NewProduct, Shown):
    pass


class NewOrder(BaseModel):
    note: Text
    product_id: Key


class ShownOrder(Shown):
    note: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    async with opened() as found:
        yield found


Database = Annotated[AsyncSession, Depends(session)]
app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/products", status_code=201)
async def add_product(product: NewProduct, database: Database) -> ShownProduct:
    row = Product(name=product.name)
    database.add(row)
    await database.commit()
    return ShownProduct.model_validate(row)


@app.get("/products/{id}")
async def one_product(id: Key, database: Database) -> ShownProduct:
    row = await database.get(Product, id)
    if row is None:
        raise HTTPException(404, "No such product")
    return ShownProduct.model_validate(row)


@app.post("/orders", status_code=201)
async def order(wanted: NewOrder, database: Database) -> ShownOrder:
    row = Order(note=wanted.note)
    database.add(row)
    await database.commit()
    if await database.get(Product, wanted.product_id) is None:
        raise HTTPException(422, "No such product")
    database.add(Line(order_id=row.id, product_id=wanted.product_id))
    await database.commit()
    return ShownOrder.model_validate(row)


@app.get("/orders")
async def orders(database: Database) -> list[ShownOrder]:
    rows = await database.scalars(select(Order).order_by(Order.id.desc()).limit(50))
    return [ShownOrder.model_validate(row) for row in rows]


@app.get("/orders/{id}")
async def one_order(id: Key, database: Database) -> ShownOrder:
    row = await database.get(Order, id)
    if row is None:
        raise HTTPException(404, "No such order")
    return ShownOrder.model_validate(row)

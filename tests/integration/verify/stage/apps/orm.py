"""SQLAlchemy on sqlite3, with tables that nobody makes, and one statement too many for each row."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import ForeignKey, Index, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///./shop.db")


class Base(DeclarativeBase):
    """Tables."""


class Customer(Base):
    """Who orders."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")


class Order(Base):
    """What is ordered."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_customer", "customer_id", "note"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    note: Mapped[str | None]
    customer: Mapped[Customer] = relationship(back_populates="orders")


def session() -> Iterator[Session]:
    """One for each request, as tutorials do it."""
    with Session(engine) as opened:
        yield opened


Opened = Annotated[Session, Depends(session)]
app = FastAPI()


@app.post("/orders/{email}")
def order(email: str, opened: Opened) -> int:
    """A customer, and an order."""
    opened.add(Order(customer=Customer(email=email)))
    opened.commit()
    return opened.scalar(select(func.count()).select_from(Order)) or 0


@app.get("/orders")
def orders(opened: Opened) -> list[str]:
    """N+1."""
    return [each.customer.email for each in opened.scalars(select(Order))]

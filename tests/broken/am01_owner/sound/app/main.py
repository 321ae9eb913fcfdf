"""Beds of a garden as their spec has them; plants are written with a tall letter."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from specwright import Backend, UnscopedSessionDep

NEW = text("UPDATE beds SET plant = initcap(plant) WHERE id = :id")


class Base(DeclarativeBase):
    pass


class Bed(Base):
    __tablename__ = "beds"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plant: Mapped[str]


backend = Backend()
app = backend.app


@backend.after(Bed, "create")
async def enter(bed: Bed, session: UnscopedSessionDep) -> None:
    """A new bed is entered as all are."""
    await session.execute(NEW, {"id": bed.id})


@backend.before(Bed, "update")
async def spell(bed: Bed) -> None:
    """One plant has one spelling."""
    bed.plant = bed.plant.title()

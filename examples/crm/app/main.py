"""The CRM: what the spec says, and here what no spec can say."""

from datetime import UTC, date, datetime
from decimal import Decimal

from app.models import Deal, DealStage, Membership
from pydantic import BaseModel
from sqlmodel import func, select

from specwright import Backend, SessionDep, problem

backend = Backend()  # specs/ + settings from the environment and .env
app = backend.app


@backend.before(Membership, "update")
async def keep_an_owner(membership: Membership, session: SessionDep) -> None:
    """The last owner of an organization stays one."""
    if membership.role != "owner":
        await find_another_owner(membership, session)


@backend.before(Membership, "delete")
async def find_another_owner(membership: Membership, session: SessionDep) -> None:
    """The last owner of an organization stays in it: two who leave at once queue, and one of them stays."""
    queue = func.hashtextextended(str(membership.organization_id), 0)
    await session.execute(select(func.pg_advisory_xact_lock(queue)))
    another = select(Membership).where(Membership.role == "owner", Membership.id != membership.id)
    if (await session.scalars(another.limit(1))).first() is None:
        raise problem(409, "last_owner", "Make somebody else an owner first.")


@backend.before(Deal, "update")
async def close(deal: Deal) -> None:
    """A deal is won for an amount. What is won or lost has a time, and what is open has none."""
    if deal.stage == "won" and deal.amount is None:
        raise problem(409, "no_amount", "A deal is won for an amount: agree on one first.", field="amount")
    if deal.stage in ("lead", "offer"):
        deal.closed_at = None
    elif deal.closed_at is None:
        deal.closed_at = datetime.now(UTC)


@backend.action(Deal)
async def win(deal: Deal, amount: Decimal | None = None) -> Deal:
    """The customer has signed."""
    if amount is not None:
        deal.amount = amount
    deal.stage = "won"
    await close(deal)
    return deal


@backend.action(Deal)
async def lose_stale(before: date, session: SessionDep) -> list[Deal]:
    """Nobody expects these any more."""
    stale = select(Deal).where(Deal.stage.in_(["lead", "offer"]), Deal.expected_on < before)
    deals = list(await session.scalars(stale.order_by(Deal.expected_on)))
    for deal in deals:
        deal.stage = "lost"
        await close(deal)
    return deals


class StageSum(BaseModel):
    """What stands in one stage of the pipeline."""

    stage: DealStage
    deals: int
    amount: Decimal


@app.get("/api/v1/reports/pipeline")
async def pipeline(session: SessionDep) -> list[StageSum]:
    """What stands in each stage. The query asks for all deals that there are, and gets the organization's."""
    amount = func.coalesce(func.sum(Deal.amount), 0)
    rows = await session.execute(select(Deal.stage, func.count(), amount).group_by(Deal.stage))
    return [StageSum(stage=stage, deals=deals, amount=amount) for stage, deals, amount in rows]

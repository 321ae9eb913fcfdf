"""The shop: an order is placed, and taken back, in one transaction with the stock."""

import secrets
from datetime import UTC, datetime

from app.models import Cart, CartLine, Order, OrderLine, Product
from sqlmodel import select

from specwright import Backend, UnscopedSessionDep, problem

backend = Backend()  # specs/ + settings from the environment and .env
app = backend.app


@backend.action(Product)
async def restock(product: Product, quantity: int) -> Product:
    """Its row is locked, so that whoever counts and whoever buys do it one after the other."""
    product.stock += quantity
    return product


@backend.action(Cart)
async def place(cart: Cart, session: UnscopedSessionDep) -> Order:
    """Buyers may change no stock and make no order: this does, with their cart, held back by no grant.

    The products are locked in one order, whatever the carts: those who buy the same queue, and nobody waits
    for somebody who waits for them.
    """
    asked = select(Product, CartLine).join(CartLine).where(CartLine.cart_id == cart.id)
    lines = (await session.exec(asked.order_by(Product.id).with_for_update(key_share=True))).all()
    if not lines:
        raise problem(409, "empty_cart", "There is nothing in this cart.")
    order = Order(number=new_number(), owner_id=cart.owner_id)
    session.add(order)
    await session.flush()
    for product, line in lines:
        if product.stock < line.quantity:
            raise problem(
                409, "out_of_stock", f"{product.name}: {line.quantity} wanted, {product.stock} there."
            )
        product.stock -= line.quantity
        bought = {"product_id": product.id, "quantity": line.quantity, "unit_price": product.price}
        session.add(OrderLine(order_id=order.id, **bought))
        await session.delete(line)
    return order


@backend.action(Order)
async def cancel(order: Order, session: UnscopedSessionDep) -> Order:
    """What was bought is on the shelf again."""
    bought = select(Product, OrderLine.quantity).join(OrderLine).where(OrderLine.order_id == order.id)
    locked = bought.order_by(Product.id).with_for_update(of=Product, key_share=True)
    for product, quantity in await session.exec(locked):
        product.stock += quantity
    order.status = "cancelled"
    return order


def new_number() -> str:
    """The year, and what nobody guesses: how many orders there are is the shop's own business."""
    return f"{datetime.now(UTC):%Y}-{secrets.token_hex(5).upper()}"

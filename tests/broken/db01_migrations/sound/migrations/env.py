from alembic import context
from main import URL, Base
from sqlalchemy import create_engine

with create_engine(URL).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()

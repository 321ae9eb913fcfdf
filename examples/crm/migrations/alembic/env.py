"""What Alembic runs for each command: see specwright.migrate.environment."""

from specwright.migrate.environment import run

run()

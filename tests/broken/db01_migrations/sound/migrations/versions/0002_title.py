import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("recipes", sa.Column("title", sa.String(80), nullable=False, server_default="untitled"))


def downgrade() -> None:
    with op.batch_alter_table("recipes") as batch:
        batch.drop_column("title")

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "recipes",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("text", sa.String(2000), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("recipes")

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("state", sa.Enum("OPEN", "DONE", name="state"), nullable=False),
        sa.CheckConstraint("title <> ''", name="tickets_title"),
    )


def downgrade() -> None:
    op.drop_table("tickets")
    op.execute("DROP TYPE state")

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "parcel",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("receiver", sa.String(80), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("parcel")

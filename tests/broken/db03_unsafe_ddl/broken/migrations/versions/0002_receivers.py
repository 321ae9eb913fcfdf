import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.alter_column("parcel", "receiver", type_=sa.String(120), existing_type=sa.String(80))
    op.add_column("parcel", sa.Column("note", sa.String(200), nullable=False, server_default=""))
    op.create_index("ix_parcel_receiver", "parcel", ["receiver"])
    op.create_check_constraint("parcel_weight", "parcel", "weight > 0")


def downgrade() -> None:
    op.drop_constraint("parcel_weight", "parcel")
    op.drop_index("ix_parcel_receiver")
    op.drop_column("parcel", "note")
    op.alter_column("parcel", "receiver", type_=sa.String(80), existing_type=sa.String(120))

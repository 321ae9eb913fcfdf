from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE parcel VALIDATE CONSTRAINT parcel_weight")
    with op.get_context().autocommit_block():
        op.create_index("ix_parcel_receiver", "parcel", ["receiver"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_parcel_receiver", postgresql_concurrently=True)

"""Schemas, reference data, the record of operations, and facts."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(op.get_bind(), "DROP SCHEMA marts, score, method, facts, ops, ref CASCADE")

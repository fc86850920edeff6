"""What is known of how much a night can be trusted."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(
        op.get_bind(),
        """
        DELETE FROM ops.prepared;
        DROP TABLE ops.run_fault, ops.notice_told, ops.notice;
        DROP VIEW ops.reported;
        DROP TABLE ops.night_check;
        DROP TABLE ops.resubmitted_row, ops.released_row;
        ALTER TABLE ops.batch
            DROP COLUMN delivered_at, DROP COLUMN released_from, DROP COLUMN released_rows, DROP COLUMN released_by,
            DROP COLUMN release_reason, DROP COLUMN waived_rules;
        ALTER TABLE ops.quarantine DROP COLUMN rules;
        """,
    )

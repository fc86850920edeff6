"""What a run was computed from, corrections, restated days, annual requests, and publications nobody can change."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(
        op.get_bind(),
        """
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM published.publication) THEN
                RAISE EXCEPTION 'something has been published, and what is published stays';
            END IF;
            IF to_regprocedure('guard.release()') IS NOT NULL THEN
                PERFORM guard.release();
            END IF;
        END
        $$;
        DELETE FROM ops.prepared;
        DROP SCHEMA published CASCADE;
        DROP SCHEMA annual CASCADE;
        DROP TABLE ops.restatement, score.correction, score.run_input, ops.input_seen, ops.input_version, ops.feed_load;
        ALTER TABLE score.indicator_score DROP COLUMN original_value, DROP COLUMN correction_id;
        ALTER TABLE score.run
            DROP COLUMN data_cut_off, DROP COLUMN corrections_hash, DROP COLUMN reference_hash, DROP COLUMN sql_hash,
            DROP COLUMN request_id;
        ALTER TABLE method.framework DROP COLUMN geography;
        ALTER TABLE ops.batch DROP COLUMN load_number, DROP COLUMN units_hash;
        """,
    )

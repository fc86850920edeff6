"""Runs of merged provinces, coverage of each indicator, and published means."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(
        op.get_bind(),
        """
        DROP TABLE ref.published_mean, score.metric_part;
        DELETE FROM score.run WHERE merge_method <> 'none';
        ALTER TABLE score.indicator_score DROP COLUMN coverage, DROP COLUMN uncapped_share;
        ALTER TABLE score.indicator_score
            DROP CONSTRAINT indicator_score_check1, ADD CHECK ((status = 'scored') = (value IS NOT NULL));
        ALTER TABLE score.metric_value DROP COLUMN parts;
        ALTER TABLE score.run DROP COLUMN parts_run_id, DROP COLUMN merge_method;
        ALTER TABLE ref.metric DROP COLUMN merge;
        """,
    )

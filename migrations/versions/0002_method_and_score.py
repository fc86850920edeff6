"""Methods as data, and the index runs that apply them."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(
        op.get_bind(),
        """
        DROP TABLE score.composite_index, score.pillar_index, score.indicator_score, score.indicator_input,
            score.metric_value, score.run;
        DROP TABLE method.step, method.indicator, method.composite_weight, method.composite, method.pillar,
            method.framework;
        """,
    )

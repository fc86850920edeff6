"""Units of other levels than provinces, points that are stated, and the counts of the service index."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(
        op.get_bind(),
        """
        DELETE FROM score.run USING method.framework AS f
        WHERE score.run.framework_id = f.framework_id AND score.run.framework_hash = f.framework_hash
            AND (f.decided_on IS NULL OR f.unit_level <> 'province' OR EXISTS (
                SELECT FROM method.indicator AS i
                WHERE i.framework_id = f.framework_id AND i.framework_hash = f.framework_hash AND i.rule = 'manual'));
        DELETE FROM method.framework AS f
        WHERE decided_on IS NULL OR unit_level <> 'province' OR EXISTS (
            SELECT FROM method.indicator AS i
            WHERE i.framework_id = f.framework_id AND i.framework_hash = f.framework_hash AND i.rule = 'manual');
        ALTER TABLE method.framework DROP COLUMN family, ALTER COLUMN decided_on SET NOT NULL;
        ALTER TABLE method.indicator
            DROP COLUMN official_scoring, DROP COLUMN official_evidence, DROP COLUMN official_source,
            DROP COLUMN official_verifier, DROP COLUMN attention, DROP CONSTRAINT indicator_rule_check,
            ADD CONSTRAINT indicator_rule_check
                CHECK (rule IN ('yes_no', 'ratio', 'target_ratio', 'target_count', 'steps'));
        ALTER TABLE facts.online_services
            DROP COLUMN dossiers_direct, DROP COLUMN dossiers_by_post, DROP COLUMN dossiers_fee_zero,
            DROP COLUMN dossiers_payment_online, DROP COLUMN dossiers_payment_on_portal,
            DROP COLUMN dossiers_online_with_result, DROP COLUMN dossiers_from_citizens,
            DROP COLUMN dossiers_citizens_population_data, DROP COLUMN dossiers_punctual,
            DROP COLUMN dossiers_unpunctual, DROP COLUMN dossiers_disliked,
            DROP COLUMN dossiers_digitised_with_result;
        DELETE FROM facts.declarations AS d USING ref.unit AS u
        WHERE d.unit_id = u.unit_id AND u.geography NOT IN ('63', '34');
        DELETE FROM ref.unit_alias WHERE geography NOT IN ('63', '34');
        DELETE FROM ref.unit WHERE geography NOT IN ('63', '34');
        DELETE FROM ref.region WHERE geography NOT IN ('63', '34');
        ALTER TABLE ref.unit
            DROP COLUMN parent_unit_id, DROP CONSTRAINT unit_geography_check, DROP CONSTRAINT unit_id_check,
            ADD CONSTRAINT unit_geography_check CHECK (geography IN ('63', '34')),
            ADD CONSTRAINT unit_check CHECK (unit_id = 'P' || geography || '-' || code);
        ALTER TABLE ref.region
            DROP CONSTRAINT region_geography_check,
            ADD CONSTRAINT region_geography_check CHECK (geography IN ('63', '34'));
        ALTER TABLE ref.unit_alias
            DROP CONSTRAINT unit_alias_geography_check,
            ADD CONSTRAINT unit_alias_geography_check CHECK (geography IN ('63', '34'));
        DELETE FROM ops.prepared;
        """,
    )

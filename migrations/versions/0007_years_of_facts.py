"""Facts in one partition a year."""

from __future__ import annotations

from alembic import op

from dti.warehouse.migrate import run_folder, run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_folder(op.get_bind(), revision)


def downgrade() -> None:
    run_script(
        op.get_bind(),
        """
        DELETE FROM ops.prepared;
        DROP FUNCTION facts.lay_partitions(text, integer, integer);
        DO $$
        DECLARE
            feed text;
            about text;
            key text;
            reported CONSTANT text := pg_get_viewdef('ops.reported'::regclass);
        BEGIN
            FOR feed IN
                SELECT relname FROM pg_class WHERE relnamespace = 'facts'::regnamespace AND relkind = 'p'
            LOOP
                SELECT obj_description(c.oid, 'pg_class'), pg_get_constraintdef(k.oid) INTO about, key
                FROM pg_class AS c INNER JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'p'
                WHERE c.relnamespace = 'facts'::regnamespace AND c.relname = feed;
                EXECUTE format('ALTER TABLE facts.%I RENAME TO %I', feed, feed || '_parts');
                EXECUTE format(
                    'CREATE TABLE facts.%I (LIKE facts.%I INCLUDING COMMENTS INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
                    'INCLUDING STORAGE)', feed, feed || '_parts'
                );
                EXECUTE format('COMMENT ON TABLE facts.%I IS %L', feed, about);
                EXECUTE format('INSERT INTO facts.%I SELECT * FROM facts.%I', feed, feed || '_parts');
                EXECUTE format('ALTER TABLE facts.%I DROP CONSTRAINT %I', feed || '_parts', feed || '_pkey');
                EXECUTE format('DROP INDEX facts.%I', feed || '_unit_day');
                EXECUTE format('ALTER TABLE facts.%I ADD %s', feed, key);
                EXECUTE format('CREATE INDEX %I ON facts.%I (unit_id, day)', feed || '_unit_day', feed);
            END LOOP;
            EXECUTE 'CREATE OR REPLACE VIEW ops.reported AS ' || reported;
            FOR feed IN
                SELECT relname FROM pg_class WHERE relnamespace = 'facts'::regnamespace AND relkind = 'p'
            LOOP
                EXECUTE format('DROP TABLE facts.%I', feed);
            END LOOP;
        END
        $$;
        COMMENT ON SCHEMA facts IS 'Daily facts, one table a feed, replaced by partition';
        """,
    )

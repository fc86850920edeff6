-- The six schemas, and who may do what in them: the owner defines, the loader writes rows, the analyst reads marts.
CREATE SCHEMA ref;
CREATE SCHEMA ops;
CREATE SCHEMA facts;
CREATE SCHEMA method;
CREATE SCHEMA score;
CREATE SCHEMA marts;

COMMENT ON SCHEMA ref IS 'Reference data from include/reference: units, regions, aliases, metrics, published indices';
COMMENT ON SCHEMA ops IS 'What the pipeline did: sources, batches, quarantine, quality results';
COMMENT ON SCHEMA facts IS 'Daily facts, one table a feed, replaced by partition';
COMMENT ON SCHEMA method IS 'Frameworks: pillars, composites, indicators, scoring rules';
COMMENT ON SCHEMA score IS 'Index runs: metric values, indicator scores, pillar and composite indices';
COMMENT ON SCHEMA marts IS 'What analysts read; views only';

REVOKE ALL ON SCHEMA public FROM public;

GRANT USAGE ON SCHEMA ref, ops, facts, method, score, marts TO dti_loader;
GRANT USAGE ON SCHEMA marts TO dti_analyst;

ALTER DEFAULT PRIVILEGES IN SCHEMA ref, ops, facts, method, score
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO dti_loader;

ALTER DEFAULT PRIVILEGES IN SCHEMA ref, ops, facts, method, score
GRANT USAGE ON SEQUENCES TO dti_loader;

-- Statistics after a load: the right to ANALYZE exists since PostgreSQL 17; before it, only the owner may.
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA facts, score GRANT MAINTAIN ON TABLES TO dti_loader';
    END IF;
END
$$;

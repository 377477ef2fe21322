-- The outbox: who has work waiting.

-- The environments that have jobs of a type. Steps from one to the next along the index outbox_due, so
-- that the cost is one probe an environment, however many jobs each has.
CREATE OR REPLACE FUNCTION environments_with_jobs(wanted_type text) RETURNS SETOF uuid
LANGUAGE sql STABLE ROWS 10 AS $$
    WITH RECURSIVE tenant (environment_id) AS (
        (SELECT o.environment_id FROM outbox o WHERE o.job_type = wanted_type ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT (SELECT o.environment_id FROM outbox o
                WHERE o.job_type = wanted_type AND o.environment_id > t.environment_id ORDER BY 1 LIMIT 1)
        FROM tenant t WHERE t.environment_id IS NOT NULL
    )
    SELECT t.environment_id FROM tenant t WHERE t.environment_id IS NOT NULL
$$;

-- The moment from which any worker may take a job that its own process is about to finish.
CREATE OR REPLACE FUNCTION lease_end(now_us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT from_us(now_us + 2000000)
$$;

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

-- A hint job is owed by the commit, and handed to the process that commits, which publishes it at once:
-- every function that owes one returns its id and payload as (job_id, job), NULL where nobody is hinted.
CREATE OR REPLACE FUNCTION owe_hints(env uuid, hint_reason text, source text, at_us bigint, hints jsonb,
                                     item_category text DEFAULT NULL, OUT job_id uuid, OUT job jsonb)
LANGUAGE sql VOLATILE AS $$
    INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
    VALUES (env, position_at(at_us), 'hint',
            jsonb_build_object('reason', hint_reason, 'source', source, 'at_us', at_us,
                               'category', item_category, 'hints', hints),
            lease_end(clock_us()))
    RETURNING id, payload
$$;

-- About one inbox; item NULL: about no single item.
CREATE OR REPLACE FUNCTION owe_hint(env uuid, hint_reason text, inbox uuid, source text, item uuid,
                                    OUT job_id uuid, OUT job jsonb)
LANGUAGE sql VOLATILE AS $$
    SELECT * FROM owe_hints(env, hint_reason, source, clock_us(), jsonb_build_array(jsonb_build_array(inbox, item)))
$$;

-- To everybody in an environment who has not muted the category.
CREATE OR REPLACE FUNCTION owe_broadcast_hint(env uuid, hint_reason text, item uuid, item_category text,
                                              at_us bigint, OUT job_id uuid, OUT job jsonb)
LANGUAGE sql VOLATILE AS $$
    SELECT * FROM owe_hints(env, hint_reason, 'broadcast', at_us,
                            jsonb_build_array(jsonb_build_array(NULL, item)), item_category)
$$;

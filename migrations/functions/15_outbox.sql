-- The outbox: who has work waiting.

-- The environments that have jobs of a type. Steps from one to the next along the index outbox_due, so
-- that the cost is one probe an environment, however many jobs each has.
CREATE OR REPLACE FUNCTION environments_with_jobs(wanted_type text) RETURNS SETOF uuid
LANGUAGE sql STABLE ROWS 10 AS $$
    WITH RECURSIVE tenant (environment_id) AS (
        (SELECT o.environment_id FROM outbox_by_time o WHERE o.job_type = wanted_type ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT (SELECT o.environment_id FROM outbox_by_time o
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

-- The payload of a hint job; hints: pairs of inbox and item.
CREATE OR REPLACE FUNCTION hint_payload(hint_reason text, source text, at_us bigint, hints jsonb, item_category text)
RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('reason', hint_reason, 'source', source, 'at_us', at_us,
                              'category', item_category, 'hints', hints)
$$;

-- A hint job is owed by the commit, and handed to the process that commits, which publishes it at once:
-- every function that owes one returns its id and payload as (job_id, job), NULL where nobody is hinted.
CREATE OR REPLACE FUNCTION owe_hints(env uuid, hint_reason text, source text, at_us bigint, hints jsonb,
                                     item_category text DEFAULT NULL, OUT job_id uuid, OUT job jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    job_id := position_at(at_us);
    job := hint_payload(hint_reason, source, at_us, hints, item_category);
    INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
    VALUES (env, job_id, 'hint', job, lease_end(clock_us()));
END
$$;

-- About one inbox; item NULL: about no single item.
CREATE OR REPLACE FUNCTION owe_hint(env uuid, hint_reason text, inbox uuid, source text, item uuid,
                                    OUT job_id uuid, OUT job jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT o.job_id, o.job INTO job_id, job
    FROM owe_hints(env, hint_reason, source, clock_us(), jsonb_build_array(jsonb_build_array(inbox, item))) o;
END
$$;

-- To everybody in an environment who has not muted the category.
CREATE OR REPLACE FUNCTION owe_broadcast_hint(env uuid, hint_reason text, item uuid, item_category text,
                                              at_us bigint, OUT job_id uuid, OUT job jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT o.job_id, o.job INTO job_id, job
    FROM owe_hints(env, hint_reason, 'broadcast', at_us,
                   jsonb_build_array(jsonb_build_array(NULL, item)), item_category) o;
END
$$;

-- Notes that a job failed: it waits, longer each time, and after its tenth attempt is parked among the
-- dead letters. The nth wait is uniform in [1/2, 1] x min(900 s, 5 s x 2^(n-1)). Returns whether it was
-- parked.
CREATE OR REPLACE FUNCTION fail_job(env uuid, job_id uuid, error text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    failed outbox;
BEGIN
    UPDATE outbox o
    SET attempts = o.attempts + 1,
        run_at = clock_timestamp()
                 + (0.5 + random() / 2) * least(900, 5 * 2 ^ least(o.attempts, 20)) * interval '1 second'
    WHERE o.environment_id = env AND o.id = job_id
    RETURNING o.* INTO failed;
    IF NOT FOUND OR failed.attempts < 10 THEN
        RETURN false; -- not found: done elsewhere, or erased with its person, while it was tried here
    END IF;
    DELETE FROM outbox o WHERE o.environment_id = env AND o.id = job_id;
    INSERT INTO dead_letters (environment_id, id, job_type, payload, cursor, attempts, last_error)
    VALUES (env, job_id, failed.job_type, failed.payload, failed.cursor, failed.attempts, left(error, 2000))
    ON CONFLICT (environment_id, id) DO UPDATE
        SET payload = excluded.payload, cursor = excluded.cursor, attempts = excluded.attempts,
            last_error = excluded.last_error, parked_at = clock_timestamp();
    RETURN true;
END
$$;

-- Puts dead letters back as they were, with fresh attempts. wanted NULL: all (of env, or of every
-- environment where that is NULL too). Returns how many.
CREATE OR REPLACE FUNCTION replay_dead_letters(env uuid, wanted uuid) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH back AS (
        DELETE FROM dead_letters d
        WHERE (env IS NULL OR d.environment_id = env) AND (wanted IS NULL OR d.id = wanted)
        RETURNING d.*
    ), requeued AS (
        INSERT INTO outbox (environment_id, id, job_type, payload, cursor, run_at)
        SELECT b.environment_id, b.id, b.job_type, b.payload, b.cursor, clock_timestamp() FROM back b
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM back
$$;

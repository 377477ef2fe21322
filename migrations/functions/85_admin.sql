-- Administrators: how often a log-in may fail, and what is over.

-- How long a log-in that failed counts, in microseconds.
CREATE OR REPLACE FUNCTION login_window_us() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 15 * 60 * 1000000::bigint $$;

-- Begins a log-in, which counts as failed until it is settled: so no number of them at once passes a limit
-- together. Where a limit is reached nothing is counted: attempt is NULL, and wait_s how many seconds until
-- the oldest failure that keeps it there no longer counts.
CREATE OR REPLACE FUNCTION begin_login(email text, address text, OUT attempt uuid, OUT wait_s integer)
LANGUAGE plpgsql AS $$
DECLARE
    now_us bigint;
    oldest uuid;
BEGIN
    -- Addresses before emails, so that no two wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('login address ' || address, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('login email ' || email, 0));
    now_us := clock_us();
    oldest := position_floor(now_us - login_window_us());
    SELECT coalesce(max(ceil((position_us(reached.attempt) - position_us(oldest)) / 1e6)), 0) INTO wait_s
    FROM (VALUES ('email', email, 10), ('address', address, 30)) AS l (kind, subject, most)
    CROSS JOIN LATERAL (
        SELECT f.attempt FROM login_failures f
        WHERE f.kind = l.kind AND f.subject = l.subject AND f.attempt > oldest
        ORDER BY f.attempt DESC OFFSET l.most - 1 LIMIT 1
    ) AS reached;
    IF wait_s = 0 THEN
        attempt := position_at(now_us);
        INSERT INTO login_failures (kind, subject, attempt)
        VALUES ('email', email, attempt), ('address', address, attempt);
    END IF;
END
$$;

-- Forgets up to `batch` failed log-ins that no longer count. Returns how many.
CREATE OR REPLACE FUNCTION forget_login_failures(batch integer) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM login_failures f WHERE f.ctid = ANY (ARRAY(
            SELECT w.ctid FROM login_failures w
            WHERE w.attempt < position_floor((SELECT clock_us()) - login_window_us())
            ORDER BY w.attempt LIMIT batch FOR UPDATE SKIP LOCKED)) -- a success may be at them
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Removes up to `batch` sessions that have ended. Returns how many.
CREATE OR REPLACE FUNCTION forget_sessions(batch integer) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM admin_sessions s WHERE s.ctid = ANY (ARRAY(
            SELECT w.ctid FROM admin_sessions w WHERE w.expires_at <= (SELECT clock_timestamp())
            ORDER BY w.expires_at LIMIT batch FOR UPDATE SKIP LOCKED)) -- a log-out may be at them
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

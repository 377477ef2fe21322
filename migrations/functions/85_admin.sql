-- Administrators: how often a log-in may fail, and what is over.

-- How long a log-in that failed counts, in microseconds.
CREATE OR REPLACE FUNCTION login_window_us() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 15 * 60 * 1000000::bigint $$;

-- In how many seconds a log-in may be tried: 0 for now, else until the oldest failure that keeps the email or
-- the address at its limit no longer counts.
CREATE OR REPLACE FUNCTION login_wait_s(email text, address text) RETURNS integer
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(max(ceil((position_us(reached.attempt) - position_us(w.oldest)) / 1e6)), 0)::integer
    FROM (SELECT position_floor(clock_us() - login_window_us()) AS oldest) AS w
    CROSS JOIN (VALUES ('email', email, 10), ('address', address, 30)) AS l (kind, subject, most)
    CROSS JOIN LATERAL (
        SELECT f.attempt FROM login_failures f
        WHERE f.kind = l.kind AND f.subject = l.subject AND f.attempt > w.oldest
        ORDER BY f.attempt DESC OFFSET l.most - 1 LIMIT 1
    ) AS reached
$$;

-- Settles a log-in whose password was checked, after all that were settled before it: where those have left
-- it to wait it says how long and writes nothing, as if it had been refused unchecked. Else a failure is
-- counted, and a success forgets the email's.
CREATE OR REPLACE FUNCTION settle_login(email text, address text, failed boolean) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    wait_s integer;
    attempt uuid;
BEGIN
    -- Addresses before emails, so that no two wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('login address ' || address, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('login email ' || email, 0));
    wait_s := login_wait_s(email, address);
    IF wait_s > 0 THEN
        RETURN wait_s;
    END IF;
    IF failed THEN
        attempt := position_at(clock_us());
        INSERT INTO login_failures (kind, subject, attempt)
        VALUES ('email', email, attempt), ('address', address, attempt);
    ELSE
        DELETE FROM login_failures f WHERE f.kind = 'email' AND f.subject = email;
    END IF;
    RETURN 0;
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

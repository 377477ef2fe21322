-- Time passing: partitions ahead, and what has had its time behind. Everything in batches.

-- Makes one monthly partition. Attached rather than created in place: that takes no lock which readers or
-- writers of the parent would wait for.
CREATE OR REPLACE FUNCTION ensure_partition(parent text, month timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    first_of_month timestamp := date_trunc('month', month AT TIME ZONE 'UTC');
    partition      text := parent || to_char(first_of_month, '_YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ensure_partition', 0)); -- several processes boot at once
    IF to_regclass(partition) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING INDEXES)', partition, parent);
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition,
            position_floor(to_us(first_of_month AT TIME ZONE 'UTC')),
            position_floor(to_us((first_of_month + interval '1 month') AT TIME ZONE 'UTC')));
    END IF;
END
$$;

-- What is partitioned by month: the items, and what tells of them.
CREATE OR REPLACE FUNCTION monthly_tables() RETURNS SETOF regclass
LANGUAGE sql STABLE ROWS 3 AS $$
    SELECT unnest(ARRAY['notifications', 'timeline', 'published_hint_jobs']::regclass[])
$$;

-- Makes their partitions from last month to `months` ahead.
CREATE OR REPLACE FUNCTION ensure_partitions(months integer) RETURNS void
LANGUAGE sql VOLATILE AS $$
    SELECT ensure_partition(parent::text, clock_timestamp() + make_interval(months => ahead))
    FROM monthly_tables() AS parent, generate_series(-1, months) AS ahead
$$;

-- Where retention ends: the first position of the oldest month that is kept.
CREATE OR REPLACE FUNCTION oldest_kept(months integer) RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT position_floor(to_us(date_trunc('month', (clock_timestamp() - make_interval(months => months))
                                                     AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'))
$$;

-- Partitions that lie wholly before a position and may go, oldest first: those of notifications once nothing
-- is left in them, the others once the items they tell of cannot be left. state: `attached`;
-- `detaching` or `detached` where dropping it was begun before, and cut short.
CREATE OR REPLACE FUNCTION partitions_before(oldest uuid)
RETURNS TABLE (parent text, partition text, state text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    holds boolean;
BEGIN
    IF EXISTS (SELECT FROM notifications_by_position n WHERE n.position < oldest) THEN
        RETURN;
    END IF;
    FOR parent, partition, state IN
        SELECT p.relname, c.relname,
               CASE WHEN i.inhrelid IS NULL THEN 'detached' WHEN i.inhdetachpending THEN 'detaching'
                    ELSE 'attached' END
        FROM pg_class p
        JOIN pg_class c ON c.relkind = 'r' AND c.relnamespace = p.relnamespace
                           AND c.relname ~ ('^' || p.relname || '_[0-9]{4}_[0-9]{2}$')
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        WHERE p.oid IN (SELECT monthly_tables())
          AND position_floor(to_us((to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month')
                                   AT TIME ZONE 'UTC')) <= oldest
        ORDER BY c.relname
    LOOP
        holds := false;
        IF parent = 'notifications' THEN -- one that is detached is not looked at through its parent
            EXECUTE format('SELECT EXISTS (SELECT FROM %I)', partition) INTO holds;
        END IF;
        IF NOT holds THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- Delivered items from before a position, up to `batch`, without those whose positions are set aside.
CREATE OR REPLACE FUNCTION old_items(oldest uuid, batch integer, set_aside uuid[])
RETURNS TABLE (environment_id uuid, "position" uuid)
LANGUAGE sql VOLATILE ROWS 64 AS $$
    SELECT n.environment_id, n.position FROM notifications_by_position n
    WHERE n.position < oldest AND n.position <> ALL (set_aside)
    ORDER BY n.environment_id, n.position LIMIT batch
$$;

-- Removes them, with their counts; the people concerned get one hint each. One row per environment.
CREATE OR REPLACE FUNCTION retire_items(oldest uuid, batch integer, set_aside uuid[])
RETURNS TABLE (environment_id uuid, removed bigint, job_id uuid, job jsonb)
LANGUAGE sql VOLATILE ROWS 10 AS $$
    SELECT r.* FROM (
        SELECT array_agg(n.environment_id) AS envs, array_agg(n.position) AS positions
        FROM old_items(oldest, batch, set_aside) AS n
    ) AS old
    CROSS JOIN LATERAL remove_items(old.envs, old.positions, 'resync') AS r
    WHERE old.envs IS NOT NULL
$$;

-- Broadcasts from before a position, the first of each environment, without those whose ids are set aside.
CREATE OR REPLACE FUNCTION old_broadcasts(oldest uuid, set_aside uuid[])
RETURNS TABLE (environment_id uuid, id uuid)
LANGUAGE sql VOLATILE ROWS 10 AS $$
    SELECT b.environment_id, b.id FROM environments e
    CROSS JOIN LATERAL (SELECT b.environment_id, b.id FROM broadcasts b
                        WHERE b.environment_id = e.id AND b.position < oldest AND b.id <> ALL (set_aside)
                        ORDER BY b.position LIMIT 1) AS b
$$;

-- Forgets up to `batch` idempotency records that have had their time. Returns how many.
CREATE OR REPLACE FUNCTION forget_requests(batch integer) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM idempotency i WHERE i.ctid = ANY (ARRAY(
            SELECT r.ctid FROM idempotency r
            WHERE r.created_at <= (SELECT clock_timestamp()) - interval '30 days' AND NOT is_remembered(r)
            ORDER BY r.created_at LIMIT batch FOR UPDATE SKIP LOCKED)) -- one may be about to be used anew
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Forgets up to `batch` notes of watermark moves that concern no item any more. Returns how many.
CREATE OR REPLACE FUNCTION forget_moves(oldest uuid, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM watermark_moves m WHERE m.ctid = ANY (ARRAY(
            SELECT w.ctid FROM watermark_moves w WHERE w.up_to < oldest LIMIT batch
            FOR UPDATE SKIP LOCKED)) -- an erasure may be at them
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Forgets up to `batch` decisions about broadcasts that are gone: of people who were deciding while it was
-- removed, which takes no lock of theirs. They count nowhere, as every count joins broadcasts. Returns how
-- many.
CREATE OR REPLACE FUNCTION forget_overrides(batch integer) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM broadcast_overrides o WHERE o.ctid = ANY (ARRAY(
            SELECT w.ctid FROM broadcast_overrides w
            WHERE NOT EXISTS (SELECT FROM broadcasts b
                              WHERE b.environment_id = w.environment_id AND b.position = w.position
                              OFFSET 0)
            LIMIT batch FOR UPDATE SKIP LOCKED)) -- an erasure may be at them
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

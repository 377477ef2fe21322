-- Becoming visible and ceasing to be: the only places where items enter and leave an inbox.
-- Each keeps rows, counters, positions, versions and the hints owed in one transaction.

-- Delivers item n (element n of each array) to inbox inbox_ids[n], in this order within an inbox.
-- The caller holds the locks of all those inboxes. inbox_ids[n] NULL: passed over, its position is NULL.
-- item_ids[n] NULL: the id is the position.
-- job_groups[n]: items of one group (of one environment) share a hint job.
-- One row per item, with its position, and one per hint job, with the number of an item of its group.
CREATE OR REPLACE FUNCTION deliver_items(
    envs uuid[], inbox_ids uuid[], item_ids uuid[], item_categories text[], payloads text[],
    createds timestamptz[], delivers timestamptz[], expireses timestamptz[], job_groups integer[]
) RETURNS TABLE (nth bigint, item uuid, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    now_us bigint := clock_us(); -- after the locks: from here on nothing comes between
BEGIN
    RETURN QUERY
    WITH element AS MATERIALIZED (
        SELECT w.*, i.row_at, place.us, position_at(place.us) AS position, p.inbox_id IS NOT NULL AS muted
        FROM (SELECT u.*, row_number() OVER (PARTITION BY u.inbox_id ORDER BY u.nth) - 1 AS later
              FROM unnest(envs, inbox_ids, item_ids, item_categories, payloads, createds, delivers,
                          expireses, job_groups) WITH ORDINALITY
                   AS u (env, inbox_id, id, category, payload, created, deliver, expires, job_group, nth)) AS w
        LEFT JOIN LATERAL (SELECT i.ctid AS row_at, i.last_position_us FROM inboxes i
                           WHERE i.environment_id = w.env AND i.id = w.inbox_id LIMIT 1) AS i ON true
        LEFT JOIN LATERAL (SELECT p.inbox_id FROM preferences p
                           WHERE p.environment_id = w.env AND p.inbox_id = w.inbox_id
                             AND p.category = w.category LIMIT 1) AS p ON true
        CROSS JOIN LATERAL (SELECT next_us(i.last_position_us, now_us) + w.later AS us) AS place
    ), item AS (
        SELECT e.* FROM element e WHERE e.inbox_id IS NOT NULL
    ), job AS MATERIALIZED (
        SELECT n.env, n.job_group, min(n.nth) AS nth, position_at(now_us) AS id,
               jsonb_agg(jsonb_build_array(n.inbox_id, coalesce(n.id, n.position)) ORDER BY n.nth) AS hints
        FROM item n WHERE NOT n.muted GROUP BY n.env, n.job_group
    ), visible AS (
        INSERT INTO notifications (environment_id, inbox_id, position, id, created_at, deliver_at,
                                   expires_at, category, payload, hint_job)
        SELECT n.env, n.inbox_id, n.position, coalesce(n.id, n.position), n.created, n.deliver,
               n.expires, n.category, n.payload::json, j.id
        FROM item n
        LEFT JOIN job j ON NOT n.muted AND j.env = n.env AND j.job_group IS NOT DISTINCT FROM n.job_group
    ), found_by_id AS (
        INSERT INTO scheduled_positions (environment_id, id, position)
        SELECT n.env, n.id, n.position FROM item n WHERE n.id IS NOT NULL
    ), moved AS (
        UPDATE inboxes i SET last_position_us = m.us, version = i.version + 1
        FROM (SELECT n.row_at, max(n.us) AS us FROM item n GROUP BY n.row_at) AS m
        WHERE i.ctid = m.row_at
    ), counted AS (
        INSERT INTO inbox_categories AS c (environment_id, inbox_id, category, unread, unseen)
        SELECT n.env, n.inbox_id, n.category, count(*), count(*)
        FROM item n GROUP BY n.env, n.inbox_id, n.category
        ON CONFLICT (environment_id, inbox_id, category)
            DO UPDATE SET unread = c.unread + excluded.unread, unseen = c.unseen + excluded.unseen
        RETURNING c.environment_id AS env, c.category, c.xmax = 0 AS is_new
    ), named AS (
        INSERT INTO categories (environment_id, category)
        SELECT DISTINCT c.env, c.category FROM counted c WHERE c.is_new ORDER BY 1, 2
        ON CONFLICT DO NOTHING
    ), hint AS MATERIALIZED (
        SELECT j.env, j.nth, j.id AS job_id,
               hint_payload('notification', 'notification', now_us, j.hints, NULL) AS job
        FROM job j
    ), owed AS (
        INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
        SELECT h.env, h.job_id, 'hint', h.job, lease_end(now_us) FROM hint h
    )
    SELECT e.nth, CASE WHEN e.inbox_id IS NOT NULL THEN e.position END, NULL::uuid, NULL::jsonb FROM element e
    UNION ALL
    SELECT h.nth, NULL, h.job_id, h.job FROM hint h;
END
$$;

-- Removes delivered items, whoever holds them; those already gone are passed over. Takes the locks of
-- their inboxes. hint_reason: retracted or expired, a hint an item; or resync, one an inbox.
-- One row per environment: how many it lost, and the hint job owed.
CREATE OR REPLACE FUNCTION remove_items(envs uuid[], positions uuid[], hint_reason text)
RETURNS TABLE (environment_id uuid, removed bigint, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    now_us bigint := clock_us();
BEGIN
    -- Each row is looked up by its key, and gone to by its ctid, as the inbox's lock keeps it where it is: no
    -- plan may go through all of an environment's. An item's position tells which partition its ctid is of.
    PERFORM FROM (
        SELECT DISTINCT w.env, item.inbox_id
        FROM unnest(envs, positions) AS w (env, position)
        CROSS JOIN LATERAL (SELECT n.inbox_id FROM notifications_by_position n
                            WHERE n.environment_id = w.env AND n.position = w.position LIMIT 1) AS item
        ORDER BY 1, 2) AS wanted
    CROSS JOIN LATERAL (SELECT FROM inboxes i
                        WHERE i.environment_id = wanted.env AND i.id = wanted.inbox_id
                        LIMIT 1 FOR UPDATE) AS held;
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT w.position, item.row_at, box.*
        FROM unnest(envs, positions) AS w (env, position)
        CROSS JOIN LATERAL (SELECT n.row_at, n.inbox_id FROM notifications_by_position n
                            WHERE n.environment_id = w.env AND n.position = w.position LIMIT 1) AS item
        CROSS JOIN LATERAL (SELECT i.ctid AS inbox_at, i.read_notification, i.archive_notification,
                                   i.seen_notification
                            FROM inboxes i
                            WHERE i.environment_id = w.env AND i.id = item.inbox_id LIMIT 1) AS box
    ), gone AS (
        DELETE FROM notifications n
        USING found i
        WHERE n.position = i.position AND n.ctid = i.row_at
        RETURNING n.environment_id AS env, n.inbox_id, i.inbox_at, n.position, n.id, n.category,
            in_view('unread', n.read, n.archived, n.position, i.read_notification, i.archive_notification)
                ::integer AS unread,
            (n.position > i.seen_notification)::integer AS unseen
    ), uncounted AS (
        UPDATE inbox_categories c SET unread = c.unread - g.unread, unseen = c.unseen - g.unseen
        FROM (SELECT counter.row_at, sums.unread, sums.unseen
              FROM (SELECT g.env, g.inbox_id, g.category, sum(g.unread) AS unread, sum(g.unseen) AS unseen
                    FROM gone g GROUP BY g.env, g.inbox_id, g.category) AS sums
              CROSS JOIN LATERAL (SELECT k.ctid AS row_at FROM inbox_categories k
                                  WHERE k.environment_id = sums.env AND k.inbox_id = sums.inbox_id
                                    AND k.category = sums.category LIMIT 1) AS counter
              WHERE sums.unread + sums.unseen > 0) AS g
        WHERE c.ctid = g.row_at
    ), moved AS (
        UPDATE inboxes i SET version = i.version + 1
        WHERE i.ctid = ANY (ARRAY(SELECT g.inbox_at FROM gone g))
    ), unfound AS (
        DELETE FROM scheduled_positions s WHERE s.ctid = ANY (ARRAY(
            SELECT one.ctid FROM gone g
            CROSS JOIN LATERAL (SELECT p.ctid FROM scheduled_positions p
                                WHERE p.environment_id = g.env AND p.id = g.id LIMIT 1) AS one
            WHERE g.id <> g.position))
    ), lost AS MATERIALIZED (
        SELECT g.env, count(*) AS removed,
               CASE hint_reason
                   WHEN 'resync' THEN jsonb_agg(DISTINCT jsonb_build_array(g.inbox_id, NULL))
                   ELSE jsonb_agg(jsonb_build_array(g.inbox_id, g.id) ORDER BY g.position)
                       FILTER (WHERE NOT is_muted(g.env, g.inbox_id, g.category))
               END AS hints
        FROM gone g GROUP BY g.env
    ), owed AS MATERIALIZED ( -- where only muted items went, nobody is hinted and no job is left
        SELECT l.env, o.job_id, o.job
        FROM lost l CROSS JOIN LATERAL owe_hints(l.env, hint_reason, 'notification', now_us, l.hints) AS o
        WHERE l.hints IS NOT NULL
    )
    SELECT l.env, l.removed, o.job_id, o.job FROM lost l LEFT JOIN owed o ON o.env = l.env;
    -- After the items, not with them: see FINISH_HINT_JOBS in app/db/outbox.py.
    DELETE FROM timeline t
    USING (SELECT w.position, line.row_at
           FROM unnest(envs, positions) AS w (env, position)
           CROSS JOIN LATERAL (SELECT l.ctid AS row_at FROM timeline l
                               WHERE l.environment_id = w.env AND l.position = w.position OFFSET 0) AS line) AS g
    WHERE t.position = g.position AND t.ctid = g.row_at;
END
$$;

-- Makes a broadcast visible. item_id NULL: the id is the position. The head's lock orders broadcasts, and
-- its version moves with them.
CREATE OR REPLACE FUNCTION deliver_broadcast(
    env uuid, item_id uuid, item_category text, item_payload text, key text,
    created timestamptz, deliver timestamptz, expires timestamptz,
    OUT item uuid, OUT delivered_us bigint, OUT job_id uuid, OUT job jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    last_us bigint;
BEGIN
    SELECT h.last_position_us INTO STRICT last_us FROM broadcast_heads h
    WHERE h.environment_id = env FOR UPDATE;
    delivered_us := next_us(last_us, clock_us());
    item := position_at(delivered_us);
    INSERT INTO broadcasts (environment_id, position, id, created_at, deliver_at, expires_at, category,
                            idempotency_key, payload)
    VALUES (env, item, coalesce(item_id, item), created, deliver, expires, item_category, key,
            item_payload::json);
    UPDATE broadcast_heads h SET last_position_us = delivered_us, version = h.version + 1
    WHERE h.environment_id = env;
    INSERT INTO categories (environment_id, category) VALUES (env, item_category) ON CONFLICT DO NOTHING;
    SELECT o.job_id, o.job INTO job_id, job
    FROM owe_broadcast_hint(env, 'broadcast', coalesce(item_id, item), item_category, delivered_us) o;
END
$$;

-- Removes a delivered broadcast from everybody at once. Counts follow, as they join broadcasts.
-- No row where it is not there.
CREATE OR REPLACE FUNCTION remove_broadcast(env uuid, broadcast_id uuid, hint_reason text)
RETURNS TABLE (job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    gone broadcasts;
BEGIN
    PERFORM FROM broadcast_heads h WHERE h.environment_id = env FOR UPDATE;
    DELETE FROM broadcasts_by_id b WHERE b.environment_id = env AND b.id = broadcast_id RETURNING b.* INTO gone;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE broadcast_heads h SET version = h.version + 1 WHERE h.environment_id = env;
    DELETE FROM broadcast_overrides o WHERE o.environment_id = env AND o.position = gone.position;
    SELECT o.job_id, o.job INTO job_id, job
    FROM owe_broadcast_hint(env, hint_reason, broadcast_id, gone.category, clock_us()) o;
    RETURN NEXT;
END
$$;

-- Holds what is due of the direct items that wait, an equal share of each environment, at most about `batch`.
-- Rows that a cancellation or another worker holds are passed over, and those whose ids are set aside.
CREATE OR REPLACE FUNCTION hold_due(batch integer, set_aside uuid[])
RETURNS TABLE (environment_id uuid, id uuid, inbox_id uuid, row_at tid)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    now_us bigint := clock_us();
BEGIN
    RETURN QUERY
    WITH tenant (env) AS MATERIALIZED (SELECT * FROM environments_with_scheduled())
    SELECT tenant.env, due.id, due.inbox_id, due.row_at
    FROM tenant
    CROSS JOIN LATERAL (
        SELECT s.id, s.row_at, s.inbox_id FROM scheduled_by_place s
        WHERE s.environment_id = tenant.env AND s.inbox_id IS NOT NULL
          AND s.place <= position_ceiling(now_us) AND s.id <> ALL (set_aside)
        ORDER BY s.place
        LIMIT (SELECT greatest(batch / greatest(count(*), 1), 1) FROM tenant)
        FOR UPDATE SKIP LOCKED) AS due;
END
$$;

-- Delivers direct items that wait and are held: element n of each array is the nth's. What expired while it
-- waited, or whose person was erased, is dropped.
-- One row per hint job owed.
CREATE OR REPLACE FUNCTION deliver_held(due_envs uuid[], due_rows tid[], boxes uuid[])
RETURNS TABLE (environment_id uuid, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 10 AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM (SELECT DISTINCT d.env, d.inbox_id FROM unnest(due_envs, boxes) AS d (env, inbox_id)
                  ORDER BY 1, 2) AS wanted
    CROSS JOIN LATERAL (SELECT FROM inboxes i
                        WHERE i.environment_id = wanted.env AND i.id = wanted.inbox_id
                        LIMIT 1 FOR UPDATE) AS held;
    RETURN QUERY
    WITH taken AS (
        DELETE FROM scheduled s WHERE s.ctid = ANY (due_rows)
        RETURNING s.*
    ), ready AS MATERIALIZED (
        SELECT array_agg(t.environment_id ORDER BY t.place) AS envs,
               array_agg(t.inbox_id ORDER BY t.place) AS inbox_ids,
               array_agg(t.id ORDER BY t.place) AS ids,
               array_agg(t.category ORDER BY t.place) AS item_categories,
               array_agg(t.payload::text ORDER BY t.place) AS payloads,
               array_agg(t.created_at ORDER BY t.place) AS createds,
               array_agg(t.deliver_at ORDER BY t.place) AS delivers,
               array_agg(t.expires_at ORDER BY t.place) AS expireses,
               array_agg(1 ORDER BY t.place) AS job_groups
        FROM taken t
        CROSS JOIN LATERAL (SELECT FROM inboxes i
                            WHERE i.environment_id = t.environment_id AND i.id = t.inbox_id LIMIT 1) AS there
        WHERE t.expires_at IS NULL OR t.expires_at > clock_timestamp()
    )
    SELECT r.envs[d.nth], d.job_id, d.job
    FROM ready r
    CROSS JOIN LATERAL deliver_items(r.envs, r.inbox_ids, r.ids, r.item_categories, r.payloads, r.createds,
                                     r.delivers, r.expireses, r.job_groups) AS d
    WHERE r.envs IS NOT NULL AND d.job_id IS NOT NULL;
END
$$;

-- Delivers about `batch` of the direct items that are due. Rows as deliver_held().
CREATE OR REPLACE FUNCTION deliver_due(batch integer, set_aside uuid[])
RETURNS TABLE (environment_id uuid, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 10 AS $$
#variable_conflict use_column
DECLARE
    due_envs uuid[];
    due_rows tid[];
    boxes    uuid[];
BEGIN
    SELECT array_agg(h.environment_id), array_agg(h.row_at), array_agg(h.inbox_id)
    INTO due_envs, due_rows, boxes FROM hold_due(batch, set_aside) h;
    IF due_envs IS NOT NULL THEN
        RETURN QUERY SELECT * FROM deliver_held(due_envs, due_rows, boxes);
    END IF;
END
$$;

-- Delivers one that waits. Rows as deliver_held(); none where it is gone, or in other hands.
CREATE OR REPLACE FUNCTION deliver_one(env uuid, item uuid)
RETURNS TABLE (environment_id uuid, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    held record;
BEGIN
    SELECT s.ctid AS row_at, s.inbox_id INTO held FROM scheduled s
    WHERE s.environment_id = env AND s.id = item AND s.inbox_id IS NOT NULL FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        RETURN QUERY SELECT * FROM deliver_held(ARRAY[env], ARRAY[held.row_at], ARRAY[held.inbox_id]);
    END IF;
END
$$;

-- The broadcasts that are due, the first of each environment, without those whose ids are set aside.
CREATE OR REPLACE FUNCTION due_broadcasts(set_aside uuid[]) RETURNS TABLE (environment_id uuid, id uuid)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    now_us bigint := clock_us();
BEGIN
    RETURN QUERY
    SELECT waiting.environment_id, waiting.id
    FROM environments_with_scheduled() AS tenant (env)
    CROSS JOIN LATERAL (
        SELECT s.environment_id, s.id FROM scheduled s
        WHERE s.environment_id = tenant.env AND s.inbox_id IS NULL
          AND s.place <= position_ceiling(now_us) AND s.id <> ALL (set_aside)
        ORDER BY s.place LIMIT 1) AS waiting;
END
$$;

-- Delivers one broadcast that waits, or drops it where it expired meanwhile. No row: it is gone, or in other
-- hands.
CREATE OR REPLACE FUNCTION deliver_one_broadcast(env uuid, item uuid)
RETURNS TABLE (environment_id uuid, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    due scheduled;
BEGIN
    SELECT s.* INTO due FROM scheduled s
    WHERE s.environment_id = env AND s.id = item AND s.inbox_id IS NULL FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM scheduled s WHERE s.environment_id = env AND s.id = item;
    environment_id := env;
    IF due.expires_at IS NULL OR due.expires_at > clock_timestamp() THEN
        SELECT d.job_id, d.job INTO job_id, job
        FROM deliver_broadcast(env, item, due.category, due.payload::text, due.idempotency_key,
                               due.created_at, due.deliver_at, due.expires_at) AS d;
    END IF;
    RETURN NEXT;
END
$$;

-- The environments that have something scheduled, as environments_with_jobs().
CREATE OR REPLACE FUNCTION environments_with_scheduled() RETURNS SETOF uuid
LANGUAGE sql STABLE ROWS 10 AS $$
    WITH RECURSIVE tenant (environment_id) AS (
        (SELECT s.environment_id FROM scheduled s ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT (SELECT s.environment_id FROM scheduled s
                WHERE s.environment_id > t.environment_id ORDER BY 1 LIMIT 1)
        FROM tenant t WHERE t.environment_id IS NOT NULL
    )
    SELECT t.environment_id FROM tenant t WHERE t.environment_id IS NOT NULL
$$;

-- Seconds until something scheduled is due that is not set aside, or NULL.
CREATE OR REPLACE FUNCTION next_delivery_s(set_aside uuid[]) RETURNS double precision
LANGUAGE sql VOLATILE AS $$
    SELECT extract(epoch FROM min(first.deliver_at) - clock_timestamp())::float8
    FROM environments_with_scheduled() AS tenant (env)
    CROSS JOIN LATERAL (SELECT s.deliver_at FROM scheduled_by_place s
                        WHERE s.environment_id = tenant.env AND s.id <> ALL (set_aside)
                        ORDER BY s.place LIMIT 1) AS first
$$;

-- Delivered direct items whose time is over, up to `batch`, without those whose positions are set aside.
CREATE OR REPLACE FUNCTION expired_items(batch integer, set_aside uuid[])
RETURNS TABLE (environment_id uuid, "position" uuid)
LANGUAGE sql VOLATILE ROWS 64 AS $$
    SELECT n.environment_id, n.position FROM notifications n
    WHERE n.expires_at <= (SELECT clock_timestamp()) AND n.position <> ALL (set_aside)
    ORDER BY n.expires_at LIMIT batch
$$;

-- Removes them. One row per environment.
CREATE OR REPLACE FUNCTION expire_due(batch integer, set_aside uuid[])
RETURNS TABLE (environment_id uuid, removed bigint, job_id uuid, job jsonb)
LANGUAGE sql VOLATILE ROWS 10 AS $$
    SELECT r.* FROM (
        SELECT array_agg(due.environment_id) AS envs, array_agg(due.position) AS positions
        FROM expired_items(batch, set_aside) AS due
    ) AS batch
    CROSS JOIN LATERAL remove_items(batch.envs, batch.positions, 'expired') AS r
    WHERE batch.envs IS NOT NULL
$$;

-- Delivered broadcasts whose time is over, up to ten, without those whose ids are set aside.
CREATE OR REPLACE FUNCTION expired_broadcasts(set_aside uuid[]) RETURNS TABLE (environment_id uuid, id uuid)
LANGUAGE sql VOLATILE ROWS 1 AS $$
    SELECT b.environment_id, b.id FROM broadcasts b
    WHERE b.expires_at <= (SELECT clock_timestamp()) AND b.id <> ALL (set_aside)
    ORDER BY b.expires_at LIMIT 10
$$;

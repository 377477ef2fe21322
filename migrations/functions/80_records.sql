-- What a backend sees: notifications and broadcasts with their status, waiting ones included.
-- `place` orders both kinds: a delivered one's position, a waiting one's place. OFFSET 0 keeps the order of
-- the look-ups: the item, then its inbox and its person.

CREATE OR REPLACE VIEW notification_records AS
SELECT n.environment_id, n.position AS place, n.id, n.inbox_id, s.subscriber_id, n.category,
       n.payload::text AS payload, 'delivered' AS status,
       coalesce(n.created_at, from_us(position_us(n.position))) AS created_at, n.deliver_at,
       from_us(position_us(n.position)) AS visible_at, n.expires_at,
       is_covered(n.read, n.position, i.read_notification) AS read,
       is_covered(n.archived, n.position, i.archive_notification) AS archived, n.hint_job
FROM notifications_by_position n
CROSS JOIN LATERAL (SELECT * FROM inboxes one
                    WHERE one.environment_id = n.environment_id AND one.id = n.inbox_id OFFSET 0) AS i
CROSS JOIN LATERAL (SELECT * FROM subscribers_by_id one
                    WHERE one.environment_id = n.environment_id AND one.id = n.inbox_id OFFSET 0) AS s
UNION ALL
SELECT w.environment_id, w.place, w.id, w.inbox_id, s.subscriber_id, w.category, w.payload::text, 'scheduled',
       w.created_at, w.deliver_at, NULL, w.expires_at, false, false, NULL
FROM scheduled_by_place w
CROSS JOIN LATERAL (SELECT * FROM subscribers_by_id one
                    WHERE one.environment_id = w.environment_id AND one.id = w.inbox_id OFFSET 0) AS s;

CREATE OR REPLACE VIEW broadcast_records AS
SELECT b.environment_id, b.position AS place, b.id, b.category, b.payload::text AS payload,
       'delivered' AS status, coalesce(b.created_at, from_us(position_us(b.position))) AS created_at,
       b.deliver_at, from_us(position_us(b.position)) AS visible_at, b.expires_at, b.idempotency_key
FROM broadcasts b
UNION ALL
SELECT w.environment_id, w.place, w.id, w.category, w.payload::text, 'scheduled', w.created_at, w.deliver_at,
       NULL, w.expires_at, w.idempotency_key
FROM scheduled w WHERE w.inbox_id IS NULL;

-- The places of one page of an environment's notifications, waiting and delivered ones each newest first:
-- lowest <= place < below. wanted_category, wanted_status NULL: any. status: delivered or scheduled.
CREATE OR REPLACE FUNCTION environment_places(
    env uuid, wanted_category text, wanted_status text, lowest uuid, below uuid, page_size integer
) RETURNS TABLE (place uuid, status text)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
BEGIN
    IF wanted_status IS DISTINCT FROM 'delivered' THEN
        IF wanted_category IS NULL THEN
            RETURN QUERY
            SELECT w.place, 'scheduled' FROM scheduled_by_place w
            WHERE w.environment_id = env AND w.inbox_id IS NOT NULL AND w.place >= lowest AND w.place < below
            ORDER BY w.place DESC LIMIT page_size;
        ELSE
            RETURN QUERY
            SELECT w.place, 'scheduled' FROM scheduled_of_category w
            WHERE w.environment_id = env AND w.category = wanted_category
              AND w.place >= lowest AND w.place < below
            ORDER BY w.place DESC LIMIT page_size;
        END IF;
    END IF;
    IF wanted_status IS DISTINCT FROM 'scheduled' THEN
        IF wanted_category IS NULL THEN
            RETURN QUERY
            SELECT n.position, 'delivered' FROM notifications_by_position n
            WHERE n.environment_id = env AND n.position >= lowest AND n.position < below
            ORDER BY n.position DESC LIMIT page_size;
        ELSE
            RETURN QUERY
            SELECT n.position, 'delivered' FROM notifications_of_category n
            WHERE n.environment_id = env AND n.category = wanted_category
              AND n.position >= lowest AND n.position < below
            ORDER BY n.position DESC LIMIT page_size;
        END IF;
    END IF;
END
$$;

-- The same of one person, in any order.
CREATE OR REPLACE FUNCTION inbox_places(
    env uuid, inbox uuid, wanted_category text, wanted_status text, lowest uuid, below uuid, page_size integer
) RETURNS TABLE (place uuid, status text)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
DECLARE
    box inboxes;
BEGIN
    IF wanted_status IS DISTINCT FROM 'delivered' THEN
        RETURN QUERY
        SELECT w.place, 'scheduled' FROM scheduled_of_inbox w
        WHERE w.environment_id = env AND w.inbox_id = inbox AND w.place >= lowest AND w.place < below
          AND (wanted_category IS NULL OR w.category = wanted_category)
        ORDER BY w.place DESC LIMIT page_size;
    END IF;
    SELECT i.* INTO box FROM inboxes i WHERE i.environment_id = env AND i.id = inbox;
    lowest := greatest(lowest, box.id);
    below := least(below, position_floor(box.last_position_us + 1));
    IF wanted_status = 'scheduled' THEN
        RETURN;
    ELSIF wanted_category IS NULL THEN
        RETURN QUERY
        SELECT one.position, 'delivered' FROM unnest(states_in(box.override_states)) AS state
        CROSS JOIN LATERAL (
            SELECT n.position FROM notifications_by_state n
            WHERE n.environment_id = env AND n.inbox_id = inbox AND n.override_state = state
              AND n.position >= lowest AND n.position < below
            ORDER BY n.position DESC LIMIT page_size) AS one;
    ELSE
        RETURN QUERY
        SELECT one.position, 'delivered' FROM unnest(states_in(box.override_states)) AS state
        CROSS JOIN LATERAL (
            SELECT n.position FROM notifications_by_category n
            WHERE n.environment_id = env AND n.inbox_id = inbox AND n.category = wanted_category
              AND n.override_state = state AND n.position >= lowest AND n.position < below
            ORDER BY n.position DESC LIMIT page_size) AS one;
    END IF;
END
$$;

-- What happened to one notification, by the earliest of each kind. A move of a watermark past it counts
-- as it being seen (read) then. No row: no such notification.
CREATE OR REPLACE FUNCTION notification_timeline(env uuid, item_id uuid)
RETURNS TABLE (subscriber_id text, statuses text[], times timestamptz[])
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT r.subscriber_id, array_agg(e.status ORDER BY e.occurred_at, e.rank),
           array_agg(e.occurred_at ORDER BY e.occurred_at, e.rank)
    FROM notification_records r
    CROSS JOIN LATERAL (
        SELECT 'created' AS status, r.created_at AS occurred_at, 0 AS rank
        UNION ALL
        SELECT t.status, min(t.occurred_at), CASE t.status WHEN 'delivered_hint' THEN 1 ELSE 3 END
        FROM (
            SELECT t.status, t.occurred_at FROM timeline t
            WHERE t.environment_id = env AND t.position = r.place
            UNION ALL
            SELECT 'delivered_hint', j.published_at FROM published_hint_jobs j
            WHERE j.environment_id = env AND j.job_id = r.hint_job
            UNION ALL
            (SELECT m.status, m.occurred_at FROM watermark_moves m
             WHERE m.environment_id = env AND m.inbox_id = r.inbox_id AND m.status = 'read'
               AND m.up_to >= r.place ORDER BY m.up_to LIMIT 1)
        ) AS t
        WHERE r.status = 'delivered' GROUP BY t.status
        UNION ALL
        (SELECT 'seen', m.occurred_at, 2 FROM watermark_moves m
         WHERE m.environment_id = env AND m.inbox_id = r.inbox_id AND m.status = 'seen'
           AND m.up_to >= r.place AND r.status = 'delivered' ORDER BY m.up_to LIMIT 1)
    ) AS e
    WHERE r.environment_id = env AND r.id = item_id
      AND r.place = coalesce((SELECT w.place FROM scheduled w WHERE w.environment_id = env AND w.id = item_id),
                             notification_position(env, item_id))
    GROUP BY r.subscriber_id
$$;

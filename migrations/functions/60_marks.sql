-- Read, unread, archive, unarchive: one item, or all up to a point.

-- The override that gives an item this state, or NULL where the watermark already does.
CREATE OR REPLACE FUNCTION override_for(covered boolean, item uuid, watermark uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (item <= watermark) <> covered THEN covered END
$$;

-- What is said of a mark whose inbox is not held. box NULL: there is none.
CREATE OR REPLACE FUNCTION unmarked(box uuid, subscriber text, skip_busy boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN box IS NOT NULL AND skip_busy THEN 'busy'
                WHEN subscriber IS NULL THEN 'not_found'
                ELSE 'unknown_subscriber' END
$$;

-- Sets 'read' or 'archived' (fields[n]) of one item to wanteds[n]; mark n is element n of each array; no two are
-- of one notification, or of one person's one broadcast. Whose: subscribers[n], or with NULL whoever holds the
-- notification.
-- One row per mark; status: unknown_subscriber, not_found, unchanged (nothing is written), changed; or busy: with
-- skip_busy, a mark of an inbox which is held (or gone) is left out, so that it keeps nobody else's waiting. And
-- one row per hint job owed, with a mark of its environment and no status.
CREATE OR REPLACE FUNCTION mark_items(
    envs uuid[], subscribers text[], sources text[], item_ids uuid[], fields text[], wanteds boolean[],
    skip_busy boolean
) RETURNS TABLE (request integer, status text, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    boxes uuid[] := ARRAY(
        SELECT coalesce(own.id, holder.inbox_id)
        FROM unnest(envs, subscribers, item_ids) WITH ORDINALITY AS m (env, subscriber, item_id, nth)
        LEFT JOIN LATERAL (SELECT s.id FROM subscribers s
                           WHERE s.environment_id = m.env AND s.subscriber_id = m.subscriber LIMIT 1) AS own ON true
        LEFT JOIN LATERAL (SELECT n.inbox_id FROM notifications_by_position n
                           WHERE m.subscriber IS NULL AND n.environment_id = m.env
                             AND n.position = notification_position(m.env, m.item_id) AND n.id = m.item_id
                           LIMIT 1) AS holder ON true
        ORDER BY m.nth);
    held  uuid[] := hold_inboxes(envs, boxes, skip_busy);
BEGIN
    RETURN QUERY
    WITH found AS MATERIALIZED ( -- inbox_at NULL: not held; position NULL: not there
        SELECT m.*, box.row_at AS inbox_at, box.read_watermark, box.archive_watermark,
               item.row_at, item.position, item.category, item.read, item.archived
        FROM (SELECT u.*, CASE u.source WHEN 'notification' THEN notification_position(u.env, u.item_id) END AS place
              FROM unnest(envs, subscribers, sources, item_ids, fields, wanteds, boxes) WITH ORDINALITY
                   AS u (env, subscriber, source, item_id, field, wanted, inbox_id, nth)) AS m
        LEFT JOIN LATERAL (
            SELECT i.ctid AS row_at, i.broadcasts_from,
                   CASE m.source WHEN 'notification' THEN i.read_notification
                                 ELSE i.read_broadcast END AS read_watermark,
                   CASE m.source WHEN 'notification' THEN i.archive_notification
                                 ELSE i.archive_broadcast END AS archive_watermark
            FROM inboxes i
            WHERE i.environment_id = m.env AND i.id = m.inbox_id AND m.inbox_id = ANY (held) LIMIT 1) AS box ON true
        LEFT JOIN LATERAL (
            SELECT n.row_at, n.position, n.category, n.read, n.archived
            FROM notifications_by_position n
            WHERE n.environment_id = m.env AND n.position = m.place AND n.id = m.item_id
              AND n.inbox_id = m.inbox_id
            UNION ALL
            SELECT NULL, b.position, b.category, o.read, o.archived
            FROM broadcasts b
            LEFT JOIN broadcast_overrides o
                ON o.environment_id = m.env AND o.inbox_id = m.inbox_id AND o.position = b.position
            WHERE m.source = 'broadcast' AND b.environment_id = m.env AND b.id = m.item_id
              AND b.position >= box.broadcasts_from) AS item ON true
    ), judged AS MATERIALIZED (
        SELECT f.*,
               CASE f.field WHEN 'read' THEN override_for(f.wanted, f.position, f.read_watermark)
                            ELSE f.read END AS new_read,
               CASE f.field WHEN 'read' THEN f.archived
                            ELSE override_for(f.wanted, f.position, f.archive_watermark) END AS new_archived,
               CASE WHEN f.inbox_at IS NULL THEN unmarked(f.inbox_id, f.subscriber, skip_busy)
                    WHEN f.position IS NULL THEN 'not_found'
                    WHEN f.wanted = CASE f.field WHEN 'read' THEN is_covered(f.read, f.position, f.read_watermark)
                                                 ELSE is_covered(f.archived, f.position, f.archive_watermark) END
                        THEN 'unchanged'
                    ELSE 'changed' END AS verdict
        FROM found f
    ), change AS MATERIALIZED (
        SELECT j.*,
               in_view('unread', j.new_read, j.new_archived, j.position, j.read_watermark, j.archive_watermark)::integer
               - in_view('unread', j.read, j.archived, j.position, j.read_watermark, j.archive_watermark)::integer
                   AS unread
        FROM judged j WHERE j.verdict = 'changed'
    ), stored AS (
        UPDATE notifications n SET read = c.new_read, archived = c.new_archived
        FROM change c
        WHERE c.source = 'notification' AND n.position = c.position AND n.ctid = c.row_at
        RETURNING c.inbox_at, n.override_state
    ), counted AS (
        UPDATE inbox_categories k SET unread = k.unread + g.unread
        FROM (SELECT counter.row_at, sums.unread
              FROM (SELECT c.env, c.inbox_id, c.category, sum(c.unread) AS unread FROM change c
                    WHERE c.source = 'notification' GROUP BY 1, 2, 3) AS sums
              CROSS JOIN LATERAL (SELECT k.ctid AS row_at FROM inbox_categories k
                                  WHERE k.environment_id = sums.env AND k.inbox_id = sums.inbox_id
                                    AND k.category = sums.category LIMIT 1) AS counter
              WHERE sums.unread <> 0) AS g
        WHERE k.ctid = g.row_at
    ), told AS (
        INSERT INTO timeline (environment_id, position, status, occurred_at)
        SELECT c.env, c.position, 'read', clock_timestamp() FROM change c
        WHERE c.source = 'notification' AND c.field = 'read' AND c.wanted ORDER BY 1, 2
        ON CONFLICT DO NOTHING
    ), undecided AS (
        DELETE FROM broadcast_overrides o
        USING change c
        WHERE c.source = 'broadcast' AND c.new_read IS NULL AND c.new_archived IS NULL
          AND o.environment_id = c.env AND o.inbox_id = c.inbox_id AND o.position = c.position
    ), decided AS (
        INSERT INTO broadcast_overrides (environment_id, inbox_id, position, read, archived)
        SELECT c.env, c.inbox_id, c.position, c.new_read, c.new_archived FROM change c
        WHERE c.source = 'broadcast' AND (c.new_read IS NOT NULL OR c.new_archived IS NOT NULL)
        ON CONFLICT (environment_id, inbox_id, position)
            DO UPDATE SET read = excluded.read, archived = excluded.archived
    ), moved AS (
        UPDATE inboxes i SET version = i.version + 1, override_states = i.override_states | g.states
        FROM (SELECT u.inbox_at, bit_or(u.states) AS states
              FROM (SELECT s.inbox_at, 1 << s.override_state AS states FROM stored s
                    UNION ALL
                    SELECT c.inbox_at, 0 FROM change c WHERE c.source = 'broadcast') AS u
              GROUP BY 1) AS g
        WHERE i.ctid = g.inbox_at
    ), owed AS MATERIALIZED (
        SELECT g.request, o.job_id, o.job
        FROM (SELECT min(c.nth) AS request, c.env, c.field, c.source,
                     jsonb_agg(jsonb_build_array(c.inbox_id, c.item_id) ORDER BY c.nth) AS hints
              FROM change c WHERE NOT is_muted(c.env, c.inbox_id, c.category) GROUP BY 2, 3, 4) AS g
        CROSS JOIN LATERAL owe_hints(g.env, CASE g.field WHEN 'read' THEN 'read_state' ELSE 'archive_state' END,
                                     g.source, clock_us(), g.hints) AS o
    )
    SELECT j.nth::integer, j.verdict, NULL::uuid, NULL::jsonb FROM judged j
    UNION ALL
    SELECT o.request::integer, NULL, o.job_id, o.job FROM owed o;
END
$$;

-- Moves the watermarks of `field` ('read', 'seen' or 'archived') for one person, whose inbox's lock is held.
-- How far: everything there is (both NULL); everything at or before the one item named; or exactly up to the
-- two items named (`exact` true, a NULL one leaves that source alone). A watermark never moves back, and
-- never past what this transaction can see: what becomes visible later is never covered.
-- status: not_found (an item named is not visible to this person), done. hinted: its devices are to be told.
CREATE OR REPLACE FUNCTION mark_all(
    env uuid, inbox uuid, field text, exact boolean, up_to_notification uuid, up_to_broadcast uuid,
    OUT status text, OUT hinted boolean, OUT unread bigint, OUT unseen bigint, OUT version bigint
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    nothing   constant uuid := '00000000-0000-0000-0000-000000000000';
    box       inboxes;
    bound_n   uuid; -- how far this call covers, per source
    bound_b   uuid;
    wm_n      uuid; -- the watermarks before
    wm_b      uuid;
    redundant integer; -- the states of items whose override says nothing at or below the bound
    cleared   bigint;
    changed   boolean := false;
BEGIN
    SELECT i.* INTO STRICT box FROM inboxes i WHERE i.environment_id = env AND i.id = inbox;

    -- Both bounds in one statement: every position of this inbox is at or below last_position_us, as the
    -- lock is held, and every broadcast that commits later lies above the head's, as seen here.
    SELECT position_ceiling(box.last_position_us), position_ceiling(h.last_position_us)
    INTO STRICT bound_n, bound_b
    FROM broadcast_heads h WHERE h.environment_id = env;
    IF up_to_notification IS NOT NULL THEN
        SELECT least(bound_n, n.position) INTO wm_n FROM notifications_by_position n
        WHERE n.environment_id = env AND n.inbox_id = box.id
          AND n.position = notification_position(env, up_to_notification) AND n.id = up_to_notification;
    END IF;
    IF up_to_broadcast IS NOT NULL THEN
        SELECT least(bound_b, b.position) INTO wm_b FROM broadcasts_by_id b
        WHERE b.environment_id = env AND b.id = up_to_broadcast AND b.position >= box.broadcasts_from;
    END IF;
    IF (up_to_notification IS NOT NULL AND wm_n IS NULL) OR (up_to_broadcast IS NOT NULL AND wm_b IS NULL) THEN
        status := 'not_found';
        RETURN;
    END IF;
    IF exact THEN
        bound_n := coalesce(wm_n, nothing);
        bound_b := coalesce(wm_b, nothing);
    ELSIF coalesce(wm_n, wm_b) IS NOT NULL THEN
        bound_n := least(bound_n, position_ceiling(position_us(coalesce(wm_n, wm_b))));
        bound_b := least(bound_b, position_ceiling(position_us(coalesce(wm_n, wm_b))));
    END IF;

    CASE field
        WHEN 'read' THEN wm_n := box.read_notification; wm_b := box.read_broadcast;
        WHEN 'seen' THEN wm_n := box.seen_notification; wm_b := box.seen_broadcast;
        ELSE wm_n := box.archive_notification; wm_b := box.archive_broadcast;
    END CASE;

    -- Counters first, by the state as it was: only what this call covers is looked at.
    IF field = 'seen' THEN
        IF bound_n > wm_n THEN
            IF bound_n >= position_floor(box.last_position_us) THEN
                UPDATE inbox_categories c SET unseen = 0
                WHERE c.environment_id = env AND c.inbox_id = box.id AND c.unseen > 0;
            ELSE
                UPDATE inbox_categories c SET unseen = c.unseen - gone.items
                FROM (SELECT n.category, count(*) AS items
                      FROM notifications_by_state n
                      WHERE n.environment_id = env AND n.inbox_id = box.id
                        AND n.override_state = ANY (states_in(box.override_states))
                        AND n.position > greatest(wm_n, box.id) AND n.position <= bound_n
                      GROUP BY n.category) AS gone
                WHERE c.environment_id = env AND c.inbox_id = box.id AND c.category = gone.category;
            END IF;
        END IF;
    ELSIF bound_n >= position_floor(box.last_position_us) THEN
        UPDATE inbox_categories c SET unread = 0
        WHERE c.environment_id = env AND c.inbox_id = box.id AND c.unread > 0;
    ELSE
        UPDATE inbox_categories c SET unread = c.unread - gone.items
        FROM (SELECT n.category, count(*) AS items
              FROM view_ranges('unread', box.read_notification, box.archive_notification) v
              CROSS JOIN LATERAL (
                  SELECT n.category FROM notifications_by_state n
                  WHERE n.environment_id = env AND n.inbox_id = box.id
                    AND n.override_state = v.override_state
                    AND n.position > v.above AND n.position <= v.up_to
                    AND n.position > box.id AND n.position <= bound_n) AS n
              WHERE has_state(box.override_states, v.override_state)
              GROUP BY n.category) AS gone
        WHERE c.environment_id = env AND c.inbox_id = box.id AND c.category = gone.category;
    END IF;

    -- Overrides at or below the bounds say nothing any more.
    redundant := deciding_states(box.override_states, field);
    IF redundant <> 0 THEN
        UPDATE notifications_by_state n
        SET read = CASE field WHEN 'archived' THEN n.read END,
            archived = CASE field WHEN 'read' THEN n.archived END
        WHERE n.environment_id = env AND n.inbox_id = box.id AND n.override_state = ANY (states_in(redundant))
          AND n.position > box.id AND n.position <= bound_n;
        GET DIAGNOSTICS cleared = ROW_COUNT;
        changed := cleared > 0;
    END IF;
    IF field <> 'seen' THEN
        DELETE FROM broadcast_overrides o
        WHERE o.environment_id = env AND o.inbox_id = box.id AND o.position <= bound_b
          AND CASE field WHEN 'read' THEN o.archived ELSE o.read END IS NULL;
        GET DIAGNOSTICS cleared = ROW_COUNT;
        changed := changed OR cleared > 0;
        UPDATE broadcast_overrides o
        SET read = CASE field WHEN 'archived' THEN o.read END,
            archived = CASE field WHEN 'read' THEN o.archived END
        WHERE o.environment_id = env AND o.inbox_id = box.id AND o.position <= bound_b
          AND CASE field WHEN 'read' THEN o.read ELSE o.archived END IS NOT NULL;
        GET DIAGNOSTICS cleared = ROW_COUNT;
        changed := changed OR cleared > 0;
    END IF;

    changed := changed OR bound_n > wm_n OR bound_b > wm_b;
    IF changed THEN
        UPDATE inboxes i SET
            read_notification = CASE field WHEN 'read' THEN greatest(wm_n, bound_n) ELSE i.read_notification END,
            read_broadcast = CASE field WHEN 'read' THEN greatest(wm_b, bound_b) ELSE i.read_broadcast END,
            seen_notification = CASE field WHEN 'seen' THEN greatest(wm_n, bound_n) ELSE i.seen_notification END,
            seen_broadcast = CASE field WHEN 'seen' THEN greatest(wm_b, bound_b) ELSE i.seen_broadcast END,
            archive_notification = CASE field WHEN 'archived' THEN greatest(wm_n, bound_n) ELSE i.archive_notification END,
            archive_broadcast = CASE field WHEN 'archived' THEN greatest(wm_b, bound_b) ELSE i.archive_broadcast END,
            override_states = undecided_states(i.override_states, field)
                              | CASE WHEN bound_n >= position_floor(box.last_position_us) THEN 0
                                     ELSE i.override_states END,
            version = i.version + 1
        WHERE i.environment_id = env AND i.id = box.id;
        IF field IN ('read', 'seen') AND bound_n > wm_n THEN
            INSERT INTO watermark_moves (environment_id, inbox_id, status, up_to, occurred_at)
            VALUES (env, box.id, field, bound_n, clock_timestamp()) ON CONFLICT DO NOTHING;
        END IF;
    END IF;

    status := 'done';
    SELECT c.unread, c.unseen, c.version INTO STRICT unread, unseen, version
    FROM inbox_counts(env, ARRAY[box.id]) c;
    IF changed THEN
        -- Nobody else sees this state before the commit. A broadcast that commits first makes another one
        -- with the same sum of versions, where nothing is marked yet: so this one is named by the odd number
        -- below, which no committed state has.
        version := version - 1;
    END IF;
    hinted := changed;
END
$$;

-- The same for many, as mark_items(). exacts, up_to_notifications, up_to_broadcasts: how far. No two are of
-- one inbox: a second that changes nothing would name what nobody else sees yet by an even version.
CREATE OR REPLACE FUNCTION mark_alls(
    envs uuid[], subscribers text[], fields text[], exacts boolean[], up_to_notifications uuid[],
    up_to_broadcasts uuid[], skip_busy boolean
) RETURNS TABLE (
    request integer, status text, unread bigint, unseen bigint, version bigint, job_id uuid, job jsonb
)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    boxes  uuid[] := ARRAY(
        SELECT own.id FROM unnest(envs, subscribers) WITH ORDINALITY AS m (env, subscriber, nth)
        LEFT JOIN LATERAL (SELECT s.id FROM subscribers s
                           WHERE s.environment_id = m.env AND s.subscriber_id = m.subscriber LIMIT 1) AS own ON true
        ORDER BY m.nth);
    held   uuid[] := hold_inboxes(envs, boxes, skip_busy);
    marked record;
    hinted integer[];
BEGIN
    FOR n IN 1 .. cardinality(envs) LOOP
        request := n;
        IF boxes[n] = ANY (held) THEN
            SELECT m.* INTO marked FROM mark_all(envs[n], boxes[n], fields[n], exacts[n], up_to_notifications[n],
                                                 up_to_broadcasts[n]) AS m;
            status := marked.status;
            unread := marked.unread;
            unseen := marked.unseen;
            version := marked.version;
            IF marked.hinted THEN
                hinted := hinted || n;
            END IF;
        ELSE
            status := unmarked(boxes[n], subscribers[n], skip_busy);
            unread := NULL;
            unseen := NULL;
            version := NULL;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF hinted IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT g.request, NULL, NULL::bigint, NULL::bigint, NULL::bigint, o.job_id, o.job
    FROM (SELECT min(h.n) AS request, envs[h.n] AS env,
                 CASE fields[h.n] WHEN 'archived' THEN 'archive_state' ELSE 'read_state' END AS reason,
                 jsonb_agg(DISTINCT jsonb_build_array(boxes[h.n], NULL)) AS hints
          FROM unnest(hinted) AS h (n) GROUP BY 2, 3) AS g
    CROSS JOIN LATERAL owe_hints(g.env, g.reason, 'notification', clock_us(), g.hints) AS o;
END
$$;

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

-- Sets 'read' or 'archived' of one item of an inbox, whose lock is held, to `wanted`. status: not_found,
-- unchanged (nothing is written), changed. hinted: its devices are to be told.
CREATE OR REPLACE FUNCTION mark_item(
    env uuid, inbox uuid, item_source text, item_id uuid, field text, wanted boolean,
    OUT status text, OUT hinted boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    box               inboxes;
    item              record;
    read_watermark    uuid;
    archive_watermark uuid;
    new_read          boolean;
    new_archived      boolean;
    new_state         integer := 0;
    change            integer;
BEGIN
    hinted := false;
    SELECT i.* INTO STRICT box FROM inboxes i WHERE i.environment_id = env AND i.id = inbox;
    IF item_source = 'notification' THEN
        read_watermark := box.read_notification;
        archive_watermark := box.archive_notification;
        SELECT n.position, n.category, n.read, n.archived INTO item FROM notifications_by_position n
        WHERE n.environment_id = env AND n.inbox_id = box.id
          AND n.position = notification_position(env, item_id) AND n.id = item_id;
    ELSE
        read_watermark := box.read_broadcast;
        archive_watermark := box.archive_broadcast;
        SELECT b.position, b.category, o.read, o.archived INTO item FROM broadcasts_by_id b
        LEFT JOIN LATERAL (SELECT d.read, d.archived FROM broadcast_overrides d
                           WHERE d.environment_id = env AND d.inbox_id = box.id AND d.position = b.position
                           LIMIT 1) AS o ON true
        WHERE b.environment_id = env AND b.id = item_id AND b.position >= box.broadcasts_from;
    END IF;
    IF NOT FOUND THEN
        status := 'not_found';
        RETURN;
    END IF;

    new_read := item.read;
    new_archived := item.archived;
    IF field = 'read' THEN
        new_read := override_for(wanted, item.position, read_watermark);
        change := (is_covered(item.read, item.position, read_watermark) <> wanted)::integer;
    ELSE
        new_archived := override_for(wanted, item.position, archive_watermark);
        change := (is_covered(item.archived, item.position, archive_watermark) <> wanted)::integer;
    END IF;
    IF change = 0 THEN
        status := 'unchanged';
        RETURN;
    END IF;

    IF item_source = 'notification' THEN
        UPDATE notifications_by_position n SET read = new_read, archived = new_archived
        WHERE n.environment_id = env AND n.position = item.position
        RETURNING n.override_state INTO STRICT new_state;
        change := in_view('unread', new_read, new_archived, item.position, read_watermark, archive_watermark)::integer
                  - in_view('unread', item.read, item.archived, item.position, read_watermark, archive_watermark)::integer;
        IF change <> 0 THEN
            UPDATE inbox_categories c SET unread = c.unread + change
            WHERE c.environment_id = env AND c.inbox_id = box.id AND c.category = item.category;
        END IF;
        IF field = 'read' AND wanted THEN
            INSERT INTO timeline (environment_id, position, status, occurred_at)
            VALUES (env, item.position, 'read', clock_timestamp()) ON CONFLICT DO NOTHING;
        END IF;
    ELSIF new_read IS NULL AND new_archived IS NULL THEN
        DELETE FROM broadcast_overrides o
        WHERE o.environment_id = env AND o.inbox_id = box.id AND o.position = item.position;
    ELSE
        INSERT INTO broadcast_overrides (environment_id, inbox_id, position, read, archived)
        VALUES (env, box.id, item.position, new_read, new_archived)
        ON CONFLICT (environment_id, inbox_id, position)
            DO UPDATE SET read = excluded.read, archived = excluded.archived;
    END IF;
    UPDATE inboxes i SET version = i.version + 1, override_states = i.override_states | (1 << new_state)
    WHERE i.environment_id = env AND i.id = box.id;
    hinted := NOT is_muted(env, box.id, item.category);
    status := 'changed';
END
$$;

-- The same for many: mark n is element n of each array, and they are made in order. Whose: subscribers[n], or
-- with NULL whoever holds the notification. One row per mark; status as mark_item(), or unknown_subscriber, or
-- busy: with skip_busy, a mark of an inbox which is held (or gone) is left out, so that it keeps nobody else's
-- waiting. And one row per hint job owed, with a mark of its environment and no status.
CREATE OR REPLACE FUNCTION mark_items(
    envs uuid[], subscribers text[], sources text[], item_ids uuid[], fields text[], wanteds boolean[],
    skip_busy boolean
) RETURNS TABLE (request integer, status text, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    boxes  uuid[] := ARRAY(
        SELECT coalesce(own.id, holder.inbox_id)
        FROM unnest(envs, subscribers, item_ids) WITH ORDINALITY AS m (env, subscriber, item_id, nth)
        LEFT JOIN LATERAL (SELECT s.id FROM subscribers s
                           WHERE s.environment_id = m.env AND s.subscriber_id = m.subscriber LIMIT 1) AS own ON true
        LEFT JOIN LATERAL (SELECT n.inbox_id FROM notifications_by_position n
                           WHERE m.subscriber IS NULL AND n.environment_id = m.env
                             AND n.position = notification_position(m.env, m.item_id) AND n.id = m.item_id
                           LIMIT 1) AS holder ON true
        ORDER BY m.nth);
    held   uuid[] := hold_inboxes(envs, boxes, skip_busy);
    marked record;
    hinted integer[]; -- the marks that devices are to be told of
BEGIN
    FOR n IN 1 .. cardinality(envs) LOOP
        request := n;
        IF boxes[n] = ANY (held) THEN
            SELECT m.* INTO marked
            FROM mark_item(envs[n], boxes[n], sources[n], item_ids[n], fields[n], wanteds[n]) AS m;
            status := marked.status;
            IF marked.hinted THEN
                hinted := hinted || n;
            END IF;
        ELSE
            status := unmarked(boxes[n], subscribers[n], skip_busy);
        END IF;
        RETURN NEXT;
    END LOOP;
    IF hinted IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT g.request, NULL, o.job_id, o.job
    FROM (SELECT min(h.n) AS request, envs[h.n] AS env, fields[h.n] AS field, sources[h.n] AS source,
                 jsonb_agg(jsonb_build_array(boxes[h.n], item_ids[h.n]) ORDER BY h.n) AS hints
          FROM unnest(hinted) AS h (n) GROUP BY 2, 3, 4) AS g
    CROSS JOIN LATERAL owe_hints(g.env, CASE g.field WHEN 'read' THEN 'read_state' ELSE 'archive_state' END,
                                 g.source, clock_us(), g.hints) AS o;
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

-- The same for many, as mark_items(). exacts, up_to_notifications, up_to_broadcasts: how far.
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

-- What a person sees: counts, pages. All STABLE: every statement inside sees the snapshot of the query
-- that called, so that a page, its counts and its version are of one instant.

-- The counts of many inboxes at once; an inbox that does not exist has no row.
-- Direct items are maintained per category; broadcasts are counted above the watermarks, and among the
-- overrides below them.
CREATE OR REPLACE FUNCTION inbox_counts(env uuid, inbox_ids uuid[])
RETURNS TABLE (inbox_id uuid, unread bigint, unseen bigint, version bigint)
LANGUAGE sql STABLE AS $$
    SELECT i.id,
           direct.unread + recent.unread + resurfaced.unread,
           direct.unseen + recent.unseen,
           i.version + h.version
    FROM inboxes i
    JOIN broadcast_heads h ON h.environment_id = i.environment_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(c.unread), 0)::bigint AS unread, coalesce(sum(c.unseen), 0)::bigint AS unseen
        FROM inbox_categories c
        WHERE c.environment_id = i.environment_id AND c.inbox_id = i.id
          AND NOT is_muted(c.environment_id, c.inbox_id, c.category)
    ) AS direct
    CROSS JOIN LATERAL (
        SELECT greatest(i.broadcasts_from,
                        least(i.seen_broadcast, greatest(i.read_broadcast, i.archive_broadcast))) AS floor
    ) AS bound
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE in_view('unread', o.read, o.archived, b.position,
                                              i.read_broadcast, i.archive_broadcast)) AS unread,
               count(*) FILTER (WHERE b.position > i.seen_broadcast) AS unseen
        FROM broadcasts b
        LEFT JOIN broadcast_overrides o
            ON o.environment_id = i.environment_id AND o.inbox_id = i.id AND o.position = b.position
        WHERE b.environment_id = i.environment_id AND b.position >= bound.floor
          AND NOT is_muted(i.environment_id, i.id, b.category)
    ) AS recent
    CROSS JOIN LATERAL (
        SELECT count(*) AS unread
        FROM broadcast_overrides o
        JOIN broadcasts b ON b.environment_id = o.environment_id AND b.position = o.position
        WHERE o.environment_id = i.environment_id AND o.inbox_id = i.id AND o.position < bound.floor
          AND in_view('unread', o.read, o.archived, o.position, i.read_broadcast, i.archive_broadcast)
          AND NOT is_muted(i.environment_id, i.id, b.category)
    ) AS resurfaced
    WHERE i.environment_id = env AND i.id = ANY (inbox_ids)
$$;

-- Names a state of one inbox under one set of page parameters: equal tags, equal pages, because every
-- change to the inbox bumps its version and every change to the broadcasts bumps the head's.
CREATE OR REPLACE FUNCTION page_etag(inbox uuid, inbox_version bigint, broadcast_version bigint, parameters text)
RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT left(encode(sha256(convert_to(
        concat_ws('/', inbox, inbox_version, broadcast_version, parameters), 'UTF8')), 'hex'), 32)
$$;

-- Direct items of one view, newest first. categories_wanted NULL: all of them, from one index range per
-- override state; otherwise merged category by category, so that nothing is stepped over.
CREATE OR REPLACE FUNCTION notification_page(
    box inboxes, view text, categories_wanted text[], before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE plpgsql STABLE ROWS 20 AS $$
BEGIN
    IF categories_wanted IS NULL THEN
        RETURN QUERY
        SELECT n.* FROM view_ranges(view, box.read_notification, box.archive_notification) v
        CROSS JOIN LATERAL (
            SELECT n.position, n.id, n.category, n.payload, n.read, n.archived
            FROM notifications n
            WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
              AND n.override_state = v.override_state
              AND n.position > v.above AND n.position <= least(v.up_to, before)
            ORDER BY n.position DESC LIMIT page_size
        ) AS n
        ORDER BY n.position DESC LIMIT page_size;
    ELSE
        RETURN QUERY
        SELECT n.* FROM unnest(categories_wanted) AS wanted (category)
        CROSS JOIN view_ranges(view, box.read_notification, box.archive_notification) v
        CROSS JOIN LATERAL (
            SELECT n.position, n.id, n.category, n.payload, n.read, n.archived
            FROM notifications n
            WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
              AND n.category = wanted.category AND n.override_state = v.override_state
              AND n.position > v.above AND n.position <= least(v.up_to, before)
            ORDER BY n.position DESC LIMIT page_size
        ) AS n
        ORDER BY n.position DESC LIMIT page_size;
    END IF;
END
$$;

-- Broadcasts of one view, newest first: those nobody decided about, above (or below) the watermark, and
-- those this person decided about.
CREATE OR REPLACE FUNCTION broadcast_page(
    box inboxes, view text, patterns text[], before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    plain record; -- the range of the broadcasts that nobody decided about
BEGIN
    SELECT v.above, v.up_to INTO STRICT plain
    FROM view_ranges(view, box.read_broadcast, box.archive_broadcast) v WHERE v.override_state = 0;
    RETURN QUERY
    SELECT page.* FROM (
        (SELECT b.position, b.id, b.category, b.payload, NULL::boolean, NULL::boolean
         FROM broadcasts b
         WHERE b.environment_id = box.environment_id
           AND b.position >= box.broadcasts_from AND b.position > plain.above
           AND b.position <= least(plain.up_to, before)
           AND NOT EXISTS (SELECT FROM broadcast_overrides o
                           WHERE o.environment_id = b.environment_id AND o.inbox_id = box.id
                             AND o.position = b.position)
           AND category_matches(b.category, patterns)
           AND NOT is_muted(b.environment_id, box.id, b.category)
         ORDER BY b.position DESC LIMIT page_size)
        UNION ALL
        (SELECT b.position, b.id, b.category, b.payload, o.read, o.archived
         FROM broadcast_overrides o
         JOIN broadcasts b ON b.environment_id = o.environment_id AND b.position = o.position
         WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id AND o.position <= before
           AND in_view(view, o.read, o.archived, o.position, box.read_broadcast, box.archive_broadcast)
           AND category_matches(b.category, patterns)
           AND NOT is_muted(b.environment_id, box.id, b.category)
         ORDER BY o.position DESC LIMIT page_size)
    ) AS page
    ORDER BY 1 DESC LIMIT page_size;
END
$$;

-- One page of the inbox, both sources merged: by time, newest first; at an equal time a notification
-- comes before a broadcast. before_us and before_source are the last item of the page before (a
-- notification is source 0, a broadcast 1). No row: no such subscriber. etag_known among the caller's
-- tags: not_modified, and nothing else is read.
CREATE OR REPLACE FUNCTION inbox_page(
    env uuid, subscriber text, view text, patterns text[], before_us bigint, before_source integer,
    page_size integer, parameters text, known_etags text[]
) RETURNS TABLE (
    etag text, not_modified boolean, sources integer[], positions uuid[], ids uuid[], item_categories text[],
    payloads text[], reads boolean[], archiveds boolean[]
)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    box             inboxes;
    head_version    bigint;
    wanted          text[];
    newest          uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    before_direct   uuid := newest;
    before_announce uuid := newest;
BEGIN
    SELECT i.* INTO box
    FROM subscribers s JOIN inboxes i ON i.environment_id = s.environment_id AND i.id = s.id
    WHERE s.environment_id = env AND s.subscriber_id = subscriber;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT h.version INTO STRICT head_version FROM broadcast_heads h WHERE h.environment_id = env;
    etag := page_etag(box.id, box.version, head_version, parameters);
    IF etag = ANY (known_etags) OR '*' = ANY (known_etags) THEN
        not_modified := true;
        RETURN NEXT;
        RETURN;
    END IF;
    not_modified := false;
    IF before_us IS NOT NULL THEN
        -- After a notification: broadcasts of the same time are still to come. After a broadcast: neither
        -- source has anything left at that time, as times are distinct within a source.
        before_direct := position_ceiling(before_us - 1);
        before_announce := position_ceiling(before_us - before_source);
    END IF;
    IF patterns IS NOT NULL
       OR EXISTS (SELECT FROM preferences p WHERE p.environment_id = env AND p.inbox_id = box.id) THEN
        SELECT coalesce(array_agg(c.category), '{}') INTO wanted
        FROM inbox_categories c
        WHERE c.environment_id = env AND c.inbox_id = box.id
          AND category_matches(c.category, patterns) AND NOT is_muted(env, box.id, c.category);
    END IF;
    SELECT array_agg(p.source), array_agg(p.item), array_agg(p.id), array_agg(p.category),
           array_agg(p.payload::text),
           array_agg(is_covered(p.read, p.item,
               CASE p.source WHEN 0 THEN box.read_notification ELSE box.read_broadcast END)),
           array_agg(is_covered(p.archived, p.item,
               CASE p.source WHEN 0 THEN box.archive_notification ELSE box.archive_broadcast END))
    INTO sources, positions, ids, item_categories, payloads, reads, archiveds
    FROM (
        SELECT merged.* FROM (
            SELECT 0 AS source, n.* FROM notification_page(box, view, wanted, before_direct, page_size) n
            UNION ALL
            SELECT 1, b.* FROM broadcast_page(box, view, patterns, before_announce, page_size) b
        ) AS merged
        ORDER BY left(merged.item::text, 18) COLLATE "C" DESC, merged.source LIMIT page_size
    ) AS p;
    RETURN NEXT;
END
$$;

-- What a person sees: counts, pages. All STABLE: every statement inside sees the snapshot of the query
-- that called, so that a page, its counts and its version are of one instant.

-- What counts for one inbox, muted left out: the maintained counters of direct items, the broadcasts above
-- the watermarks as if nobody had decided about them, and what this person's overrides change about that.
CREATE OR REPLACE FUNCTION counted(
    env uuid, inbox uuid, broadcasts_from uuid, read_watermark uuid, archive_watermark uuid, seen_watermark uuid
) RETURNS TABLE (category text, unread bigint, unseen bigint)
LANGUAGE sql STABLE ROWS 10 AS $$
    SELECT part.category, part.unread, part.unseen
    FROM (
        SELECT c.category, c.unread, c.unseen
        FROM inbox_categories c WHERE c.environment_id = env AND c.inbox_id = inbox
        UNION ALL
        SELECT b.category,
               count(*) FILTER (WHERE in_view('unread', NULL, NULL, b.position, read_watermark, archive_watermark)),
               count(*) FILTER (WHERE b.position > seen_watermark)
        FROM broadcasts b
        WHERE b.environment_id = env AND b.position >= broadcasts_from
          AND b.position > least(seen_watermark, greatest(read_watermark, archive_watermark))
        GROUP BY b.category
        UNION ALL
        SELECT b.category,
               (in_view('unread', o.read, o.archived, o.position, read_watermark, archive_watermark)::integer
                - in_view('unread', NULL, NULL, o.position, read_watermark, archive_watermark)::integer)::bigint,
               0
        FROM broadcast_overrides o
        CROSS JOIN LATERAL (SELECT one.category FROM broadcasts one
                            WHERE one.environment_id = env AND one.position = o.position LIMIT 1) AS b
        WHERE o.environment_id = env AND o.inbox_id = inbox
    ) AS part
    WHERE NOT EXISTS (SELECT FROM preferences p
                      WHERE p.environment_id = env AND p.inbox_id = inbox AND p.category = part.category)
$$;

-- The version that callers compare: it grows with every change of the inbox, and of the environment's
-- broadcasts. Of committed states it is even; mark_all() says what the odd ones are for.
CREATE OR REPLACE FUNCTION public_version(inbox_version bigint, broadcast_version bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT 2 * (inbox_version + broadcast_version)
$$;

-- The counts of many inboxes at once; an inbox that does not exist has no row.
CREATE OR REPLACE FUNCTION inbox_counts(env uuid, inbox_ids uuid[])
RETURNS TABLE (inbox_id uuid, unread bigint, unseen bigint, version bigint)
LANGUAGE sql STABLE AS $$
    SELECT i.id, total.unread, total.unseen, public_version(i.version, h.version)
    FROM inboxes i
    JOIN broadcast_heads h ON h.environment_id = i.environment_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(c.unread), 0)::bigint AS unread, coalesce(sum(c.unseen), 0)::bigint AS unseen
        FROM counted(i.environment_id, i.id, i.broadcasts_from,
                     i.read_broadcast, i.archive_broadcast, i.seen_broadcast) AS c
    ) AS total
    WHERE i.environment_id = env AND i.id = ANY (inbox_ids)
$$;

-- The counts of one person, with those of each category that has any. No row: no such subscriber.
CREATE OR REPLACE FUNCTION counts_by_category(env uuid, subscriber text)
RETURNS TABLE (
    inbox_id uuid, unread bigint, unseen bigint, version bigint,
    counted_categories text[], category_unread bigint[], category_unseen bigint[]
)
LANGUAGE sql STABLE AS $$
    SELECT i.id, coalesce(sum(c.unread), 0)::bigint, coalesce(sum(c.unseen), 0)::bigint,
           public_version(i.version, h.version),
           coalesce(array_agg(c.category ORDER BY c.category) FILTER (WHERE c.unread + c.unseen > 0), '{}'),
           coalesce(array_agg(c.unread ORDER BY c.category) FILTER (WHERE c.unread + c.unseen > 0), '{}'),
           coalesce(array_agg(c.unseen ORDER BY c.category) FILTER (WHERE c.unread + c.unseen > 0), '{}')
    FROM inboxes i
    JOIN broadcast_heads h ON h.environment_id = i.environment_id
    LEFT JOIN LATERAL (SELECT r.category, sum(r.unread)::bigint AS unread, sum(r.unseen)::bigint AS unseen
                       FROM counted(i.environment_id, i.id, i.broadcasts_from,
                                    i.read_broadcast, i.archive_broadcast, i.seen_broadcast) AS r
                       GROUP BY r.category) AS c ON true
    WHERE i.environment_id = env AND i.id = inbox_of(env, subscriber)
    GROUP BY i.id, i.version, h.version
$$;

-- Names a state of one inbox under one set of page parameters: equal tags, equal pages, because every
-- change to the inbox bumps its version and every change to the broadcasts bumps the head's.
CREATE OR REPLACE FUNCTION page_etag(inbox uuid, inbox_version bigint, broadcast_version bigint, parameters text)
RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT left(encode(sha256(convert_to(
        concat_ws('/', inbox, inbox_version, broadcast_version, parameters), 'UTF8')), 'hex'), 32)
$$;

-- Direct items of one view, in any order: up to page_size of each override state that this inbox has, and
-- of each category. categories_wanted NULL: all of them, from one index range a state; otherwise category
-- by category, so that nothing is stepped over.
CREATE OR REPLACE FUNCTION notification_page(
    box inboxes, view text, categories_wanted text[], before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT v.override_state, greatest(v.above, box.id) AS above,
               least(v.up_to, before, position_ceiling(box.last_position_us)) AS up_to
        FROM view_ranges(view, box.read_notification, box.archive_notification) v
        WHERE has_state(box.override_states, v.override_state)
    LOOP
        CONTINUE WHEN part.above >= part.up_to;
        IF categories_wanted IS NULL THEN
            RETURN QUERY
            SELECT n.position, n.id, n.category, n.payload, n.read, n.archived
            FROM notifications_by_state n
            WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
              AND n.override_state = part.override_state
              AND n.position > part.above AND n.position <= part.up_to
            ORDER BY n.position DESC LIMIT page_size;
        ELSE
            RETURN QUERY
            SELECT one.* FROM unnest(categories_wanted) AS wanted (category)
            CROSS JOIN LATERAL (
                SELECT n.position, n.id, n.category, n.payload, n.read, n.archived
                FROM notifications_by_category n
                WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
                  AND n.category = wanted.category AND n.override_state = part.override_state
                  AND n.position > part.above AND n.position <= part.up_to
                ORDER BY n.position DESC LIMIT page_size) AS one;
        END IF;
    END LOOP;
END
$$;

-- The categories of an environment's broadcasts. Steps from one to the next along an index, so that the
-- cost is one probe a category.
CREATE OR REPLACE FUNCTION broadcast_categories(env uuid) RETURNS SETOF text
LANGUAGE sql STABLE ROWS 10 AS $$
    WITH RECURSIVE one (category) AS (
        (SELECT b.category FROM broadcasts_of_category b WHERE b.environment_id = env ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT (SELECT b.category FROM broadcasts_of_category b
                WHERE b.environment_id = env AND b.category > one.category ORDER BY 1 LIMIT 1)
        FROM one WHERE one.category IS NOT NULL
    )
    SELECT one.category FROM one WHERE one.category IS NOT NULL
$$;

-- Broadcasts of one view, in any order: up to page_size of those nobody decided about, above (or below) the
-- watermark, and of those this person decided about. categories_wanted as notification_page().
CREATE OR REPLACE FUNCTION broadcast_page(
    box inboxes, view text, categories_wanted text[], before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    plain   record; -- the range of the broadcasts that nobody decided about
    decided boolean := EXISTS (SELECT FROM broadcast_overrides o
                               WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id);
BEGIN
    SELECT v.above, least(v.up_to, before) AS up_to INTO STRICT plain
    FROM view_ranges(view, box.read_broadcast, box.archive_broadcast) v WHERE v.override_state = 0;
    IF plain.above >= plain.up_to THEN
        NULL; -- only what was decided about can be there
    ELSIF categories_wanted IS NULL THEN
        RETURN QUERY
        SELECT b.position, b.id, b.category, b.payload, NULL::boolean, NULL::boolean
        FROM broadcasts b
        WHERE b.environment_id = box.environment_id
          AND b.position >= box.broadcasts_from AND b.position > plain.above AND b.position <= plain.up_to
          AND (NOT decided OR NOT EXISTS (
              SELECT FROM broadcast_overrides o
              WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id
                AND o.position = b.position OFFSET 0))
        ORDER BY b.position DESC LIMIT page_size;
    ELSE
        RETURN QUERY
        SELECT one.* FROM unnest(categories_wanted) AS wanted (category)
        CROSS JOIN LATERAL (
            SELECT b.position, b.id, b.category, b.payload, NULL::boolean, NULL::boolean
            FROM broadcasts_of_category b
            WHERE b.environment_id = box.environment_id AND b.category = wanted.category
              AND b.position >= box.broadcasts_from AND b.position > plain.above
              AND b.position <= plain.up_to
              AND (NOT decided OR NOT EXISTS (
                  SELECT FROM broadcast_overrides o
                  WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id
                    AND o.position = b.position OFFSET 0))
            ORDER BY b.position DESC LIMIT page_size) AS one;
    END IF;
    RETURN QUERY
    SELECT b.position, b.id, b.category, b.payload, o.read, o.archived
    FROM broadcast_overrides o
    CROSS JOIN LATERAL (SELECT * FROM broadcasts one
                        WHERE one.environment_id = box.environment_id AND one.position = o.position
                        LIMIT 1) AS b
    WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id AND o.position <= before
      AND in_view(view, o.read, o.archived, o.position, box.read_broadcast, box.archive_broadcast)
      AND (categories_wanted IS NULL OR b.category = ANY (categories_wanted))
    ORDER BY o.position DESC LIMIT page_size;
END
$$;

-- One item of the inbox, muted or in whatever state. found false: not visible to this person.
-- No row: no such subscriber.
CREATE OR REPLACE FUNCTION inbox_item(env uuid, subscriber text, item_source text, item_id uuid)
RETURNS TABLE (
    found boolean, item uuid, id uuid, category text, payload text, read boolean, archived boolean
)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT one.item IS NOT NULL, one.item, one.id, one.category, one.payload, one.read, one.archived
    FROM inboxes i
    LEFT JOIN LATERAL (
        SELECT n.position AS item, n.id, n.category, n.payload::text,
               is_covered(n.read, n.position, i.read_notification) AS read,
               is_covered(n.archived, n.position, i.archive_notification) AS archived
        FROM notifications_by_position n
        WHERE item_source = 'notification' AND n.environment_id = env AND n.inbox_id = i.id
          AND n.position = notification_position(env, item_id) AND n.id = item_id
        UNION ALL
        SELECT b.position, b.id, b.category, b.payload::text,
               is_covered(o.read, b.position, i.read_broadcast),
               is_covered(o.archived, b.position, i.archive_broadcast)
        FROM broadcasts_by_id b
        LEFT JOIN LATERAL (SELECT d.read, d.archived FROM broadcast_overrides d
                           WHERE d.environment_id = env AND d.inbox_id = i.id AND d.position = b.position
                           LIMIT 1) AS o ON true
        WHERE item_source = 'broadcast' AND b.environment_id = env AND b.id = item_id
          AND b.position >= i.broadcasts_from
    ) AS one ON true
    WHERE i.environment_id = env AND i.id = inbox_of(env, subscriber)
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
    head            broadcast_heads;
    muted           text[];
    prefixes        text[] := category_prefixes(patterns);
    wanted          text[]; -- categories of direct items, and of broadcasts; NULL: all
    wanted_announce text[];
    before_direct   uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    before_announce uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
BEGIN
    SELECT i.* INTO box FROM inboxes i WHERE i.environment_id = env AND i.id = inbox_of(env, subscriber);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT h.* INTO STRICT head FROM broadcast_heads h WHERE h.environment_id = env;
    etag := page_etag(box.id, box.version, head.version, parameters);
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
    muted := muted_categories(env, box.id);
    IF patterns IS NOT NULL OR muted <> '{}' THEN
        wanted := ARRAY(
            SELECT c.category FROM inbox_categories c
            WHERE c.environment_id = env AND c.inbox_id = box.id AND c.category <> ALL (muted)
              AND category_matches(c.category, patterns, prefixes));
        wanted_announce := ARRAY(
            SELECT c.category FROM broadcast_categories(env) AS c (category)
            WHERE c.category <> ALL (muted)
              AND category_matches(c.category, patterns, prefixes));
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
            SELECT 1, b.* FROM broadcast_page(box, view, wanted_announce, before_announce, page_size) b
            WHERE position_ceiling(head.last_position_us) >= box.broadcasts_from
        ) AS merged
        ORDER BY left(merged.item::text, 18) COLLATE "C" DESC, merged.source LIMIT page_size
    ) AS p;
    RETURN NEXT;
END
$$;

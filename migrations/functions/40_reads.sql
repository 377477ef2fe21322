-- What a person sees: counts, pages. All STABLE: every statement inside sees the snapshot of the query
-- that called, so that a page, its counts and its version are of one instant.

-- What these replaced.
DROP FUNCTION IF EXISTS inbox_page(uuid, text, text, text[], bigint, integer, integer, text, text[]);
DROP FUNCTION IF EXISTS notification_page(inboxes, text, text[], uuid, integer);
DROP FUNCTION IF EXISTS broadcast_page(inboxes, text, text[], uuid, integer);

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

-- Whose pages are asked for, and the state of what they see; an unknown subscriber has no row. is_known:
-- the caller has the page of this state already.
CREATE OR REPLACE FUNCTION asked_pages(envs uuid[], subscribers text[], parameters text[], known_etags jsonb[])
RETURNS TABLE (request bigint, box inboxes, head broadcast_heads, etag text, is_known boolean)
LANGUAGE sql STABLE AS $$
    SELECT r.request, i.box, h.head, tag.etag, coalesce(r.known_etags ?| ARRAY[tag.etag, '*'], false)
    FROM unnest(envs, subscribers, parameters, known_etags)
         WITH ORDINALITY AS r (env, subscriber, parameters, known_etags, request)
    CROSS JOIN LATERAL (SELECT s.id FROM subscribers s
                        WHERE s.environment_id = r.env AND s.subscriber_id = r.subscriber LIMIT 1) AS person
    CROSS JOIN LATERAL (SELECT one AS box, one.id, one.version FROM inboxes one
                        WHERE one.environment_id = r.env AND one.id = person.id LIMIT 1) AS i
    CROSS JOIN LATERAL (SELECT one AS head, one.version FROM broadcast_heads one
                        WHERE one.environment_id = r.env LIMIT 1) AS h
    CROSS JOIN LATERAL (SELECT page_etag(i.id, i.version, h.version, r.parameters) AS etag OFFSET 0) AS tag
$$;

-- Direct items of one view, in any order: up to page_size of each override state that this inbox has, from
-- one index range a state. before: the highest position there may be.
CREATE OR REPLACE FUNCTION notification_page(box inboxes, view text, before uuid, page_size integer)
RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE sql STABLE AS $$
    SELECT one.position, one.id, one.category, one.payload,
           is_covered(one.read, one.position, box.read_notification),
           is_covered(one.archived, one.position, box.archive_notification)
    FROM view_ranges(view, box.read_notification, box.archive_notification) AS v
    CROSS JOIN LATERAL (SELECT greatest(v.above, box.id) AS above,
                               least(v.up_to, before) AS up_to OFFSET 0) AS range
    CROSS JOIN LATERAL (
        SELECT n.position, n.id, n.category, n.payload, n.read, n.archived
        FROM notifications_by_state n
        WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
          AND n.override_state = v.override_state
          AND n.position > range.above AND n.position <= range.up_to
        ORDER BY n.position DESC LIMIT page_size) AS one
    WHERE has_state(box.override_states, v.override_state) AND range.above < range.up_to
$$;

-- The same of some categories, one by one, so that nothing is stepped over.
CREATE OR REPLACE FUNCTION notification_page_of(
    categories text[], box inboxes, view text, before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE sql STABLE AS $$
    SELECT one.position, one.id, one.category, one.payload,
           is_covered(one.read, one.position, box.read_notification),
           is_covered(one.archived, one.position, box.archive_notification)
    FROM view_ranges(view, box.read_notification, box.archive_notification) AS v
    CROSS JOIN LATERAL (SELECT greatest(v.above, box.id) AS above,
                               least(v.up_to, before) AS up_to OFFSET 0) AS range
    CROSS JOIN unnest(categories) AS wanted (category)
    CROSS JOIN LATERAL (
        SELECT n.position, n.id, n.category, n.payload, n.read, n.archived
        FROM notifications_by_category n
        WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
          AND n.category = wanted.category AND n.override_state = v.override_state
          AND n.position > range.above AND n.position <= range.up_to
        ORDER BY n.position DESC LIMIT page_size) AS one
    WHERE has_state(box.override_states, v.override_state) AND range.above < range.up_to
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

-- Broadcasts of one view that this person did not decide about, in any order: up to page_size above (or below)
-- the watermark. before: as notification_page().
CREATE OR REPLACE FUNCTION broadcast_page(box inboxes, view text, before uuid, page_size integer)
RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE sql STABLE AS $$
    SELECT one.position, one.id, one.category, one.payload,
           is_covered(NULL, one.position, box.read_broadcast),
           is_covered(NULL, one.position, box.archive_broadcast)
    FROM view_ranges(view, box.read_broadcast, box.archive_broadcast) AS v
    CROSS JOIN LATERAL (SELECT least(v.up_to, before) AS up_to OFFSET 0) AS range
    CROSS JOIN LATERAL (
        SELECT b.position, b.id, b.category, b.payload
        FROM broadcasts b
        WHERE b.environment_id = box.environment_id
          AND b.position >= box.broadcasts_from AND b.position > v.above AND b.position <= range.up_to
          AND (NOT EXISTS (SELECT FROM broadcast_overrides o
                           WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id)
               OR NOT EXISTS (SELECT FROM broadcast_overrides o
                              WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id
                                AND o.position = b.position OFFSET 0))
        ORDER BY b.position DESC LIMIT page_size) AS one
    WHERE v.override_state = 0 AND v.above < range.up_to AND box.broadcasts_from <= range.up_to
$$;

-- The same of some categories.
CREATE OR REPLACE FUNCTION broadcast_page_of(
    categories text[], box inboxes, view text, before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE sql STABLE AS $$
    SELECT one.position, one.id, one.category, one.payload,
           is_covered(NULL, one.position, box.read_broadcast),
           is_covered(NULL, one.position, box.archive_broadcast)
    FROM view_ranges(view, box.read_broadcast, box.archive_broadcast) AS v
    CROSS JOIN LATERAL (SELECT least(v.up_to, before) AS up_to OFFSET 0) AS range
    CROSS JOIN unnest(categories) AS wanted (category)
    CROSS JOIN LATERAL (
        SELECT b.position, b.id, b.category, b.payload
        FROM broadcasts_of_category b
        WHERE b.environment_id = box.environment_id AND b.category = wanted.category
          AND b.position >= box.broadcasts_from AND b.position > v.above AND b.position <= range.up_to
          AND (NOT EXISTS (SELECT FROM broadcast_overrides o
                           WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id)
               OR NOT EXISTS (SELECT FROM broadcast_overrides o
                              WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id
                                AND o.position = b.position OFFSET 0))
        ORDER BY b.position DESC LIMIT page_size) AS one
    WHERE v.override_state = 0 AND v.above < range.up_to AND box.broadcasts_from <= range.up_to
$$;

-- Broadcasts of one view that this person decided about, newest first; categories NULL: of all.
CREATE OR REPLACE FUNCTION decided_page(
    categories text[], box inboxes, view text, before uuid, page_size integer
) RETURNS TABLE (item uuid, id uuid, category text, payload json, read boolean, archived boolean)
LANGUAGE sql STABLE AS $$
    SELECT o.position, b.id, b.category, b.payload,
           is_covered(o.read, o.position, box.read_broadcast),
           is_covered(o.archived, o.position, box.archive_broadcast)
    FROM broadcast_overrides o
    CROSS JOIN LATERAL (SELECT * FROM broadcasts one
                        WHERE one.environment_id = box.environment_id AND one.position = o.position
                        LIMIT 1) AS b
    WHERE o.environment_id = box.environment_id AND o.inbox_id = box.id AND o.position <= before
      AND in_view(view, o.read, o.archived, o.position, box.read_broadcast, box.archive_broadcast)
      AND (categories IS NULL OR b.category = ANY (categories))
    ORDER BY o.position DESC LIMIT page_size
$$;

-- Items of one view in the categories that match the patterns and are not muted, in any order: up to page_size
-- and more of those of each source (0 notifications, 1 broadcasts). patterns NULL: all that are not muted.
CREATE OR REPLACE FUNCTION filtered_page(
    box inboxes, view text, patterns jsonb, muted text[], before_direct uuid, before_announced uuid,
    page_size integer
) RETURNS TABLE (
    source integer, item uuid, id uuid, category text, payload json, read boolean, archived boolean
)
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    exact     text[] := CASE WHEN patterns IS NOT NULL
                        THEN ARRAY(SELECT jsonb_array_elements_text(patterns)) END;
    prefixes  text[] := category_prefixes(exact);
    direct    text[] := ARRAY(
        SELECT c.category FROM inbox_categories c
        WHERE c.environment_id = box.environment_id AND c.inbox_id = box.id AND c.category <> ALL (muted)
          AND category_matches(c.category, exact, prefixes));
    announced text[] := ARRAY(
        SELECT c.category FROM broadcast_categories(box.environment_id) AS c (category)
        WHERE c.category <> ALL (muted) AND category_matches(c.category, exact, prefixes));
BEGIN
    IF direct <> '{}' THEN
        RETURN QUERY SELECT 0, n.* FROM notification_page_of(direct, box, view, before_direct, page_size) AS n;
    END IF;
    IF announced <> '{}' THEN
        RETURN QUERY
        SELECT 1, b.* FROM broadcast_page_of(announced, box, view, before_announced, page_size) AS b
        UNION ALL
        SELECT 1, b.* FROM decided_page(announced, box, view, before_announced, page_size) AS b;
    END IF;
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

-- Pages of the inbox, one for each request; an unknown subscriber has no row. Both sources merged: by time,
-- newest first; at an equal time a notification comes before a broadcast. before_us and before_source are the
-- last item of the page before (a notification is source 0, a broadcast 1). An etag among the caller's tags:
-- not_modified, and nothing else is read.
-- The columns of a page run along each other; NULL where it is empty. flags: 4 for a broadcast, 2 where it is
-- read, 1 where it is archived. positions and ids: 16 bytes each.
CREATE OR REPLACE FUNCTION inbox_pages(
    envs uuid[], subscribers text[], views text[], patterns jsonb[], before_us bigint[], before_sources integer[],
    page_sizes integer[], parameters text[], known_etags jsonb[]
) RETURNS TABLE (
    request bigint, etag text, not_modified boolean,
    flags integer[], positions bytea, ids bytea, categories text[], payloads text[]
)
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    settled bigint;
BEGIN
    IF array_remove(known_etags, NULL) <> '{}' THEN
        RETURN QUERY
        SELECT a.request, a.etag, true, NULL::integer[], NULL::bytea, NULL::bytea, NULL::text[], NULL::text[]
        FROM asked_pages(envs, subscribers, parameters, known_etags) AS a WHERE a.is_known;
        GET DIAGNOSTICS settled = ROW_COUNT;
        IF settled = cardinality(envs) THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
    SELECT a.request, a.etag, false, page.*
    FROM asked_pages(envs, subscribers, parameters, known_etags) AS a
    CROSS JOIN LATERAL (
        -- After a notification: broadcasts of the same time are still to come. After a broadcast: neither
        -- source has anything left at that time, as times are distinct within a source.
        SELECT views[a.request] AS view, patterns[a.request] AS patterns, page_sizes[a.request] AS page_size,
               position_ceiling(least(before_us[a.request] - 1, (a.box).last_position_us)) AS before_direct,
               position_ceiling(least(before_us[a.request] - before_sources[a.request],
                                      (a.head).last_position_us)) AS before_announced,
               ARRAY(SELECT p.category FROM preferences p
                     WHERE p.environment_id = (a.box).environment_id AND p.inbox_id = (a.box).id) AS muted
        OFFSET 0
    ) AS r
    CROSS JOIN LATERAL (
        SELECT array_agg(p.source * 4 + p.read::integer * 2 + p.archived::integer),
               string_agg(uuid_send(p.item), ''), string_agg(uuid_send(p.id), ''),
               array_agg(p.category), array_agg(p.payload::text)
        FROM (
            SELECT merged.*
            FROM (
                SELECT plain.*
                FROM (
                    SELECT 0 AS source, n.*
                    FROM notification_page(a.box, r.view, r.before_direct, r.page_size) AS n
                    UNION ALL
                    SELECT 1, b.* FROM broadcast_page(a.box, r.view, r.before_announced, r.page_size) AS b
                    UNION ALL
                    SELECT 1, b.* FROM decided_page(NULL, a.box, r.view, r.before_announced, r.page_size) AS b
                ) AS plain
                WHERE r.patterns IS NULL AND r.muted = '{}'
                UNION ALL
                SELECT f.*
                FROM filtered_page(a.box, r.view, r.patterns, r.muted, r.before_direct, r.before_announced,
                                   r.page_size) AS f
                WHERE r.patterns IS NOT NULL OR r.muted <> '{}'
            ) AS merged
            -- The first 8 bytes are the time.
            ORDER BY substr(uuid_send(merged.item), 1, 8) DESC, merged.source LIMIT r.page_size
        ) AS p
    ) AS page
    WHERE NOT a.is_known;
END
$$;

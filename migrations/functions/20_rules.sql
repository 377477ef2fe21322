-- What read, archived, unread and muted mean. Each stands here once; everything else refers to it.

-- Is an item covered (read, or archived)? Its override decides; without one, the watermark.
CREATE OR REPLACE FUNCTION is_covered(override boolean, item uuid, watermark uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(override, item <= watermark)
$$;

-- Is an unmuted, visible item in a view? 'default': not archived. 'unread' and 'read': default and not
-- read, or read. 'archived': archived. An item counts as unread exactly when it is in 'unread'.
CREATE OR REPLACE FUNCTION in_view(
    view text, read boolean, archived boolean, item uuid, read_watermark uuid, archive_watermark uuid
) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE view
        WHEN 'archived' THEN is_covered(archived, item, archive_watermark)
        WHEN 'unread' THEN NOT is_covered(archived, item, archive_watermark)
                           AND NOT is_covered(read, item, read_watermark)
        WHEN 'read' THEN NOT is_covered(archived, item, archive_watermark)
                         AND is_covered(read, item, read_watermark)
        ELSE NOT is_covered(archived, item, archive_watermark)
    END
$$;

-- in_view() as ranges: an item is in the view exactly when its override_state has a row here and
-- above < position <= up_to. A test holds the two against each other for every state.
CREATE OR REPLACE FUNCTION view_ranges(view text, read_watermark uuid, archive_watermark uuid)
RETURNS TABLE (override_state smallint, above uuid, up_to uuid)
LANGUAGE sql IMMUTABLE ROWS 6 AS $$
    SELECT (r.state * 3 + a.state)::smallint, greatest(a.above, r.above), least(a.up_to, r.up_to)
    FROM (VALUES -- of `archived`: 0 the watermark decides, 1 archived, 2 not archived
        (0, 'out', archive_watermark, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (2, 'out', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (0, 'in', '00000000-0000-0000-0000-000000000000'::uuid, archive_watermark),
        (1, 'in', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    ) AS a (state, archive, above, up_to)
    JOIN (VALUES -- of `read`: 0 the watermark decides, 1 read, 2 not read; 'any': it does not matter
        (0, 'unread', read_watermark, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (2, 'unread', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (0, 'read', '00000000-0000-0000-0000-000000000000'::uuid, read_watermark),
        (1, 'read', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (0, 'any', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (1, 'any', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        (2, 'any', '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    ) AS r (state, reading, above, up_to)
        ON r.reading = CASE WHEN view IN ('unread', 'read') THEN view ELSE 'any' END
    WHERE a.archive = CASE view WHEN 'archived' THEN 'in' ELSE 'out' END
$$;

-- Muted: hidden from every view and every count, sends no hint.
CREATE OR REPLACE FUNCTION is_muted(env uuid, inbox uuid, item_category text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM preferences p
                   WHERE p.environment_id = env AND p.inbox_id = inbox AND p.category = item_category)
$$;

-- Does a category match one of the patterns of a request? 'a.*' matches what begins with 'a.'.
CREATE OR REPLACE FUNCTION category_matches(item_category text, patterns text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT patterns IS NULL OR EXISTS (
        SELECT FROM unnest(patterns) AS pattern
        WHERE item_category = pattern
           OR (right(pattern, 2) = '.*' AND starts_with(item_category, left(pattern, -1))))
$$;

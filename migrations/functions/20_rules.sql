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
    SELECT (r.state * 3 + a.state)::smallint,
           greatest('00000000-0000-0000-0000-000000000000',
                    CASE WHEN a.state = 0 AND view <> 'archived' THEN archive_watermark END,
                    CASE WHEN r.state = 0 AND view = 'unread' THEN read_watermark END),
           least('ffffffff-ffff-ffff-ffff-ffffffffffff',
                 CASE WHEN a.state = 0 AND view = 'archived' THEN archive_watermark END,
                 CASE WHEN r.state = 0 AND view = 'read' THEN read_watermark END)
    FROM generate_series(0, 8) AS s (state)
    CROSS JOIN LATERAL (SELECT s.state / 3 AS state) AS r -- of `read`: 0 the watermark decides, 1 read, 2 not
    CROSS JOIN LATERAL (SELECT s.state % 3 AS state) AS a -- of `archived`: the same
    WHERE a.state <> CASE view WHEN 'archived' THEN 2 ELSE 1 END
      AND r.state <> CASE view WHEN 'unread' THEN 1 WHEN 'read' THEN 2 ELSE -1 END
$$;

-- Sets of override states, as inboxes.override_states has them: bit n stands for state n.
CREATE OR REPLACE FUNCTION has_state(states integer, state integer) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT states & (1 << state) <> 0
$$;

CREATE OR REPLACE FUNCTION states_in(states integer) RETURNS smallint[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(SELECT s::smallint FROM generate_series(0, 8) AS s WHERE has_state(states, s));
END
$$;

-- Those in which `field` ('read' or 'archived'; of 'seen' there are none) is decided item by item.
CREATE OR REPLACE FUNCTION deciding_states(states integer, field text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT states & CASE field
        WHEN 'read' THEN b'111111000'::integer WHEN 'archived' THEN b'110110110'::integer ELSE 0 END
$$;

-- What they become once `field` is left to the watermark.
CREATE OR REPLACE FUNCTION undecided_states(states integer, field text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE field
        WHEN 'read' THEN (states | (states >> 3) | (states >> 6)) & b'000000111'::integer
        WHEN 'archived' THEN (states | (states >> 1) | (states >> 2)) & b'001001001'::integer
        ELSE states END
$$;

-- Muted: hidden from every view and every count, sends no hint. A row of preferences says so.
CREATE OR REPLACE FUNCTION is_muted(env uuid, inbox uuid, item_category text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM preferences p
                   WHERE p.environment_id = env AND p.inbox_id = inbox AND p.category = item_category);
END
$$;

-- The same for a whole page: is_muted() is membership in this.
CREATE OR REPLACE FUNCTION muted_categories(env uuid, inbox uuid) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT p.category FROM preferences p WHERE p.environment_id = env AND p.inbox_id = inbox);
END
$$;

-- Does a category match one of the patterns of a request? 'a.*' matches what begins with 'a.': prefixes
-- holds 'a.' for it. patterns NULL: everything matches.
CREATE OR REPLACE FUNCTION category_matches(item_category text, patterns text[], prefixes text[])
RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT patterns IS NULL OR item_category = ANY (patterns) OR item_category ^@ ANY (prefixes)
$$;

CREATE OR REPLACE FUNCTION category_prefixes(patterns text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(SELECT left(p, -1) FROM unnest(patterns) AS p WHERE right(p, 2) = '.*');
END
$$;

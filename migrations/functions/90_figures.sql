-- What operators watch. All of one snapshot, and bounded.

-- How many monthly partitions begin after now, of each table that has them.
CREATE OR REPLACE FUNCTION partitions_remaining() RETURNS TABLE (parent text, remaining bigint)
LANGUAGE sql STABLE AS $$
    SELECT p.relname::text,
           count(c.oid) FILTER (WHERE to_date(right(c.relname, 7), 'YYYY_MM')
                                      > (clock_timestamp() AT TIME ZONE 'UTC')::date)
    FROM monthly_tables() AS watched (oid)
    JOIN pg_class p ON p.oid = watched.oid
    LEFT JOIN pg_inherits i ON i.inhparent = p.oid AND NOT i.inhdetachpending
    LEFT JOIN pg_class c ON c.oid = i.inhrelid
    GROUP BY p.relname
$$;

-- Up to `most` inboxes of one environment that follow each other, from a random moment of its history on.
CREATE OR REPLACE FUNCTION sample_inboxes(most integer) RETURNS SETOF inboxes
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    env      uuid := (SELECT e.id FROM environments e ORDER BY random() LIMIT 1);
    first_us bigint := position_us((SELECT i.id FROM inboxes i WHERE i.environment_id = env
                                    ORDER BY i.id LIMIT 1));
    last_us  bigint := position_us((SELECT i.id FROM inboxes i WHERE i.environment_id = env
                                    ORDER BY i.id DESC LIMIT 1));
    start    uuid := position_floor(first_us + (random() * (last_us - first_us))::bigint);
BEGIN
    RETURN QUERY
    SELECT i.* FROM inboxes i WHERE i.environment_id = env AND i.id >= start ORDER BY i.id LIMIT most;
END
$$;

-- The maintained counters of one inbox beside a recount of its items, each counted up to most_items.
CREATE OR REPLACE FUNCTION recount(box inboxes, most_categories integer, most_items integer)
RETURNS TABLE (category text, unread bigint, unread_items bigint, unseen bigint, unseen_items bigint)
LANGUAGE sql STABLE ROWS 10 AS $$
    SELECT c.category, least(c.unread, most_items),
           (SELECT count(*) FROM (
                SELECT FROM view_ranges('unread', box.read_notification, box.archive_notification) AS v
                CROSS JOIN LATERAL (
                    SELECT FROM notifications_by_category n
                    WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
                      AND n.category = c.category AND n.override_state = v.override_state
                      AND n.position > greatest(v.above, box.id)
                      AND n.position <= least(v.up_to, position_ceiling(box.last_position_us))
                    LIMIT most_items) AS one
                LIMIT most_items) AS items),
           least(c.unseen, most_items),
           (SELECT count(*) FROM (
                SELECT FROM unnest(states_in(box.override_states)) AS state
                CROSS JOIN LATERAL (
                    SELECT FROM notifications_by_category n
                    WHERE n.environment_id = box.environment_id AND n.inbox_id = box.id
                      AND n.category = c.category AND n.override_state = state
                      AND n.position > greatest(box.seen_notification, box.id)
                      AND n.position <= position_ceiling(box.last_position_us)
                    LIMIT most_items) AS one
                LIMIT most_items) AS items)
    FROM (SELECT * FROM inbox_categories k WHERE k.environment_id = box.environment_id AND k.inbox_id = box.id
          ORDER BY k.category LIMIT most_categories) AS c
$$;

-- Subscribers and their inboxes come and go together.

-- Creates the subscribers that are missing, in the order (environment, subscriber_id) that keeps two
-- batches from waiting for each other. Takes no lock on those that exist.
CREATE OR REPLACE FUNCTION ensure_subscribers(envs uuid[], subscribers_wanted text[], created timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH missing AS MATERIALIZED (
        SELECT DISTINCT w.env, w.subscriber COLLATE "C" AS subscriber
        FROM unnest(envs, subscribers_wanted) AS w (env, subscriber)
        WHERE NOT EXISTS (SELECT FROM subscribers s
                          WHERE s.environment_id = w.env AND s.subscriber_id = w.subscriber)
        ORDER BY 1, 2
    ), born AS (
        INSERT INTO subscribers (environment_id, id, subscriber_id, created_at)
        SELECT m.env, position_at(clock_us()), m.subscriber, coalesce(created, from_us(clock_us()))
        FROM missing m
        ON CONFLICT (environment_id, subscriber_id) DO NOTHING
        RETURNING environment_id, id, created_at
    )
    INSERT INTO inboxes (environment_id, id, broadcasts_from, version)
    SELECT b.environment_id, b.id, position_floor(to_us(b.created_at)), clock_us() FROM born b;
END
$$;

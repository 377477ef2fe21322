-- Subscribers and their inboxes come and go together.

-- The inbox of a person; NULL: no such subscriber. A look-up of its own: joined, one person's inbox could be
-- looked for among all of an environment's.
CREATE OR REPLACE FUNCTION inbox_of(env uuid, subscriber text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT s.id FROM subscribers s WHERE s.environment_id = env AND s.subscriber_id = subscriber);
END
$$;

-- Creates those that are missing, in the order (environment, subscriber_id) that keeps two batches from
-- waiting for each other. Takes no lock on those that exist. createds[n] NULL: now. Returns how many.
-- OFFSET 0 has each looked up by its key.
CREATE OR REPLACE FUNCTION create_subscribers(envs uuid[], wanted text[], createds timestamptz[])
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    created bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(envs, wanted) AS w (env, subscriber)
                   WHERE NOT EXISTS (SELECT FROM subscribers s
                                     WHERE s.environment_id = w.env AND s.subscriber_id = w.subscriber
                                     OFFSET 0)) THEN
        RETURN 0;
    END IF;
    WITH missing AS MATERIALIZED (
        SELECT DISTINCT ON (1, 2) w.env, w.subscriber COLLATE "C" AS subscriber, w.created
        FROM unnest(envs, wanted, createds) WITH ORDINALITY AS w (env, subscriber, created, nth)
        WHERE NOT EXISTS (SELECT FROM subscribers s
                          WHERE s.environment_id = w.env AND s.subscriber_id = w.subscriber OFFSET 0)
        ORDER BY 1, 2, w.nth
    ), born AS (
        INSERT INTO subscribers (environment_id, id, subscriber_id, created_at)
        SELECT m.env, position_at(clock_us()), m.subscriber, coalesce(m.created, from_us(clock_us()))
        FROM missing m
        ON CONFLICT (environment_id, subscriber_id) DO NOTHING
        RETURNING environment_id, id, created_at
    )
    INSERT INTO inboxes (environment_id, id, broadcasts_from, last_position_us, version)
    SELECT b.environment_id, b.id, position_floor(to_us(b.created_at)), position_us(b.id), clock_us()
    FROM born b;
    GET DIAGNOSTICS created = ROW_COUNT;
    RETURN created;
END
$$;

CREATE OR REPLACE FUNCTION insert_subscribers(env uuid, wanted text[], createds timestamptz[]) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT create_subscribers(array_fill(env, ARRAY[cardinality(wanted)]), wanted, createds)
$$;

-- Locks inboxes, in the order that keeps two batches from waiting for each other; box n is of envs[n], and NULL
-- ones are passed over. Returns those that are held now: with skip_busy not those that another transaction
-- holds, and none that is gone.
CREATE OR REPLACE FUNCTION hold_inboxes(envs uuid[], boxes uuid[], skip_busy boolean) RETURNS uuid[]
LANGUAGE plpgsql AS $$
BEGIN
    IF skip_busy THEN
        RETURN ARRAY(
            SELECT box.id
            FROM (SELECT DISTINCT w.env, w.id FROM unnest(envs, boxes) AS w (env, id) ORDER BY 1, 2) AS wanted
            CROSS JOIN LATERAL (SELECT i.id FROM inboxes i
                                WHERE i.environment_id = wanted.env AND i.id = wanted.id
                                LIMIT 1 FOR UPDATE SKIP LOCKED) AS box);
    END IF;
    RETURN ARRAY(
        SELECT box.id
        FROM (SELECT DISTINCT w.env, w.id FROM unnest(envs, boxes) AS w (env, id) ORDER BY 1, 2) AS wanted
        CROSS JOIN LATERAL (SELECT i.id FROM inboxes i
                            WHERE i.environment_id = wanted.env AND i.id = wanted.id
                            LIMIT 1 FOR UPDATE) AS box);
END
$$;

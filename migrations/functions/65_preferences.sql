-- Muting: nothing is written per item, as counts are kept per category and pages step around categories.

-- Applies (category, enabled) pairs in order; the last one of a category decides. muted: all that this
-- person has muted now, sorted. status: unknown_subscriber, unchanged (nothing is written), changed.
CREATE OR REPLACE FUNCTION set_preferences(
    env uuid, subscriber text, wanted_categories text[], wanted_enabled boolean[]
) RETURNS TABLE (status text, muted text[], job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    box     uuid;
    changes bigint;
BEGIN
    SELECT i.id INTO box FROM inboxes i
    WHERE i.environment_id = env AND i.id = inbox_of(env, subscriber)
    FOR UPDATE;
    IF NOT FOUND THEN
        status := 'unknown_subscriber';
        RETURN NEXT;
        RETURN;
    END IF;
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT ON (w.category COLLATE "C") w.category, w.enabled
        FROM unnest(wanted_categories, wanted_enabled) WITH ORDINALITY AS w (category, enabled, nth)
        ORDER BY w.category COLLATE "C", w.nth DESC
    ), unmuted AS (
        DELETE FROM preferences p USING wanted w
        WHERE p.environment_id = env AND p.inbox_id = box AND p.category = w.category AND w.enabled
        RETURNING p.category
    ), newly_muted AS (
        INSERT INTO preferences (environment_id, inbox_id, category)
        SELECT env, box, w.category FROM wanted w WHERE NOT w.enabled
        ON CONFLICT DO NOTHING RETURNING category
    )
    SELECT (SELECT count(*) FROM unmuted) + (SELECT count(*) FROM newly_muted) INTO changes;
    status := 'unchanged';
    IF changes > 0 THEN
        UPDATE inboxes i SET version = i.version + 1 WHERE i.environment_id = env AND i.id = box;
        SELECT o.job_id, o.job INTO job_id, job FROM owe_hint(env, 'preferences', box, 'notification', NULL) o;
        status := 'changed';
    END IF;
    muted := ARRAY(SELECT p.category FROM preferences p
                   WHERE p.environment_id = env AND p.inbox_id = box ORDER BY 1);
    RETURN NEXT;
END
$$;

-- Taking back: cancelling what waits, retracting what was delivered.

-- Cancels or retracts notifications by id. The lock on a waiting row decides between cancelling and
-- delivery: only after it was tried is the item looked for among the delivered ones.
-- withdrawn: how many there were.
CREATE OR REPLACE FUNCTION retract_notifications(env uuid, item_ids uuid[])
RETURNS TABLE (withdrawn bigint, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    waiting   tid[];
    delivered uuid[];
    removed   bigint;
BEGIN
    SELECT array_agg(held.ctid) INTO waiting
    FROM (SELECT DISTINCT w.id FROM unnest(item_ids) AS w (id) ORDER BY 1) AS wanted
    CROSS JOIN LATERAL (SELECT s.ctid FROM scheduled s
                        WHERE s.environment_id = env AND s.id = wanted.id AND s.inbox_id IS NOT NULL
                        LIMIT 1 FOR UPDATE) AS held;
    DELETE FROM scheduled s WHERE s.ctid = ANY (waiting); -- a locked row stays where it is
    GET DIAGNOSTICS withdrawn = ROW_COUNT;
    SELECT array_agg(item.position) INTO delivered
    FROM unnest(item_ids) AS w (id)
    CROSS JOIN LATERAL (SELECT n.position FROM notifications_by_position n
                        WHERE n.environment_id = env AND n.position = notification_position(env, w.id)
                          AND n.id = w.id LIMIT 1) AS item;
    IF delivered IS NOT NULL THEN
        SELECT r.job_id, r.job, r.removed INTO job_id, job, removed
        FROM remove_items(array_fill(env, ARRAY[cardinality(delivered)]), delivered, 'retracted') r;
        withdrawn := withdrawn + coalesce(removed, 0);
    END IF;
    RETURN NEXT;
END
$$;

-- The same for everything that was sent with one idempotency key. No row: the key is unknown.
CREATE OR REPLACE FUNCTION retract_batch(env uuid, batch_key text)
RETURNS TABLE (withdrawn bigint, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    batch uuid[];
BEGIN
    PERFORM lock_keys('notification', ARRAY[env], ARRAY[batch_key]);
    SELECT i.ids INTO batch FROM idempotency i
    WHERE i.environment_id = env AND i.kind = 'notification' AND i.key = batch_key AND is_remembered(i);
    IF FOUND THEN
        RETURN QUERY SELECT * FROM retract_notifications(env, batch);
    END IF;
END
$$;

-- Cancels or retracts a broadcast. status: cancelled, retracted, not_found.
CREATE OR REPLACE FUNCTION retract_broadcast(env uuid, broadcast_id uuid)
RETURNS TABLE (status text, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM scheduled s
    WHERE s.environment_id = env AND s.id = broadcast_id AND s.inbox_id IS NULL FOR UPDATE;
    DELETE FROM scheduled s WHERE s.environment_id = env AND s.id = broadcast_id AND s.inbox_id IS NULL;
    IF FOUND THEN
        status := 'cancelled';
    ELSE
        SELECT r.job_id, r.job INTO job_id, job
        FROM remove_broadcast(env, broadcast_id, 'retracted') r;
        status := CASE WHEN FOUND THEN 'retracted' ELSE 'not_found' END;
    END IF;
    RETURN NEXT;
END
$$;

-- Erases a person: every row about it, whatever waits for it included. Frees the id at once.
-- No row: no such subscriber. The hint is how gateways find that the inbox is gone.
-- Raises serialization_failure when something was scheduled meanwhile that is in other hands: run it again.
CREATE OR REPLACE FUNCTION erase_subscriber(env uuid, subscriber text)
RETURNS TABLE (job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    gone  uuid;
    held  bigint;
    items uuid[];
BEGIN
    gone := inbox_of(env, subscriber);
    IF gone IS NULL THEN
        RETURN;
    END IF;
    -- Waiting rows before the inbox: the order in which a delivery takes them.
    PERFORM FROM scheduled_of_inbox s WHERE s.environment_id = env AND s.inbox_id = gone ORDER BY s.id FOR UPDATE;
    PERFORM FROM inboxes i WHERE i.environment_id = env AND i.id = gone FOR UPDATE;
    IF NOT FOUND THEN
        RETURN; -- another erasure was first
    END IF;
    -- What was scheduled before the inbox was held may be in the hands of a delivery or a cancellation that
    -- waits for this inbox. Waiting for it here would be a deadlock: make way, and start over.
    SELECT count(*) INTO held FROM (
        SELECT FROM scheduled_of_inbox s WHERE s.environment_id = env AND s.inbox_id = gone
        FOR UPDATE SKIP LOCKED) AS s;
    IF held < (SELECT count(*) FROM scheduled_of_inbox s WHERE s.environment_id = env AND s.inbox_id = gone) THEN
        RAISE serialization_failure USING MESSAGE = 'something was scheduled for this subscriber meanwhile';
    END IF;
    WITH item AS (
        DELETE FROM notifications_by_state n WHERE n.environment_id = env AND n.inbox_id = gone
        RETURNING n.position, n.id
    ), unfound AS (
        DELETE FROM scheduled_positions p USING item
        WHERE p.environment_id = env AND p.id = item.id AND item.id <> item.position
    )
    SELECT array_agg(item.position) INTO items FROM item;
    -- After the items, not with them: see FINISH_HINT_JOBS in app/db/outbox.py.
    DELETE FROM timeline t WHERE t.environment_id = env AND t.position = ANY (items);
    DELETE FROM scheduled_of_inbox s WHERE s.environment_id = env AND s.inbox_id = gone;
    DELETE FROM inbox_categories c WHERE c.environment_id = env AND c.inbox_id = gone;
    DELETE FROM preferences p WHERE p.environment_id = env AND p.inbox_id = gone;
    DELETE FROM broadcast_overrides o WHERE o.environment_id = env AND o.inbox_id = gone;
    DELETE FROM watermark_moves m WHERE m.environment_id = env AND m.inbox_id = gone;
    DELETE FROM dead_letters d WHERE d.environment_id = env AND d.id = gone; -- before where a replay puts it
    DELETE FROM outbox o WHERE o.environment_id = env AND o.id = gone;
    DELETE FROM inboxes i WHERE i.environment_id = env AND i.id = gone;
    DELETE FROM subscribers_by_id s WHERE s.environment_id = env AND s.id = gone;
    SELECT o.job_id, o.job INTO job_id, job FROM owe_hint(env, 'resync', gone, 'notification', NULL) o;
    RETURN NEXT;
END
$$;

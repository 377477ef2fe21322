-- archive-read: archives, in chunks, what is read.

-- Asks for it. The job remembers how far the inbox reached then; its id is the inbox's, so that asking
-- again while it waits or runs adds nothing. No row: no such subscriber.
CREATE OR REPLACE FUNCTION ask_archive_read(env uuid, subscriber text) RETURNS TABLE (inbox_id uuid)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    box inboxes;
BEGIN
    SELECT i.* INTO box FROM inboxes i
    WHERE i.environment_id = env AND i.id = inbox_of(env, subscriber)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
    SELECT env, box.id, 'archive_read',
           jsonb_build_object('notification', position_ceiling(box.last_position_us),
                              'broadcast', position_ceiling(h.last_position_us)),
           clock_timestamp()
    FROM broadcast_heads h WHERE h.environment_id = env
    ON CONFLICT DO NOTHING;
    inbox_id := box.id;
    RETURN NEXT;
END
$$;

-- Archives up to `chunk` items of each source at or below the two positions that are read and not yet
-- archived, newest first, and moves the positions below what it looked at: each item is reached once.
-- more false: there is nothing left. Counters stay: what is read is not counted.
CREATE OR REPLACE FUNCTION archive_read_chunk(
    env uuid, inbox uuid, INOUT below_notification uuid, INOUT below_broadcast uuid, chunk integer,
    OUT more boolean, OUT job_id uuid, OUT job jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    nothing constant uuid := '00000000-0000-0000-0000-000000000000';
    box     inboxes;
    done_n  bigint;
    done_b  bigint;
    states  integer; -- that the items reached have now, as inboxes.override_states
BEGIN
    more := false;
    SELECT i.* INTO box FROM inboxes i WHERE i.environment_id = env AND i.id = inbox FOR UPDATE;
    IF NOT FOUND THEN
        RETURN; -- erased meanwhile
    END IF;
    WITH reached AS MATERIALIZED (
        SELECT n.position, n.row_at
        FROM view_ranges('read', box.read_notification, box.archive_notification) v
        CROSS JOIN LATERAL (
            SELECT n.position, n.row_at FROM notifications_by_state n
            WHERE n.environment_id = env AND n.inbox_id = inbox AND n.override_state = v.override_state
              AND n.position > v.above AND n.position <= v.up_to
              AND n.position > box.id AND n.position <= below_notification
            ORDER BY n.position DESC LIMIT chunk) AS n
        WHERE has_state(box.override_states, v.override_state)
        ORDER BY n.position DESC LIMIT chunk
    ), archived AS (
        UPDATE notifications n
        SET archived = override_for(true, n.position, box.archive_notification)
        FROM reached r WHERE n.position = r.position AND n.ctid = r.row_at
        RETURNING n.override_state
    )
    SELECT count(*), CASE count(*) WHEN 0 THEN nothing
                     ELSE position_ceiling(min(position_us(r.position)) - 1) END,
           coalesce((SELECT bit_or(1 << a.override_state) FROM archived a), 0)
    INTO done_n, below_notification, states FROM reached r;
    WITH reached AS MATERIALIZED (
        SELECT b.position, o.read, o.row_at
        FROM broadcasts b
        LEFT JOIN LATERAL (SELECT d.ctid AS row_at, d.read, d.archived FROM broadcast_overrides d
                           WHERE d.environment_id = env AND d.inbox_id = inbox AND d.position = b.position
                           LIMIT 1) AS o ON true
        WHERE b.environment_id = env AND b.position >= box.broadcasts_from AND b.position <= below_broadcast
          AND in_view('read', o.read, o.archived, b.position, box.read_broadcast, box.archive_broadcast)
        ORDER BY b.position DESC LIMIT chunk
    ), redundant AS (
        DELETE FROM broadcast_overrides o WHERE o.ctid = ANY (ARRAY(
            SELECT r.row_at FROM reached r WHERE r.read IS NULL AND r.position <= box.archive_broadcast))
    ), archived AS (
        INSERT INTO broadcast_overrides (environment_id, inbox_id, position, read, archived)
        SELECT env, inbox, r.position, r.read, override_for(true, r.position, box.archive_broadcast)
        FROM reached r WHERE r.position > box.archive_broadcast OR r.read IS NOT NULL
        ON CONFLICT (environment_id, inbox_id, position) DO UPDATE SET archived = excluded.archived
    )
    SELECT count(*), CASE count(*) WHEN 0 THEN nothing
                     ELSE position_ceiling(min(position_us(r.position)) - 1) END
    INTO done_b, below_broadcast FROM reached r;
    IF done_n + done_b > 0 THEN
        UPDATE inboxes i SET version = i.version + 1, override_states = i.override_states | states
        WHERE i.environment_id = env AND i.id = inbox;
        SELECT o.job_id, o.job INTO job_id, job
        FROM owe_hint(env, 'archive_state', inbox, 'notification', NULL) o;
    END IF;
    more := done_n = chunk OR done_b = chunk;
END
$$;

-- One chunk of the job whose id is this inbox's: its effects, and the job's progress or end, commit
-- together. done true: the job is gone.
CREATE OR REPLACE FUNCTION run_archive_read(env uuid, inbox uuid, chunk integer)
RETURNS TABLE (done boolean, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    place jsonb;
    step  record;
BEGIN
    done := true;
    -- The inbox before its job, as ask_archive_read() and erase_subscriber() take them.
    PERFORM FROM inboxes i WHERE i.environment_id = env AND i.id = inbox FOR UPDATE;
    SELECT coalesce(o.cursor, o.payload) INTO place FROM outbox o
    WHERE o.environment_id = env AND o.id = inbox AND o.job_type = 'archive_read' FOR UPDATE;
    IF FOUND THEN
        SELECT * INTO step FROM archive_read_chunk(
            env, inbox, (place ->> 'notification')::uuid, (place ->> 'broadcast')::uuid, chunk);
        job_id := step.job_id;
        job := step.job;
        IF step.more THEN
            done := false;
            UPDATE outbox o SET run_at = clock_timestamp(), attempts = 0,
                cursor = jsonb_build_object('notification', step.below_notification,
                                            'broadcast', step.below_broadcast)
            WHERE o.environment_id = env AND o.id = inbox;
        ELSE
            DELETE FROM outbox o WHERE o.environment_id = env AND o.id = inbox;
        END IF;
    END IF;
    RETURN NEXT;
END
$$;

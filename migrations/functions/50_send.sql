-- Sending: one call, one transaction, for any number of requests of any environments.

-- A record stands for 30 days, or as long as an item of it still waits to be delivered.
CREATE OR REPLACE FUNCTION is_remembered(record idempotency) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT record.created_at > clock_timestamp() - interval '30 days'
        OR (record.deliver_at IS NOT NULL
            AND EXISTS (SELECT FROM scheduled s
                        WHERE s.environment_id = record.environment_id AND s.id = ANY (record.ids)))
$$;

-- What becomes of a request: 'replayed' or 'conflict' where its key is known, 'deliver_at_past',
-- 'deliver_at_far' or 'expires_at_past' where its times are wrong, else 'created'.
-- A known key answers before the times are looked at: by then deliver_at may well have passed.
CREATE OR REPLACE FUNCTION judge_request(
    env uuid, request_kind text, request_key text, request_fingerprint bytea,
    deliver timestamptz, expires timestamptz
) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(
        (SELECT CASE WHEN i.fingerprint = request_fingerprint THEN 'replayed' ELSE 'conflict' END
         FROM idempotency i
         WHERE i.environment_id = env AND i.kind = request_kind AND i.key = request_key AND is_remembered(i)),
        CASE
            WHEN deliver <= clock_timestamp() THEN 'deliver_at_past'
            WHEN deliver > clock_timestamp() + interval '13 months' THEN 'deliver_at_far'
            WHEN expires <= coalesce(deliver, clock_timestamp()) THEN 'expires_at_past'
            ELSE 'created'
        END)
$$;

-- Serialises requests with the same idempotency key. Sorted, so that two batches cannot deadlock.
CREATE OR REPLACE FUNCTION lock_keys(request_kind text, envs uuid[], keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(k.lock) FROM (
        SELECT DISTINCT hashtextextended(concat_ws('/', 'idempotency', request_kind, w.env, w.key), 0) AS lock
        FROM unnest(envs, keys) AS w (env, key) ORDER BY 1) AS k;
END
$$;

-- The moment from which any worker may take a job that its own process is about to finish.
CREATE OR REPLACE FUNCTION lease_end(now_us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT from_us(now_us + 2000000)
$$;

-- Request n is element n of the first seven arrays; recipient m is recipients[m] of request
-- recipient_requests[m]. No two requests of one call share a key; no request names a person twice.
-- One row per request; status as judge_request(). ids, inbox_ids and muted run along subscriber_ids.
-- job_id is the hint job, NULL when there is nobody to hint (muted by all, or scheduled).
-- Raises serialization_failure when a recipient was erased meanwhile: run it again.
CREATE OR REPLACE FUNCTION send_notifications(
    envs uuid[], keys text[], fingerprints bytea[], request_categories text[], payloads text[],
    deliver_ats timestamptz[], expires_ats timestamptz[],
    recipient_requests integer[], recipients text[]
) RETURNS TABLE (
    request integer, status text, subscriber_ids text[], ids uuid[], inbox_ids uuid[], muted boolean[],
    job_id uuid, accepted_us bigint
)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    verdicts     text[];
    wanted_envs  uuid[];
    wanted_names text[];
    locked       bigint;
    now_us       bigint;
BEGIN
    PERFORM lock_keys('notification', envs, keys);
    SELECT array_agg(judge_request(q.env, 'notification', q.key, q.fingerprint, q.deliver, q.expires)
                     ORDER BY q.request)
    INTO verdicts
    FROM unnest(envs, keys, fingerprints, deliver_ats, expires_ats)
         WITH ORDINALITY AS q (env, key, fingerprint, deliver, expires, request);

    RETURN QUERY
    SELECT q.request::integer, verdicts[q.request], i.subscriber_ids, i.ids,
           NULL::uuid[], NULL::boolean[], NULL::uuid, NULL::bigint
    FROM unnest(envs, keys) WITH ORDINALITY AS q (env, key, request)
    LEFT JOIN idempotency i
        ON i.environment_id = q.env AND i.kind = 'notification' AND i.key = q.key
           AND verdicts[q.request] = 'replayed'
    WHERE verdicts[q.request] <> 'created';

    SELECT array_agg(w.env), array_agg(w.subscriber) INTO wanted_envs, wanted_names
    FROM (SELECT DISTINCT envs[r.request] AS env, r.subscriber
          FROM unnest(recipient_requests, recipients) AS r (request, subscriber)
          WHERE verdicts[r.request] = 'created') AS w;
    IF wanted_envs IS NULL THEN
        RETURN;
    END IF;
    PERFORM ensure_subscribers(wanted_envs, wanted_names, NULL);
    SELECT count(*) INTO locked FROM (
        SELECT FROM unnest(wanted_envs, wanted_names) AS w (env, subscriber)
        JOIN subscribers s ON s.environment_id = w.env AND s.subscriber_id = w.subscriber
        JOIN inboxes i ON i.environment_id = s.environment_id AND i.id = s.id
        ORDER BY i.environment_id, i.id FOR UPDATE OF i) AS held;
    IF locked < cardinality(wanted_envs) THEN
        RAISE serialization_failure USING MESSAGE = 'a recipient was erased meanwhile';
    END IF;

    -- Every inbox is held: from here on the clock decides, and nothing comes between.
    now_us := clock_us();
    RETURN QUERY
    WITH target AS MATERIALIZED (
        SELECT r.request, r.nth, q.env, q.category, q.payload::json AS payload, q.deliver, q.expires,
               s.subscriber_id, i.id AS inbox_id,
               next_us(i.last_position_us, now_us) AS first_us,
               row_number() OVER (PARTITION BY i.id, q.deliver IS NULL ORDER BY r.request) - 1 AS later,
               is_muted(q.env, i.id, q.category) AS muted
        FROM unnest(recipient_requests, recipients) WITH ORDINALITY AS r (request, subscriber, nth)
        JOIN unnest(envs, request_categories, payloads, deliver_ats, expires_ats)
             WITH ORDINALITY AS q (env, category, payload, deliver, expires, request)
            ON q.request = r.request
        JOIN subscribers s ON s.environment_id = q.env AND s.subscriber_id = r.subscriber
        JOIN inboxes i ON i.environment_id = s.environment_id AND i.id = s.id
        WHERE verdicts[r.request] = 'created'
    ), item AS MATERIALIZED (
        SELECT t.*, t.first_us + t.later AS us,
               position_at(CASE WHEN t.deliver IS NULL THEN t.first_us + t.later ELSE now_us END) AS id
        FROM target t
    ), delivered AS (
        INSERT INTO notifications (environment_id, inbox_id, position, id, expires_at, category, payload)
        SELECT n.env, n.inbox_id, n.id, n.id, n.expires, n.category, n.payload
        FROM item n WHERE n.deliver IS NULL
    ), waiting AS (
        INSERT INTO scheduled (environment_id, id, inbox_id, category, payload, created_at, deliver_at,
                               expires_at, idempotency_key)
        SELECT n.env, n.id, n.inbox_id, n.category, n.payload, from_us(now_us), n.deliver, n.expires,
               keys[n.request]
        FROM item n WHERE n.deliver IS NOT NULL
    ), moved AS (
        UPDATE inboxes i SET last_position_us = m.us, version = i.version + 1
        FROM (SELECT n.env, n.inbox_id, max(n.us) AS us
              FROM item n WHERE n.deliver IS NULL GROUP BY n.env, n.inbox_id) AS m
        WHERE i.environment_id = m.env AND i.id = m.inbox_id
    ), counted AS (
        INSERT INTO inbox_categories AS c (environment_id, inbox_id, category, unread, unseen)
        SELECT n.env, n.inbox_id, n.category, count(*), count(*)
        FROM item n WHERE n.deliver IS NULL GROUP BY n.env, n.inbox_id, n.category
        ON CONFLICT (environment_id, inbox_id, category)
            DO UPDATE SET unread = c.unread + excluded.unread, unseen = c.unseen + excluded.unseen
        RETURNING c.environment_id AS env, c.category, c.xmax = 0 AS is_new
    ), named AS (
        INSERT INTO categories (environment_id, category)
        SELECT DISTINCT c.env, c.category FROM counted c WHERE c.is_new ORDER BY 1, 2
        ON CONFLICT DO NOTHING
    ), hint AS MATERIALIZED (
        SELECT n.env, n.request, position_at(now_us) AS job_id,
               jsonb_build_object('reason', 'notification', 'source', 'notification', 'at_us', now_us,
                   'hints', jsonb_agg(jsonb_build_array(n.inbox_id, n.id) ORDER BY n.nth)) AS payload
        FROM item n WHERE n.deliver IS NULL AND NOT n.muted GROUP BY n.env, n.request
    ), owed AS (
        INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
        SELECT h.env, h.job_id, 'hint', h.payload, lease_end(now_us) FROM hint h
    ), answer AS MATERIALIZED (
        SELECT n.env, n.request, max(n.deliver) AS deliver,
               array_agg(n.subscriber_id ORDER BY n.nth) AS subscriber_ids,
               array_agg(n.id ORDER BY n.nth) AS ids,
               array_agg(n.inbox_id ORDER BY n.nth) AS inbox_ids,
               array_agg(n.muted OR n.deliver IS NOT NULL ORDER BY n.nth) AS muted
        FROM item n GROUP BY n.env, n.request
    ), remembered AS (
        INSERT INTO idempotency AS i (environment_id, kind, key, fingerprint, subscriber_ids, ids,
                                      created_at, deliver_at)
        SELECT a.env, 'notification', keys[a.request], fingerprints[a.request], a.subscriber_ids, a.ids,
               from_us(now_us), a.deliver
        FROM answer a
        ON CONFLICT (environment_id, kind, key) DO UPDATE -- a record that has had its time
            SET fingerprint = excluded.fingerprint, subscriber_ids = excluded.subscriber_ids,
                ids = excluded.ids, created_at = excluded.created_at, deliver_at = excluded.deliver_at
    )
    SELECT a.request, 'created', a.subscriber_ids, a.ids, a.inbox_ids, a.muted, h.job_id, now_us
    FROM answer a LEFT JOIN hint h ON h.request = a.request;
END
$$;

-- One broadcast: one row, whatever the number of subscribers. status as judge_request(). Replayed: id and
-- created_us are those of the first time.
CREATE OR REPLACE FUNCTION send_broadcast(
    env uuid, request_key text, request_fingerprint bytea, request_category text, request_payload text,
    deliver timestamptz, expires timestamptz
) RETURNS TABLE (status text, id uuid, created_us bigint, job_id uuid)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    head   broadcast_heads;
    now_us bigint;
BEGIN
    PERFORM lock_keys('broadcast', ARRAY[env], ARRAY[request_key]);
    status := judge_request(env, 'broadcast', request_key, request_fingerprint, deliver, expires);
    IF status = 'replayed' THEN
        SELECT i.ids[1], to_us(i.created_at) INTO STRICT id, created_us FROM idempotency i
        WHERE i.environment_id = env AND i.kind = 'broadcast' AND i.key = request_key;
    END IF;
    IF status <> 'created' THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF deliver IS NULL THEN
        SELECT h.* INTO STRICT head FROM broadcast_heads h WHERE h.environment_id = env FOR UPDATE;
        created_us := next_us(head.last_position_us, clock_us());
        id := position_at(created_us);
        INSERT INTO broadcasts (environment_id, position, id, expires_at, category, idempotency_key, payload)
        VALUES (env, id, id, expires, request_category, request_key, request_payload::json);
        UPDATE broadcast_heads h SET last_position_us = created_us, version = h.version + 1
        WHERE h.environment_id = env;
        INSERT INTO categories (environment_id, category) VALUES (env, request_category) ON CONFLICT DO NOTHING;
        job_id := position_at(created_us);
        INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
        VALUES (env, job_id, 'hint',
                jsonb_build_object('reason', 'broadcast', 'source', 'broadcast', 'at_us', created_us, 'category', request_category,
                                   'hints', jsonb_build_array(jsonb_build_array(NULL, id))),
                lease_end(clock_us()));
    ELSE
        created_us := clock_us();
        id := position_at(created_us);
        INSERT INTO scheduled (environment_id, id, inbox_id, category, payload, created_at, deliver_at,
                               expires_at, idempotency_key)
        VALUES (env, id, NULL, request_category, request_payload::json, from_us(created_us), deliver,
                expires, request_key);
    END IF;
    INSERT INTO idempotency AS i (environment_id, kind, key, fingerprint, ids, created_at, deliver_at)
    VALUES (env, 'broadcast', request_key, request_fingerprint, ARRAY[id], from_us(created_us), deliver)
    ON CONFLICT (environment_id, kind, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, ids = excluded.ids, created_at = excluded.created_at,
            deliver_at = excluded.deliver_at;
    RETURN NEXT;
END
$$;

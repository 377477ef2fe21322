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

-- Request n is element n of the first seven arrays; recipient m is recipients[m] of request
-- recipient_requests[m]. No two requests of one call share a key; no request names a person twice.
-- One row per request; status as judge_request(), or busy: with skip_busy, a request that names an inbox
-- which is held (or gone) is left out, so that it keeps nobody else's waiting. ids run along subscriber_ids.
-- Raises serialization_failure when a recipient was erased meanwhile: run it again.
CREATE OR REPLACE FUNCTION send_notifications(
    envs uuid[], keys text[], fingerprints bytea[], request_categories text[], payloads text[],
    deliver_ats timestamptz[], expires_ats timestamptz[],
    recipient_requests integer[], recipients text[], skip_busy boolean
) RETURNS TABLE (
    request integer, status text, subscriber_ids text[], ids uuid[], job_id uuid, job jsonb
)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    verdicts     text[];
    wanted_envs  uuid[];
    wanted_names text[];
    held         uuid[];
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
           NULL::uuid, NULL::jsonb
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
    PERFORM create_subscribers(wanted_envs, wanted_names, NULL);
    IF skip_busy THEN
        SELECT array_agg(i.id) INTO held FROM (
            SELECT i.id FROM unnest(wanted_envs, wanted_names) AS w (env, subscriber)
            JOIN subscribers s ON s.environment_id = w.env AND s.subscriber_id = w.subscriber
            JOIN inboxes i ON i.environment_id = s.environment_id AND i.id = s.id
            ORDER BY i.environment_id, i.id FOR UPDATE OF i SKIP LOCKED) AS i;
        IF coalesce(cardinality(held), 0) < cardinality(wanted_envs) THEN
            verdicts := ARRAY(
                SELECT CASE WHEN v.verdict = 'created' AND EXISTS (
                    SELECT FROM unnest(recipient_requests, recipients) AS r (request, subscriber)
                    LEFT JOIN subscribers s
                        ON s.environment_id = envs[r.request] AND s.subscriber_id = r.subscriber
                    WHERE r.request = v.request AND (s.id = ANY (held)) IS NOT TRUE)
                THEN 'busy' ELSE v.verdict END
                FROM unnest(verdicts) WITH ORDINALITY AS v (verdict, request) ORDER BY v.request);
            RETURN QUERY
            SELECT v.request::integer, v.verdict, NULL::text[], NULL::uuid[], NULL::uuid, NULL::jsonb
            FROM unnest(verdicts) WITH ORDINALITY AS v (verdict, request) WHERE v.verdict = 'busy';
        END IF;
    ELSE
        SELECT array_agg(i.id) INTO held FROM (
            SELECT i.id FROM unnest(wanted_envs, wanted_names) AS w (env, subscriber)
            JOIN subscribers s ON s.environment_id = w.env AND s.subscriber_id = w.subscriber
            JOIN inboxes i ON i.environment_id = s.environment_id AND i.id = s.id
            ORDER BY i.environment_id, i.id FOR UPDATE OF i) AS i;
        IF coalesce(cardinality(held), 0) < cardinality(wanted_envs) THEN
            RAISE serialization_failure USING MESSAGE = 'a recipient was erased meanwhile';
        END IF;
    END IF;

    -- Every inbox is held. Scheduled items wait in their own table; the others become visible now.
    now_us := clock_us();
    RETURN QUERY
    WITH target AS MATERIALIZED (
        SELECT r.request, r.nth, q.env, q.category, q.payload, q.deliver, q.expires, s.subscriber_id,
               s.id AS inbox_id, CASE WHEN q.deliver IS NOT NULL THEN position_at(now_us) END AS waiting_id
        FROM unnest(recipient_requests, recipients) WITH ORDINALITY AS r (request, subscriber, nth)
        JOIN unnest(envs, request_categories, payloads, deliver_ats, expires_ats)
             WITH ORDINALITY AS q (env, category, payload, deliver, expires, request)
            ON q.request = r.request
        JOIN subscribers s ON s.environment_id = q.env AND s.subscriber_id = r.subscriber
        WHERE verdicts[r.request] = 'created'
    ), waiting AS (
        INSERT INTO scheduled (environment_id, id, inbox_id, category, payload, created_at, deliver_at,
                               place, expires_at, idempotency_key)
        SELECT t.env, t.waiting_id, t.inbox_id, t.category, t.payload::json, from_us(now_us), t.deliver,
               waiting_place(t.deliver, t.waiting_id), t.expires, keys[t.request]
        FROM target t WHERE t.deliver IS NOT NULL
    ), immediate AS MATERIALIZED (
        SELECT t.*, row_number() OVER (ORDER BY t.nth) AS at FROM target t WHERE t.deliver IS NULL
    ), columns AS MATERIALIZED (
        SELECT array_agg(t.env ORDER BY t.at) AS envs, array_agg(t.inbox_id ORDER BY t.at) AS inbox_ids,
               array_agg(NULL::uuid) AS ids, array_agg(t.category ORDER BY t.at) AS item_categories,
               array_agg(t.payload ORDER BY t.at) AS payloads, array_agg(NULL::timestamptz) AS none,
               array_agg(t.expires ORDER BY t.at) AS expireses, array_agg(t.request ORDER BY t.at) AS job_groups
        FROM immediate t
    ), delivered AS MATERIALIZED (
        SELECT d.* FROM columns c
        CROSS JOIN LATERAL deliver_items(c.envs, c.inbox_ids, c.ids, c.item_categories, c.payloads, c.none,
                                         c.none, c.expireses, c.job_groups) AS d
        WHERE c.envs IS NOT NULL
    ), item AS MATERIALIZED (
        SELECT t.env, t.request, t.nth, t.subscriber_id, t.deliver,
               coalesce(t.waiting_id, d.item) AS id, d.job_id, d.job
        FROM target t
        LEFT JOIN immediate i ON i.nth = t.nth
        LEFT JOIN delivered d ON d.nth = i.at
    ), answer AS MATERIALIZED (
        SELECT n.env, n.request, max(n.deliver) AS deliver,
               array_agg(n.subscriber_id ORDER BY n.nth) AS subscriber_ids,
               array_agg(n.id ORDER BY n.nth) AS ids,
               (array_agg(n.job_id) FILTER (WHERE n.job_id IS NOT NULL))[1] AS job_id,
               (array_agg(n.job) FILTER (WHERE n.job_id IS NOT NULL))[1] AS job
        FROM item n GROUP BY n.env, n.request
    ), remembered AS (
        INSERT INTO idempotency (environment_id, kind, key, fingerprint, subscriber_ids, ids, created_at,
                                 deliver_at)
        SELECT a.env, 'notification', keys[a.request], fingerprints[a.request], a.subscriber_ids, a.ids,
               from_us(now_us), a.deliver
        FROM answer a
        ON CONFLICT (environment_id, kind, key) DO UPDATE -- a record that has had its time
            SET fingerprint = excluded.fingerprint, subscriber_ids = excluded.subscriber_ids,
                ids = excluded.ids, created_at = excluded.created_at, deliver_at = excluded.deliver_at
    )
    SELECT a.request, 'created', a.subscriber_ids, a.ids, a.job_id, a.job FROM answer a;
END
$$;

-- One broadcast: one row, whatever the number of subscribers. status as judge_request(). Replayed: id and
-- created_us are those of the first time.
CREATE OR REPLACE FUNCTION send_broadcast(
    env uuid, request_key text, request_fingerprint bytea, request_category text, request_payload text,
    deliver timestamptz, expires timestamptz
) RETURNS TABLE (status text, id uuid, created_us bigint, job_id uuid, job jsonb)
LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
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
        SELECT d.item, d.delivered_us, d.job_id, d.job INTO id, created_us, job_id, job
        FROM deliver_broadcast(env, NULL, request_category, request_payload, request_key, NULL, NULL, expires) d;
    ELSE
        created_us := clock_us();
        id := position_at(created_us);
        INSERT INTO scheduled (environment_id, id, inbox_id, category, payload, created_at, deliver_at,
                               place, expires_at, idempotency_key)
        VALUES (env, id, NULL, request_category, request_payload::json, from_us(created_us), deliver,
                waiting_place(deliver, id), expires, request_key);
    END IF;
    INSERT INTO idempotency AS i (environment_id, kind, key, fingerprint, ids, created_at, deliver_at)
    VALUES (env, 'broadcast', request_key, request_fingerprint, ARRAY[id], from_us(created_us), deliver)
    ON CONFLICT (environment_id, kind, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, ids = excluded.ids, created_at = excluded.created_at,
            deliver_at = excluded.deliver_at;
    RETURN NEXT;
END
$$;

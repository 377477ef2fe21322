-- Sending: one call, one transaction, for any number of requests of any environments.

-- A record stands for 30 days, or as long as an item of it still waits to be delivered.
CREATE OR REPLACE FUNCTION is_remembered(record idempotency) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN record.created_at > clock_timestamp() - interval '30 days'
        OR (record.deliver_at IS NOT NULL
            AND EXISTS (SELECT FROM scheduled s
                        WHERE s.environment_id = record.environment_id AND s.id = ANY (record.ids)));
END
$$;

-- What becomes of a request: 'replayed' or 'conflict' where its key is known (then `known` is the first
-- request's fingerprint), 'deliver_at_past', 'deliver_at_far' or 'expires_at_past' where its times are wrong,
-- else 'created'. A known key answers before the times are looked at: by then deliver_at may well have passed.
CREATE OR REPLACE FUNCTION judge_request(
    known bytea, request_fingerprint bytea, deliver timestamptz, expires timestamptz
) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT CASE
        WHEN known = request_fingerprint THEN 'replayed'
        WHEN known IS NOT NULL THEN 'conflict'
        WHEN deliver <= clock_timestamp() THEN 'deliver_at_past'
        WHEN deliver > clock_timestamp() + interval '13 months' THEN 'deliver_at_far'
        WHEN expires <= coalesce(deliver, clock_timestamp()) THEN 'expires_at_past'
        ELSE 'created'
    END
$$;

-- What requests with the same idempotency key hold in turn.
CREATE OR REPLACE FUNCTION key_lock(request_kind text, env uuid, key text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(concat_ws('/', 'idempotency', request_kind, env, key), 0)
$$;

-- Serialises requests with the same idempotency key. Sorted, so that two batches cannot deadlock.
CREATE OR REPLACE FUNCTION lock_keys(request_kind text, envs uuid[], keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(k.lock) FROM (
        SELECT DISTINCT key_lock(request_kind, w.env, w.key) AS lock
        FROM unnest(envs, keys) AS w (env, key) ORDER BY 1) AS k;
END
$$;

-- The same without waiting: element n says whether key n is held now.
CREATE OR REPLACE FUNCTION try_keys(request_kind text, envs uuid[], keys text[]) RETURNS boolean[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT pg_try_advisory_xact_lock(key_lock(request_kind, w.env, w.key))
        FROM unnest(envs, keys) WITH ORDINALITY AS w (env, key, nth) ORDER BY w.nth);
END
$$;

-- Request n is element n of the first seven arrays; recipient m is recipients[m] of request
-- recipient_requests[m]. deliver_ats or expires_ats NULL: no request has one. No two requests of one call share
-- a key; no request names a person twice.
-- One row per request; status as judge_request(), or busy: with skip_busy, a request whose key or one of whose
-- inboxes is held elsewhere (or gone) is left out, so that it keeps nobody else's waiting. ids run along its
-- recipients: a request that is answered again names the same ones, in the same order. And one row per hint job
-- owed, one an environment, with a request of that environment and no status.
-- Raises serialization_failure when a recipient was erased meanwhile: run it again.
DROP FUNCTION IF EXISTS send_notifications(uuid[], text[], bytea[], text[], text[], timestamptz[], timestamptz[],
                                           integer[], text[], boolean); -- it returned more
CREATE OR REPLACE FUNCTION send_notifications(
    envs uuid[], keys text[], fingerprints bytea[], request_categories text[], payloads text[],
    deliver_ats timestamptz[], expires_ats timestamptz[],
    recipient_requests integer[], recipients text[], skip_busy boolean
) RETURNS TABLE (
    request integer, status text, ids uuid[], job_id uuid, job jsonb
)
LANGUAGE plpgsql ROWS 64 AS $$
#variable_conflict use_column
DECLARE
    verdicts         text[];
    keys_held        boolean[]; -- NULL: all
    outdated         boolean; -- has a key a record that has had its time?
    item_requests    integer[]; -- element n of these four: of the nth item to make, in the order of the requests
    item_envs        uuid[];
    item_subscribers text[];
    item_inboxes     uuid[];
    held             uuid[];
    now_us           bigint;
    waiting_ids      uuid[]; -- of the nth item, NULL where it becomes visible now
BEGIN
    IF skip_busy THEN
        keys_held := try_keys('notification', envs, keys);
    ELSE
        PERFORM lock_keys('notification', envs, keys);
    END IF;
    SELECT array_agg(CASE WHEN keys_held[q.request] IS FALSE THEN 'busy'
                          ELSE judge_request(q.known, q.fingerprint, q.deliver, q.expires) END),
           bool_or(q.outdated)
    INTO verdicts, outdated
    FROM (SELECT r.*, CASE WHEN i.key IS NOT NULL AND is_remembered(i) THEN i.fingerprint END AS known,
                 i.key IS NOT NULL AND NOT is_remembered(i) AS outdated
          FROM unnest(envs, keys, fingerprints, deliver_ats, expires_ats)
               WITH ORDINALITY AS r (env, key, fingerprint, deliver, expires, request)
          LEFT JOIN LATERAL (SELECT i.* FROM idempotency i
                             WHERE i.environment_id = r.env AND i.kind = 'notification' AND i.key = r.key
                             LIMIT 1) AS i ON true
          ORDER BY r.request) AS q;
    IF 'created' <> ANY (verdicts) THEN
        RETURN QUERY
        SELECT q.request::integer, verdicts[q.request], i.ids, NULL::uuid, NULL::jsonb
        FROM unnest(envs, keys) WITH ORDINALITY AS q (env, key, request)
        LEFT JOIN LATERAL (SELECT k.* FROM idempotency k
                           WHERE k.environment_id = q.env AND k.kind = 'notification' AND k.key = q.key
                             AND verdicts[q.request] = 'replayed' LIMIT 1) AS i ON true
        WHERE verdicts[q.request] NOT IN ('created', 'busy');
    END IF;
    IF outdated THEN
        DELETE FROM idempotency i WHERE i.ctid = ANY (ARRAY(
            SELECT one.ctid FROM unnest(envs, keys) WITH ORDINALITY AS q (env, key, request)
            CROSS JOIN LATERAL (SELECT k.ctid FROM idempotency k
                                WHERE k.environment_id = q.env AND k.kind = 'notification' AND k.key = q.key
                                LIMIT 1) AS one
            WHERE verdicts[q.request] = 'created'));
    END IF;

    SELECT array_agg(r.request), array_agg(r.env), array_agg(r.subscriber), array_agg(r.inbox_id)
    INTO item_requests, item_envs, item_subscribers, item_inboxes
    FROM (SELECT w.request, envs[w.request] AS env, w.subscriber, s.id AS inbox_id
          FROM unnest(recipient_requests, recipients) WITH ORDINALITY AS w (request, subscriber, nth)
          LEFT JOIN LATERAL (SELECT s.id FROM subscribers s
                             WHERE s.environment_id = envs[w.request] AND s.subscriber_id = w.subscriber
                             LIMIT 1) AS s ON true
          WHERE verdicts[w.request] = 'created' ORDER BY w.nth) AS r;
    IF array_position(item_inboxes, NULL) IS NOT NULL THEN
        PERFORM create_subscribers(item_envs, item_subscribers, NULL);
        item_inboxes := ARRAY(
            SELECT s.id FROM unnest(item_envs, item_subscribers) WITH ORDINALITY AS w (env, subscriber, nth)
            LEFT JOIN LATERAL (SELECT p.id FROM subscribers p
                               WHERE p.environment_id = w.env AND p.subscriber_id = w.subscriber
                               LIMIT 1) AS s ON true
            ORDER BY w.nth);
    END IF;
    held := hold_inboxes(item_envs, item_inboxes, skip_busy);
    IF array_position(item_inboxes, NULL) IS NOT NULL
       OR cardinality(held) < (SELECT count(DISTINCT w.id) FROM unnest(item_inboxes) AS w (id)) THEN
        IF NOT skip_busy THEN
            RAISE serialization_failure USING MESSAGE = 'a recipient was erased meanwhile';
        END IF;
        SELECT array_agg(CASE WHEN v.request = ANY (busy.requests) THEN 'busy' ELSE v.verdict END
                         ORDER BY v.request)
        INTO verdicts
        FROM (SELECT array_agg(i.request) AS requests
              FROM unnest(item_requests, item_inboxes) AS i (request, inbox_id)
              WHERE (i.inbox_id = ANY (held)) IS NOT TRUE) AS busy
        CROSS JOIN unnest(verdicts) WITH ORDINALITY AS v (verdict, request);
        SELECT array_agg(i.request), array_agg(i.env), array_agg(i.subscriber), array_agg(i.inbox_id)
        INTO item_requests, item_envs, item_subscribers, item_inboxes
        FROM (SELECT w.* FROM unnest(item_requests, item_envs, item_subscribers, item_inboxes)
                              WITH ORDINALITY AS w (request, env, subscriber, inbox_id, nth)
              WHERE verdicts[w.request] = 'created' ORDER BY w.nth) AS i;
    END IF;
    IF 'busy' = ANY (verdicts) THEN
        RETURN QUERY
        SELECT v.request::integer, v.verdict, NULL::uuid[], NULL::uuid, NULL::jsonb
        FROM unnest(verdicts) WITH ORDINALITY AS v (verdict, request) WHERE v.verdict = 'busy';
    END IF;
    IF item_requests IS NULL THEN
        RETURN;
    END IF;

    -- Every inbox is held. Scheduled items wait in their own table; the others become visible now.
    now_us := clock_us();
    IF array_remove(deliver_ats, NULL) <> '{}' THEN
        waiting_ids := ARRAY(
            SELECT CASE WHEN deliver_ats[i.request] IS NOT NULL THEN position_at(now_us) END
            FROM unnest(item_requests) WITH ORDINALITY AS i (request, nth) ORDER BY i.nth);
        INSERT INTO scheduled (environment_id, id, inbox_id, category, payload, created_at, deliver_at,
                               place, expires_at, idempotency_key)
        SELECT i.env, i.id, i.inbox_id, request_categories[i.request], payloads[i.request]::json,
               from_us(now_us), deliver_ats[i.request], waiting_place(deliver_ats[i.request], i.id),
               expires_ats[i.request], keys[i.request]
        FROM unnest(item_requests, item_envs, item_inboxes, waiting_ids) AS i (request, env, inbox_id, id)
        WHERE i.id IS NOT NULL;
    END IF;
    RETURN QUERY
    WITH delivered AS MATERIALIZED (
        SELECT d.* FROM (
            SELECT array_agg(CASE WHEN i.waiting_id IS NULL THEN i.inbox_id END) AS inbox_ids,
                   array_agg(request_categories[i.request]) AS item_categories,
                   array_agg(payloads[i.request]) AS item_payloads,
                   array_agg(expires_ats[i.request]) AS expireses
            FROM unnest(item_requests, item_inboxes, waiting_ids) AS i (request, inbox_id, waiting_id)
        ) AS now
        CROSS JOIN LATERAL deliver_items(item_envs, now.inbox_ids, NULL, now.item_categories, now.item_payloads,
                                         NULL, NULL, now.expireses, NULL) AS d
    ), answer AS MATERIALIZED (
        SELECT n.env, n.request, array_agg(n.id ORDER BY n.nth) AS ids
        FROM (SELECT d.nth, item_envs[d.nth] AS env, item_requests[d.nth] AS request,
                     coalesce(waiting_ids[d.nth], d.item) AS id
              FROM delivered d WHERE d.job_id IS NULL) AS n
        GROUP BY n.env, n.request
    ), remembered AS (
        INSERT INTO idempotency (environment_id, kind, key, fingerprint, ids, created_at, deliver_at)
        SELECT a.env, 'notification', keys[a.request], fingerprints[a.request], a.ids, from_us(now_us),
               deliver_ats[a.request]
        FROM answer a
    )
    SELECT a.request, 'created', a.ids, NULL::uuid, NULL::jsonb FROM answer a
    UNION ALL
    SELECT item_requests[d.nth], NULL, NULL, d.job_id, d.job FROM delivered d WHERE d.job_id IS NOT NULL;
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
DECLARE
    known idempotency;
BEGIN
    PERFORM lock_keys('broadcast', ARRAY[env], ARRAY[request_key]);
    SELECT i.* INTO known FROM idempotency i
    WHERE i.environment_id = env AND i.kind = 'broadcast' AND i.key = request_key AND is_remembered(i);
    status := judge_request(known.fingerprint, request_fingerprint, deliver, expires);
    IF status = 'replayed' THEN
        id := known.ids[1];
        created_us := to_us(known.created_at);
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

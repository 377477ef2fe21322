-- The whole data model. docs/architecture.md draws it; docs/glossary.md defines the words.
--
-- environment_id leads every primary and unique key, so that the schema can be distributed by it.
-- Text that is compared or sorted is COLLATE "C": ids and categories are bytes, not words.
-- Hot tables carry no foreign keys: the inbox row, locked first by every write about a person, is what
-- keeps their rows from outliving that person, and a key check per row would lock `environments`.

-- One row is a tenant: its own subscribers, keys and secret.
CREATE TABLE environments (
    id                      uuid PRIMARY KEY,
    slug                    text COLLATE "C" NOT NULL UNIQUE,
    name                    text NOT NULL,
    require_subscriber_hash boolean NOT NULL DEFAULT true,
    secret                  text NOT NULL,
    previous_secret         text,
    secret_rotated_at       timestamptz,
    created_at              timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row is a management key. Only its SHA-256 is kept.
CREATE TABLE api_keys (
    environment_id uuid NOT NULL REFERENCES environments (id),
    id             uuid NOT NULL,
    name           text NOT NULL,
    key_hash       bytea NOT NULL,
    key_prefix     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at   timestamptz,
    revoked_at     timestamptz,
    PRIMARY KEY (environment_id, id)
);
-- A bearer key names its environment, so it is looked up before the environment is known.
CREATE UNIQUE INDEX api_keys_key_hash ON api_keys (key_hash);

-- One row is a category that was ever used in an environment; never removed.
CREATE TABLE categories (
    environment_id uuid NOT NULL,
    category       text COLLATE "C" NOT NULL,
    PRIMARY KEY (environment_id, category)
);

-- One row is a person. `subscriber_id` is the customer's own id; `id` is ours, and everything about the
-- person hangs on it, so that an erased and re-created person shares nothing with the old one.
CREATE TABLE subscribers (
    environment_id uuid NOT NULL REFERENCES environments (id),
    id             uuid NOT NULL,
    subscriber_id  text COLLATE "C" NOT NULL,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (environment_id, subscriber_id)
);
-- The conditions of these two are always true, and named by views: see notifications.
CREATE UNIQUE INDEX subscribers_id ON subscribers (environment_id, id)
    WHERE id >= '00000000-0000-0000-0000-000000000000';
-- GET /v1/subscribers pages by it.
CREATE INDEX subscribers_newest ON subscribers (environment_id, created_at DESC, id DESC)
    WHERE created_at >= '-infinity';

-- One row per subscriber (same id): the lock that serialises everything that happens to that person's
-- inbox, and the watermarks. Nothing that changes is indexed, so that every update stays HOT.
-- A watermark is the position of the newest item it covers; the zero uuid covers nothing.
-- id is a position of the moment the inbox was made: each of its direct items lies above it, and none above
-- last_position_us, so that no statement opens a partition from before or after.
CREATE TABLE inboxes (
    environment_id       uuid NOT NULL,
    id                   uuid NOT NULL,
    broadcasts_from      uuid NOT NULL, -- position floor of the subscriber's created_at
    read_notification    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    read_broadcast       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    seen_notification    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    seen_broadcast       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    archive_notification uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    archive_broadcast    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    last_position_us     bigint NOT NULL, -- starts at the time of id
    override_states      integer NOT NULL DEFAULT 1, -- bit n: may hold direct items of override_state n
    version              bigint NOT NULL, -- starts at the clock in microseconds, so a re-created inbox is never behind
    PRIMARY KEY (environment_id, id)
) WITH (fillfactor = 70);

-- One row per inbox and category that ever held a direct item: the maintained counters.
-- The row stays at zero: it is also the list of categories to merge a filtered or muted page from.
CREATE TABLE inbox_categories (
    environment_id uuid NOT NULL,
    inbox_id       uuid NOT NULL,
    category       text COLLATE "C" NOT NULL,
    unread         bigint NOT NULL CHECK (unread >= 0),
    unseen         bigint NOT NULL CHECK (unseen >= 0),
    PRIMARY KEY (environment_id, inbox_id, category)
) WITH (fillfactor = 70);

-- One row is a muted category of one person; absent means enabled.
CREATE TABLE preferences (
    environment_id uuid NOT NULL,
    inbox_id       uuid NOT NULL,
    category       text COLLATE "C" NOT NULL,
    PRIMARY KEY (environment_id, inbox_id, category)
);

-- One row is a delivered direct item. Monthly partitions by position, made by ensure_partitions().
-- read and archived are overrides: NULL means the watermark decides. override_state numbers their nine
-- combinations, so that every view is a few contiguous ranges of one index (view_ranges() in
-- functions/20_rules.sql) and none has to step over what it must not show.
--
-- A generic plan is made once and kept, often while a partition is new: then all indexes look equally
-- cheap, and one that shares its first columns with the right one would read a whole inbox, or a whole
-- environment, for a page. So there is no primary key, which could serve any statement, and each index has
-- a condition that is always true and that a statement must name to get it. The views in
-- functions/05_doors.sql name them: go through one of those, never to the table.
CREATE TABLE notifications (
    environment_id uuid NOT NULL,
    inbox_id       uuid NOT NULL,
    position       uuid NOT NULL,
    id             uuid NOT NULL,     -- equals position unless the item was scheduled
    override_state smallint NOT NULL GENERATED ALWAYS AS (
        (CASE WHEN read IS NULL THEN 0 WHEN read THEN 1 ELSE 2 END) * 3
        + (CASE WHEN archived IS NULL THEN 0 WHEN archived THEN 1 ELSE 2 END)) STORED,
    read           boolean,
    archived       boolean,
    created_at     timestamptz,       -- NULL: the time of the position
    deliver_at     timestamptz,       -- NULL: was never scheduled
    expires_at     timestamptz,
    category       text COLLATE "C" NOT NULL,
    payload        json NOT NULL
) PARTITION BY RANGE (position);
-- One item, and an environment's items in order.
CREATE UNIQUE INDEX notifications_position ON notifications (environment_id, position)
    WHERE override_state <= 8;
-- One category of an environment's, in order.
CREATE INDEX notifications_category ON notifications (environment_id, category, position)
    WHERE override_state >= -1;
-- Every unfiltered view, and the overrides that an "all" collects.
CREATE INDEX notifications_view ON notifications (environment_id, inbox_id, override_state, position)
    WHERE override_state >= 0;
-- Filtered and muted views, merged category by category.
CREATE INDEX notifications_category_view
    ON notifications (environment_id, inbox_id, category, override_state, position)
    WHERE override_state <> 9;
-- The worker's next expiry.
CREATE INDEX notifications_expiry ON notifications (expires_at) WHERE expires_at IS NOT NULL;

-- One row remembers where a scheduled item's id went when it was delivered; purged with the item.
CREATE TABLE scheduled_positions (
    environment_id uuid NOT NULL,
    id             uuid NOT NULL,
    position       uuid NOT NULL,
    PRIMARY KEY (environment_id, id)
);

-- One row waits for deliver_at: direct (inbox_id set) or broadcast (inbox_id NULL).
-- Delivery and cancelling both delete it, so the lock on the row decides between them.
CREATE TABLE scheduled (
    environment_id  uuid NOT NULL,
    id              uuid NOT NULL,
    inbox_id        uuid,
    category        text COLLATE "C" NOT NULL,
    payload         json NOT NULL,
    created_at      timestamptz NOT NULL,
    deliver_at      timestamptz NOT NULL,
    place           uuid NOT NULL,    -- orders as positions do: waiting_place(deliver_at, id)
    expires_at      timestamptz,
    idempotency_key text COLLATE "C" NOT NULL,
    PRIMARY KEY (environment_id, id)
);
-- The worker's next deliveries, an equal share of each environment, and management lists. Like the others,
-- with a condition that is always true (of direct items) and named by a view, as the indexes of notifications.
CREATE UNIQUE INDEX scheduled_place ON scheduled (environment_id, place)
    WHERE place >= '00000000-0000-0000-0000-000000000000';
-- The same of one category.
CREATE INDEX scheduled_category ON scheduled (environment_id, category, place)
    WHERE inbox_id IS NOT NULL AND category >= '';
-- The few broadcasts among them.
CREATE INDEX scheduled_broadcasts ON scheduled (environment_id, place) WHERE inbox_id IS NULL;
-- One person's, to list and to erase.
CREATE INDEX scheduled_inbox ON scheduled (environment_id, inbox_id, place)
    WHERE inbox_id >= '00000000-0000-0000-0000-000000000000';

-- One row per environment serialises its broadcasts. Its own row, because locking `environments` would
-- block every insert that refers to it.
CREATE TABLE broadcast_heads (
    environment_id   uuid PRIMARY KEY REFERENCES environments (id),
    last_position_us bigint NOT NULL DEFAULT 0,
    version          bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- One row is a delivered broadcast, whatever the number of subscribers.
CREATE TABLE broadcasts (
    environment_id  uuid NOT NULL,
    position        uuid NOT NULL,
    id              uuid NOT NULL,    -- equals position unless it was scheduled
    created_at      timestamptz,      -- NULL: the time of the position
    deliver_at      timestamptz,
    expires_at      timestamptz,
    category        text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    payload         json NOT NULL,
    PRIMARY KEY (environment_id, position)
);
-- By position there are two ways; the others have conditions that are always true and named by views: see
-- notifications. Counting reads position and category of many broadcasts and nothing else of them.
CREATE INDEX broadcasts_count ON broadcasts (environment_id, position) INCLUDE (category);
-- Filtered and muted pages, merged category by category.
CREATE INDEX broadcasts_category ON broadcasts (environment_id, category, position) WHERE category >= '';
CREATE UNIQUE INDEX broadcasts_id ON broadcasts (environment_id, id)
    WHERE id >= '00000000-0000-0000-0000-000000000000';
CREATE INDEX broadcasts_expiry ON broadcasts (expires_at) WHERE expires_at IS NOT NULL;

-- One row is what one person decided about one broadcast; NULL means the watermark decides.
CREATE TABLE broadcast_overrides (
    environment_id uuid NOT NULL,
    inbox_id       uuid NOT NULL,
    position       uuid NOT NULL,     -- of the broadcast
    read           boolean,
    archived       boolean,
    PRIMARY KEY (environment_id, inbox_id, position),
    CHECK (read IS NOT NULL OR archived IS NOT NULL)
);
-- Retracting a broadcast removes what people decided about it. Its condition is always true: see notifications.
CREATE INDEX broadcast_overrides_position ON broadcast_overrides (environment_id, position)
    WHERE read IS NOT NULL OR archived IS NOT NULL;

-- One row is something that happened to a direct item on its own: a hint naming it was published
-- (delivered_hint) or it was read one by one (read). Monthly partitions like the items.
CREATE TABLE timeline (
    environment_id uuid NOT NULL,
    position       uuid NOT NULL,
    status         text NOT NULL CHECK (status IN ('delivered_hint', 'read')),
    occurred_at    timestamptz NOT NULL,
    PRIMARY KEY (environment_id, position, status)
) PARTITION BY RANGE (position);

-- One row is a watermark that moved: everything at or below up_to was seen (or read) then. It stands for
-- a timeline row per item covered, which an "all" over a long history could not write.
CREATE TABLE watermark_moves (
    environment_id uuid NOT NULL,
    inbox_id       uuid NOT NULL,
    status         text NOT NULL CHECK (status IN ('seen', 'read')),
    up_to          uuid NOT NULL,
    occurred_at    timestamptz NOT NULL,
    PRIMARY KEY (environment_id, inbox_id, status, up_to)
);

-- One row is a request that was carried out: the same key answers the same again.
-- The reply is rebuilt from subscriber_ids and ids; fingerprint tells a different request.
CREATE TABLE idempotency (
    environment_id uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('notification', 'broadcast')),
    key            text COLLATE "C" NOT NULL,
    fingerprint    bytea NOT NULL,
    subscriber_ids text[],
    ids            uuid[] NOT NULL,
    created_at     timestamptz NOT NULL,
    deliver_at     timestamptz,
    PRIMARY KEY (environment_id, kind, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- One row is work that a commit owes: deleted when done, never flagged. run_at is when any worker may
-- claim it; a job that its own committing process is about to finish carries a short lease there.
CREATE TABLE outbox (
    environment_id uuid NOT NULL,
    id             uuid NOT NULL,
    job_type       text NOT NULL,
    payload        jsonb NOT NULL,
    run_at         timestamptz NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    cursor         jsonb,
    PRIMARY KEY (environment_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
-- The next jobs, an equal share of each environment. Its condition is always true: see notifications.
CREATE INDEX outbox_due ON outbox (job_type, environment_id, run_at) WHERE job_type >= '';

-- One row is a job that failed too often; replay puts it back as it was.
CREATE TABLE dead_letters (
    environment_id uuid NOT NULL,
    id             uuid NOT NULL,
    job_type       text NOT NULL,
    payload        jsonb NOT NULL,
    cursor         jsonb,
    attempts       integer NOT NULL,
    last_error     text NOT NULL,
    parked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (environment_id, id)
);

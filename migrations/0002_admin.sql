-- Administrators of this instance: who they are, who of them is logged in, and what they did.
-- None of it belongs to an environment, so nothing here is keyed by one.

-- One row is an administrator. email is trimmed and lower-cased; password_hash is an Argon2id string.
-- Every write of it locks the whole table first, so that the last enabled admin stays one.
CREATE TABLE admin_users (
    id            uuid PRIMARY KEY,   -- a position, so that ids are in order of creation
    email         text COLLATE "C" NOT NULL UNIQUE,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'developer', 'admin')),
    password_hash text NOT NULL,
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row is a log-in that lasts until expires_at. Only the SHA-256 of what the cookie holds is kept.
CREATE TABLE admin_sessions (
    token_hash bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES admin_users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
-- All of one user end together.
CREATE INDEX admin_sessions_user ON admin_sessions (user_id);
-- The worker removes what is over.
CREATE INDEX admin_sessions_expiry ON admin_sessions (expires_at);

-- One row is a log-in that failed: one for the email and one for the address it came from, as each has a limit
-- of its own. attempt is a position: the time of the failure.
CREATE TABLE login_failures (
    kind    text NOT NULL CHECK (kind IN ('email', 'address')),
    subject text COLLATE "C" NOT NULL,
    attempt uuid NOT NULL,
    PRIMARY KEY (kind, subject, attempt)
);
-- The worker removes what no longer counts.
CREATE INDEX login_failures_age ON login_failures (attempt);

-- One row is a write by an administrator, inserted by the transaction of that write; kept for good.
-- It outlives whom and what it names, so it repeats them instead of referring to them.
CREATE TABLE audit_log (
    id               uuid PRIMARY KEY,   -- a position: when it happened, and the order of the list
    actor_id         uuid,               -- NULL, like the email: whoever runs the server, from its terminal
    actor_email      text,
    action           text NOT NULL,
    target           text,               -- the TypeID, or the name, of what was acted on
    environment_slug text,
    details          jsonb NOT NULL,
    CHECK ((actor_id IS NULL) = (actor_email IS NULL))
);

-- What the console's lists and numbers need of tables that are there.

-- Dead letters of all environments, oldest first.
CREATE INDEX dead_letters_oldest ON dead_letters (parked_at, id);

-- Who has muted a category. Its condition is always true, and named by the statement that wants it: see
-- `notifications` in 0001_initial.sql.
CREATE INDEX preferences_category ON preferences (environment_id, category) WHERE category >= '';

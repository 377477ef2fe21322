-- The ways to rows, one an index: see `notifications` in 0001_initial.sql. Rows are put in, and counted as a
-- whole, in the tables themselves.

-- By position: one item, or an environment's in order. Not for one inbox. row_at: where the row lies in the
-- partition of its position, as long as its inbox is locked.
CREATE OR REPLACE VIEW notifications_by_position AS
SELECT *, ctid AS row_at FROM notifications WHERE override_state <= 8;

-- One category of an environment, in order of position.
CREATE OR REPLACE VIEW notifications_of_category AS
SELECT * FROM notifications WHERE override_state >= -1;

-- One inbox, one override state at a time, in order of position. row_at: as above.
CREATE OR REPLACE VIEW notifications_by_state AS
SELECT *, ctid AS row_at FROM notifications WHERE override_state >= 0;

-- One category of one inbox, one override state at a time, in order of position.
CREATE OR REPLACE VIEW notifications_by_category AS
SELECT * FROM notifications WHERE override_state <> 9;

-- What waits, in order of place. row_at: where the row lies, as long as it is locked. Look-ups by id go to
-- the table itself.
CREATE OR REPLACE VIEW scheduled_by_place AS
SELECT *, ctid AS row_at FROM scheduled WHERE place >= '00000000-0000-0000-0000-000000000000';

-- What waits of one category, in order of place.
CREATE OR REPLACE VIEW scheduled_of_category AS
SELECT * FROM scheduled WHERE inbox_id IS NOT NULL AND category >= '';

-- What waits for one inbox, in order of place.
CREATE OR REPLACE VIEW scheduled_of_inbox AS
SELECT * FROM scheduled WHERE inbox_id >= '00000000-0000-0000-0000-000000000000';

-- One broadcast by its id. By position: in the table itself.
CREATE OR REPLACE VIEW broadcasts_by_id AS
SELECT * FROM broadcasts WHERE id >= '00000000-0000-0000-0000-000000000000';

-- One category of an environment's broadcasts, in order of position.
CREATE OR REPLACE VIEW broadcasts_of_category AS
SELECT * FROM broadcasts WHERE category >= '';

-- Jobs of one type and environment, in order of run_at. row_at: as above. By id: in the table itself.
CREATE OR REPLACE VIEW outbox_by_time AS
SELECT *, ctid AS row_at FROM outbox WHERE job_type >= '';

-- One person by the id of ours. By subscriber_id: in the table itself.
CREATE OR REPLACE VIEW subscribers_by_id AS
SELECT * FROM subscribers WHERE id >= '00000000-0000-0000-0000-000000000000';

-- An environment's people, newest first.
CREATE OR REPLACE VIEW subscribers_by_age AS
SELECT * FROM subscribers WHERE created_at >= '-infinity';

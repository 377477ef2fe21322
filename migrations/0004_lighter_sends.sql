-- What a send writes: that its hints were published once a job, however many items they name, and of the request
-- nothing that it would say again.

ALTER TABLE notifications ADD COLUMN hint_job uuid; -- whose hints named the item; NULL: none did

-- One row is a hint job of notifications whose hints were all published as it has them. Where only some were,
-- timeline says so item by item. Monthly partitions by job_id, whose time is the delivery's.
CREATE TABLE published_hint_jobs (
    environment_id uuid NOT NULL,
    job_id         uuid NOT NULL,
    published_at   timestamptz NOT NULL,
    PRIMARY KEY (environment_id, job_id)
) PARTITION BY RANGE (job_id);

-- A request that is answered again names the recipients itself.
ALTER TABLE idempotency DROP COLUMN subscriber_ids;

-- The functions, which follow, make them again with the new column.
DROP VIEW IF EXISTS notifications_by_position, notifications_of_category, notifications_by_state,
                    notifications_by_category CASCADE;

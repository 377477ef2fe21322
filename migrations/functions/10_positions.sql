-- Positions: UUIDv7 (RFC 9562) whose 48-bit milliseconds and rand_a (0-999) hold the exact microsecond.
-- They are minted here, after the lock that serialises their inbox is held, so they order everything.

-- Now, in microseconds. Reads the clock at each call: call it in a statement after the one that locked.
CREATE OR REPLACE FUNCTION clock_us() RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

CREATE OR REPLACE FUNCTION to_us(t timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT (extract(epoch FROM t) * 1000000)::bigint
$$;

CREATE OR REPLACE FUNCTION from_us(us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT (timestamp 'epoch' + us * interval '1 microsecond') AT TIME ZONE 'UTC'
$$;

-- The next position time of an inbox: the clock, unless it stands still or steps back.
CREATE OR REPLACE FUNCTION next_us(last_us bigint, now_us bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(now_us, last_us + 1)
$$;

-- A position of a microsecond, told apart from others by 62 random bits. Nobody is let in by knowing one, so
-- they are random()'s, which asks the operating system once a session.
CREATE OR REPLACE FUNCTION position_at(us bigint) RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000), 3, '0')
            || to_hex((-1::bigint << 63) | (floor(random() * 2147483648)::bigint << 31)
                      | floor(random() * 2147483648)::bigint))::uuid
$$;

-- The lowest position of a microsecond: position >= position_floor(us) means "at or after us".
CREATE OR REPLACE FUNCTION position_floor(us bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000), 3, '0')
            || '8000000000000000')::uuid
$$;

CREATE OR REPLACE FUNCTION position_us(item uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || translate(left(item::text, 13), '-', ''))::bit(48)::bigint * 1000
           + ('x' || substr(item::text, 16, 3))::bit(12)::integer
$$;

-- The highest position of a microsecond: position <= position_ceiling(us) means "at or before us".
CREATE OR REPLACE FUNCTION position_ceiling(us bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000), 3, '0')
            || 'bfffffffffffffff')::uuid
$$;

-- Where a waiting item stands among delivered ones: the time of deliver_at, told apart by its id.
CREATE OR REPLACE FUNCTION waiting_place(deliver timestamptz, item_id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(position_floor(to_us(deliver))::text, 19) || right(item_id::text, 17))::uuid
$$;

-- Where an item's id stands: delivered items carry their position as id unless they were scheduled.
CREATE OR REPLACE FUNCTION notification_position(env uuid, notification uuid) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT s.position FROM scheduled_positions s
                     WHERE s.environment_id = env AND s.id = notification), notification);
END
$$;

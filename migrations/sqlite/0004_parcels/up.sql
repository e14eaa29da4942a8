-- Octets too large for one row: sealed in chunks, each bound to its parcel and place. What a parcel holds is said by
-- whoever refers to it (the sealed record of a message or an upload).
CREATE TABLE parcels (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX parcels_by_user ON parcels (user_id);
CREATE INDEX parcels_by_expiry ON parcels (expires_at);

CREATE TABLE parcel_chunks (
    parcel_id TEXT    NOT NULL REFERENCES parcels (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    sealed    BLOB    NOT NULL,
    PRIMARY KEY (parcel_id, position)
) STRICT;

-- Messages of the outbox hold their parcels: those do not lapse.
CREATE TABLE outbox_parcels (
    outbox_id TEXT NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    parcel_id TEXT NOT NULL REFERENCES parcels (id),
    PRIMARY KEY (outbox_id, parcel_id)
) STRICT;
CREATE INDEX outbox_parcels_by_parcel ON outbox_parcels (parcel_id);

-- Files that clients hand over before they name them in a message.
CREATE TABLE uploads (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    grant_id   TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    about      BLOB    NOT NULL,
    max_octets INTEGER NOT NULL,
    parcel_id  TEXT,
    complete   INTEGER NOT NULL CHECK (complete IN (0, 1)),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_by_user ON uploads (user_id);
CREATE INDEX uploads_by_grant ON uploads (grant_id);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

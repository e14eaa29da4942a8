-- Octets too large for one row: sealed in chunks, each bound to its parcel and place. What a parcel holds is said by
-- whoever refers to it (the sealed record of a message or an upload).
CREATE TABLE parcels (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX parcels_by_user ON parcels (user_id);
CREATE INDEX parcels_by_expiry ON parcels (expires_at);

CREATE TABLE parcel_chunks (
    parcel_id TEXT COLLATE "C" NOT NULL REFERENCES parcels (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    sealed    BYTEA   NOT NULL,
    PRIMARY KEY (parcel_id, position)
);

-- Messages of the outbox hold their parcels: those do not lapse.
CREATE TABLE outbox_parcels (
    outbox_id TEXT COLLATE "C" NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    parcel_id TEXT COLLATE "C" NOT NULL REFERENCES parcels (id),
    PRIMARY KEY (outbox_id, parcel_id)
);
CREATE INDEX outbox_parcels_by_parcel ON outbox_parcels (parcel_id);

-- Files that clients hand over before they name them in a message.
CREATE TABLE uploads (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    grant_id   TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    about      BYTEA   NOT NULL,
    max_octets BIGINT NOT NULL,
    parcel_id  TEXT COLLATE "C",
    complete   BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_user ON uploads (user_id);
CREATE INDEX uploads_by_grant ON uploads (grant_id);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

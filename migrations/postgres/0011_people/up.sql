-- Links by which somebody chooses a password, once: of an invitation (email) or a reset (user_id).
CREATE TABLE password_links (
    hash       BYTEA   NOT NULL PRIMARY KEY,
    email      TEXT,
    -- The address in lower case: one invitation for each.
    email_key  TEXT    UNIQUE,
    is_admin   BOOLEAN NOT NULL,
    user_id    TEXT    UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CHECK ((email IS NULL) <> (user_id IS NULL))
);
CREATE INDEX password_links_by_expiry ON password_links (expires_at);

-- What tells a person's sessions apart: the browser's name and the network address they were begun from.
ALTER TABLE sessions ADD COLUMN agent TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;

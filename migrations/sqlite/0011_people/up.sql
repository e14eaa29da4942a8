-- Links by which somebody chooses a password, once: of an invitation (email) or a reset (user_id).
CREATE TABLE password_links (
    hash       BLOB    NOT NULL PRIMARY KEY,
    email      TEXT,
    -- The address in lower case: one invitation for each.
    email_key  TEXT    UNIQUE,
    is_admin   INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    user_id    TEXT    UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK ((email IS NULL) <> (user_id IS NULL))
) STRICT;
CREATE INDEX password_links_by_expiry ON password_links (expires_at);

-- What tells a person's sessions apart: the browser's name and the network address they were begun from.
ALTER TABLE sessions ADD COLUMN agent TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;

-- Whom an account has met. Addresses and messages are digests that only the sealed secret of the account leads to.
CREATE TABLE correspondence (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret     BYTEA NOT NULL,
    -- how far its folders were gone through, 'ROLE:UIDVALIDITY:UID' each, and when (milliseconds since the Unix epoch)
    reached    TEXT NOT NULL DEFAULT '',
    reached_at BIGINT
);
CREATE INDEX correspondence_by_user ON correspondence (user_id);
-- 'message' is the one message that came from an address; NULL once it is known better.
CREATE TABLE correspondents (
    account_id TEXT NOT NULL REFERENCES correspondence (account_id) ON DELETE CASCADE,
    address    BYTEA NOT NULL,
    message    BYTEA,
    PRIMARY KEY (account_id, address)
);

-- Nothing is stored for a visitor who has not acted: sessions before sign-in and requests before a decision are sealed in
-- cookie and address. Only what was decided is remembered, until its address lapses.
DROP TABLE authorization_requests;
CREATE TABLE decided_requests (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX decided_requests_by_expiry ON decided_requests (expires_at);

DELETE FROM sessions WHERE user_id IS NULL;
-- When the session was last used, to the hour.
ALTER TABLE sessions ADD COLUMN used_at BIGINT;
UPDATE sessions SET used_at = created_at;
-- The browser that requests are bound to; NULL is the session itself.
ALTER TABLE sessions ADD COLUMN browser BYTEA;

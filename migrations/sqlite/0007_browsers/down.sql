ALTER TABLE sessions DROP COLUMN browser;
ALTER TABLE sessions DROP COLUMN used_at;
DROP TABLE decided_requests;
CREATE TABLE authorization_requests (
    hash           BLOB    NOT NULL PRIMARY KEY,
    session        BLOB    NOT NULL,
    client_id      TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_uri   TEXT    NOT NULL,
    permissions    TEXT    NOT NULL,
    offline        INTEGER NOT NULL CHECK (offline IN (0, 1)),
    resource       TEXT    NOT NULL,
    state          TEXT,
    code_challenge TEXT    NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX authorization_requests_by_session ON authorization_requests (session);
CREATE INDEX authorization_requests_by_client ON authorization_requests (client_id);

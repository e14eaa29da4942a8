ALTER TABLE sessions DROP COLUMN browser;
ALTER TABLE sessions DROP COLUMN used_at;
DROP TABLE decided_requests;
CREATE TABLE authorization_requests (
    hash           BYTEA    NOT NULL PRIMARY KEY,
    session        BYTEA    NOT NULL,
    client_id      TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_uri   TEXT    NOT NULL,
    permissions    TEXT    NOT NULL,
    offline        BOOLEAN NOT NULL,
    resource       TEXT    NOT NULL,
    state          TEXT,
    code_challenge TEXT    NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX authorization_requests_by_session ON authorization_requests (session);
CREATE INDEX authorization_requests_by_client ON authorization_requests (client_id);

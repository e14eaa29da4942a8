-- Times are milliseconds since the Unix epoch. Digests are SHA-256. Lists are JSON.

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    -- The address in lower case: what is unique and looked up.
    email_key     TEXT    NOT NULL UNIQUE,
    is_admin      INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    password_hash TEXT,
    disabled_at   INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;

-- The one-time link that makes the first administrator; at most one row.
CREATE TABLE setup_links (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id = 'only'),
    hash       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    hash             BLOB    NOT NULL PRIMARY KEY,
    user_id          TEXT    REFERENCES users (id) ON DELETE CASCADE,
    csrf             TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    authenticated_at INTEGER,
    expires_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE accounts (
    id                 TEXT    NOT NULL PRIMARY KEY,
    user_id            TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label              TEXT    NOT NULL,
    email              TEXT    NOT NULL,
    from_name          TEXT,
    is_default         INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    backend            TEXT    NOT NULL CHECK (backend IN ('servers', 'demo')),
    imap_host          TEXT    NOT NULL,
    imap_port          INTEGER NOT NULL CHECK (imap_port BETWEEN 0 AND 65535),
    imap_security      TEXT    NOT NULL CHECK (imap_security IN ('tls', 'starttls', 'insecure')),
    smtp_host          TEXT    NOT NULL,
    smtp_port          INTEGER NOT NULL CHECK (smtp_port BETWEEN 0 AND 65535),
    smtp_security      TEXT    NOT NULL CHECK (smtp_security IN ('tls', 'starttls', 'insecure')),
    imap_username      TEXT    NOT NULL,
    smtp_username      TEXT    NOT NULL,
    auth               TEXT    NOT NULL CHECK (auth IN ('password', 'oauth2')),
    credential         BLOB    NOT NULL,
    credential_version INTEGER NOT NULL,
    health             TEXT    NOT NULL CHECK (health IN ('ok', 'needs_attention')),
    created_at         INTEGER NOT NULL,
    UNIQUE (user_id, label)
) STRICT;
CREATE UNIQUE INDEX accounts_one_default ON accounts (user_id) WHERE is_default = 1;

-- What is known of the keys of the ring; never the keys.
CREATE TABLE keys (
    kid         TEXT    NOT NULL PRIMARY KEY,
    state       TEXT    NOT NULL CHECK (state IN ('active', 'decrypt_only', 'retired')),
    check_value BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX keys_one_active ON keys (state) WHERE state = 'active';

CREATE TABLE clients (
    id            TEXT    NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL CHECK (kind IN ('registered', 'document', 'personal')),
    name          TEXT    NOT NULL,
    redirect_uris TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    used_at       INTEGER
) STRICT;
CREATE INDEX clients_unused ON clients (created_at) WHERE used_at IS NULL;
INSERT INTO clients (id, kind, name, redirect_uris, created_at)
VALUES ('cli_personal', 'personal', 'Personal access token', '[]', 0);

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

CREATE TABLE grants (
    id          TEXT    NOT NULL PRIMARY KEY,
    user_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id   TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    client_name TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    -- JSON list of account identifiers; NULL is every account.
    accounts    TEXT,
    -- 'immediate', 'approval' or 'undo:SECONDS'
    send_policy TEXT    NOT NULL,
    resource    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER,
    used_at     INTEGER
) STRICT;
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_client ON grants (client_id);

CREATE TABLE codes (
    hash           BLOB    NOT NULL PRIMARY KEY,
    grant_id       TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    client_id      TEXT    NOT NULL,
    redirect_uri   TEXT    NOT NULL,
    code_challenge TEXT    NOT NULL,
    resource       TEXT    NOT NULL,
    offline        INTEGER NOT NULL CHECK (offline IN (0, 1)),
    expires_at     INTEGER NOT NULL,
    consumed_at    INTEGER
) STRICT;
CREATE INDEX codes_by_grant ON codes (grant_id);

CREATE TABLE tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE,
    kind         TEXT    NOT NULL CHECK (kind IN ('access', 'refresh', 'personal')),
    grant_id     TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    expires_at   INTEGER,
    created_at   INTEGER NOT NULL,
    used_at      INTEGER,
    -- The refresh token this one was exchanged for.
    parent_id    TEXT,
    -- A refresh token: when it was exchanged, and when what it was exchanged for was first used.
    consumed_at  INTEGER,
    confirmed_at INTEGER
) STRICT;
CREATE INDEX tokens_by_grant ON tokens (grant_id);
CREATE INDEX tokens_by_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE outbox (
    id            TEXT    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id    TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    grant_id      TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    state         TEXT    NOT NULL CHECK (state IN (
        'queued', 'sending', 'accepted', 'done', 'rejected', 'unknown', 'cancelled', 'pending_approval')),
    message_id    TEXT    NOT NULL,
    sender        TEXT    NOT NULL,
    recipients    TEXT    NOT NULL,
    message       BLOB    NOT NULL,
    idempotency   BLOB,
    content       BLOB    NOT NULL,
    refusals      TEXT    NOT NULL,
    saved_to_sent INTEGER CHECK (saved_to_sent IN (0, 1)),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX outbox_by_idempotency ON outbox (user_id, idempotency) WHERE idempotency IS NOT NULL;
CREATE INDEX outbox_by_content ON outbox (user_id, content, created_at);
CREATE INDEX outbox_by_state ON outbox (state, updated_at);
CREATE INDEX outbox_by_account ON outbox (account_id);
CREATE INDEX outbox_by_grant ON outbox (grant_id);

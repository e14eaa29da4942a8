PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations VALUES('0001','2026-11-28 03:14:19');
INSERT INTO __diesel_schema_migrations VALUES('0002','2026-11-28 03:14:19');
INSERT INTO __diesel_schema_migrations VALUES('0003','2026-11-28 03:14:19');
INSERT INTO __diesel_schema_migrations VALUES('0004','2026-11-28 03:14:19');
INSERT INTO __diesel_schema_migrations VALUES('0005','2026-11-28 03:14:19');
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
INSERT INTO users VALUES('usr_HF2-Tdz3C27nZXaj','owner@example.com','owner@example.com',0,'$argon2id$v=19$m=19456,t=2,p=1$AWB/0vzE+7+souzfxH+qxA$FBEys6nFI086mc1h8A+EXOwlxUOE4lkfpscnbKl5BnA',NULL,1795835659768);
CREATE TABLE setup_links (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id = 'only'),
    hash       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO setup_links VALUES('only',X'efe321e65cec023de9d0d2cead2c07226f51867d8e49aab72654199be8da3393',1795922116997);
CREATE TABLE sessions (
    hash             BLOB    NOT NULL PRIMARY KEY,
    user_id          TEXT    REFERENCES users (id) ON DELETE CASCADE,
    csrf             TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    authenticated_at INTEGER,
    expires_at       INTEGER NOT NULL
) STRICT;
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
    created_at         INTEGER NOT NULL, send_policy TEXT NOT NULL DEFAULT 'immediate', signature TEXT, aliases TEXT NOT NULL DEFAULT '[]',
    UNIQUE (user_id, label)
) STRICT;
INSERT INTO accounts VALUES('acc_7E60qnfiN_zmjTrN','usr_HF2-Tdz3C27nZXaj','Work','work@example.com',NULL,1,'servers','mail.example.com',993,'tls','mail.example.com',465,'tls','work@example.com','work@example.com','password',X'0101096b386635633938353810d1c2c54e41d237699f11bd2a6f595f76ef49e7affae804e03249ebcb92553ebadf8eefd0ee4874f4b3100c1b1eb432d3aad77f0fc493ac14cc5549bb6f97cd5bb9fed9ae50d17469c7097c48f2be0504c5aa501ab6fc65d1fa1931a7cf1b5b620d1861a1f7029783',1,'ok',1795835659803,'immediate',NULL,'[]');
INSERT INTO accounts VALUES('acc_rhxlIc2J9KoqXSO0','usr_HF2-Tdz3C27nZXaj','Club','club@example.com',NULL,0,'servers','127.0.0.1',1143,'starttls','127.0.0.1',1587,'starttls','club','club','password',X'0101096b38663563393835387f64326f8afb8392e25e2cb2329d0f28e5d1586ef327736e221254dee0c335b3c00bba8db84b2bc6999d5cda14e55a29ef5f1c03c073e19eed239b165c996b151d2e575d879d5f8c0b2bdff1956a256cf772751305f68eed74400acbc99ea0d1b2be9901e2697d0e',1,'ok',1795835659854,'immediate',NULL,'[]');
INSERT INTO accounts VALUES('acc_qm4OfQMyJQ3-zITT','usr_HF2-Tdz3C27nZXaj','Old','old@example.com',NULL,0,'servers','127.0.0.1',1144,'insecure','127.0.0.1',1025,'insecure','old','old','password',X'0101096b386635633938353833cb6a93d0bf4b7a086ee31a926474d1a2d352e20578751770522e9f776fcaafd21d66786ad50b02dabaf1cca82698ce7556d8e1c4ace857bd9647c6c4949bbeba94b6b525534ab8c5e224c88028b7db4272dea619c5244d14096c0893980d620b34ca12fc',1,'needs_attention',1795835659886,'immediate',NULL,'[]');
INSERT INTO accounts VALUES('acc_ynRTbM9YgVIQe8E0','usr_HF2-Tdz3C27nZXaj','Demo','demo@example.com',NULL,0,'demo','',0,'tls','',0,'tls','demo@example.com','demo@example.com','password',X'0101096b386635633938353834cb2e31c300ed12ebda62a087130c11e4473c4f81ff3d8fb403163e56e63f5194fa3d98392b1540d9b6dbb69acc1816eda0477bb5552b2fe002cb8a5f3d1976275d4c4de3e2dbe9b3e3208225c31ac5ff1e58db55b3dd05',1,'ok',1795835659922,'immediate',NULL,'[]');
CREATE TABLE keys (
    kid         TEXT    NOT NULL PRIMARY KEY,
    state       TEXT    NOT NULL CHECK (state IN ('active', 'decrypt_only', 'retired')),
    check_value BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
INSERT INTO keys VALUES('k8f5c9858','active',X'4ef76ea4bcd293677bf4e141a5a2ac556405f5e4cdf98f1f27471c8ab1da2460',1795835659687);
CREATE TABLE clients (
    id            TEXT    NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL CHECK (kind IN ('registered', 'document', 'personal')),
    name          TEXT    NOT NULL,
    redirect_uris TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    used_at       INTEGER
) STRICT;
INSERT INTO clients VALUES('cli_personal','personal','Personal access token','[]',0,NULL);
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
INSERT INTO grants VALUES('grt_lUlW0aYenhS0guRG','usr_HF2-Tdz3C27nZXaj','cli_personal','kept','mail.read mail.organize mail.draft mail.send',NULL,'immediate','http://localhost:3000/mcp',1795835680676,NULL,NULL,NULL);
INSERT INTO grants VALUES('grt_1-zyN4aX-RB4YqdS','usr_HF2-Tdz3C27nZXaj','cli_personal','kept','mail.read mail.organize mail.draft mail.send',NULL,'immediate','http://127.0.0.1:18931/mcp',1795835696850,NULL,NULL,1795835699876);
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
INSERT INTO tokens VALUES('tok_I1Vp2vsS0ZPgrJQu',X'c681bc56b3442a434268bfc26d613cc1231a39bfd3d543d24c9c6e0ce7d829ff','personal','grt_lUlW0aYenhS0guRG',NULL,1795835680676,NULL,NULL,NULL,NULL);
INSERT INTO tokens VALUES('tok_b_q8-NyuaVj4IRkq',X'c2615af858f02fc37f941ac2e945314792b056ad3639d641e065146ba5555d4f','personal','grt_1-zyN4aX-RB4YqdS',NULL,1795835696850,1795835699876,NULL,NULL,NULL);
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
, next_attempt_at INTEGER, expires_at INTEGER NOT NULL DEFAULT 0, not_before INTEGER, hold TEXT CHECK (hold IN ('undo', 'approval', 'scheduled')), attempts INTEGER NOT NULL DEFAULT 0, looks INTEGER NOT NULL DEFAULT 0, worker TEXT, lease_until INTEGER, fence INTEGER NOT NULL DEFAULT 0, at_risk INTEGER NOT NULL DEFAULT 0 CHECK (at_risk IN (0, 1)), departed INTEGER NOT NULL DEFAULT 0 CHECK (departed IN (0, 1)), last_error TEXT, subject BLOB) STRICT;
INSERT INTO outbox VALUES('out_V0TSXmpnBxI_WlI-','usr_HF2-Tdz3C27nZXaj','acc_7E60qnfiN_zmjTrN','grt_1-zyN4aX-RB4YqdS','queued','zlJxpKdMRAsNsjdB5FOgPiAO@example.com','work@example.com','["bob@example.org"]',X'0101096b38663563393835382678c0ac4db7e3c3fb003900f1d08296a0f096c567794d40e8f362d0e3007cba8c677d8198a2b312be28eb83b1f0865e5c1e2bfed46131104bda0816feb17945b11f1e25af6c149c8ae13669791cadd4f4e28d6ee1c537fd6feabbd489e1308f82a557e16f127fe20d3d4ffd2c3fcbdda9b1d14f9b95b98b58f856e1f2abafec66ccebee4a90e5c4bf4271e5776cc6a3fdcbdd7f3c36ada779e8147278fb0837f3d05a0e469cb5e1c692cc705560bdef823f05b9e78c8eea571f92d8851e313283537a9d0406c15e3a0ba5e37bcae4c4d053b243f644f4647f41fd08994bbee252d5ea68abfd1b7eaf6e3fb0022d389cdf6958cf925a53347c66417a999f12a234d91c6f76134f16c757827b0077aa7884f12e9c43f8cc05ca627a099cb88140b56b02d7f5a786db58c9a4b776f8db01e5420aee7e1d44e08bb4f2fcda95be8b7c05c1edf35f7e89dd717c08ac6774c7d48817b4819d63f787b5119cd429a9aad64d32bb2e49e38867d1ce8cc0746f4ea84d18600e85494fdc2fcdebaa5aca7956e1301410f54c9d110964f3c9dac4002e',NULL,X'380b11675c554a109537206ea0eed064720cb8e3fd00674bcd9a09b53fe5b7cf','[]',NULL,1795835699954,1795835699954,1811844000000,1811930400000,1811844000000,'scheduled',0,0,NULL,NULL,0,0,0,NULL,X'0101096b3866356339383538022046926962260f1c159d9fae3997ff773329709634662f2229a898e05e29aa7796f68ce235987c55c136e96d2ca0b40a3fb0dfa9df5e680dc63c5c63130eedab30ea8bf50dd6da17d657067bdc8deefd6e0c5eee374ba2cfb3d63ca6a3f51504fe46a8bed2');
CREATE TABLE operations (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('planned', 'running', 'done', 'undone', 'failed')),
    detail     TEXT    NOT NULL CHECK (length(CAST(detail AS BLOB)) <= 262144),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO operations VALUES('op_BBXQIsUMPnPvUhNc','usr_HF2-Tdz3C27nZXaj','acc_ynRTbM9YgVIQe8E0','change','done','{"steps":[{"Move":{"folder":"Archive","uid_validity":1006,"uids":[[50,50]],"to":"INBOX"}}]}',1795835699943,1796440499943);
CREATE TABLE parcels (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE parcel_chunks (
    parcel_id TEXT    NOT NULL REFERENCES parcels (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    sealed    BLOB    NOT NULL,
    PRIMARY KEY (parcel_id, position)
) STRICT;
CREATE TABLE outbox_parcels (
    outbox_id TEXT NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    parcel_id TEXT NOT NULL REFERENCES parcels (id),
    PRIMARY KEY (outbox_id, parcel_id)
) STRICT;
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
CREATE TABLE writing_styles (
    account_id TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    profile    BLOB,
    version    BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE style_drafts (
    account_id TEXT   NOT NULL REFERENCES writing_styles (account_id) ON DELETE CASCADE,
    message_id TEXT   NOT NULL,
    draft      BLOB NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, message_id)
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE UNIQUE INDEX accounts_one_default ON accounts (user_id) WHERE is_default = 1;
CREATE UNIQUE INDEX keys_one_active ON keys (state) WHERE state = 'active';
CREATE INDEX clients_unused ON clients (created_at) WHERE used_at IS NULL;
CREATE INDEX authorization_requests_by_session ON authorization_requests (session);
CREATE INDEX authorization_requests_by_client ON authorization_requests (client_id);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX codes_by_grant ON codes (grant_id);
CREATE INDEX tokens_by_grant ON tokens (grant_id);
CREATE INDEX tokens_by_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE UNIQUE INDEX outbox_by_idempotency ON outbox (user_id, idempotency) WHERE idempotency IS NOT NULL;
CREATE INDEX outbox_by_content ON outbox (user_id, content, created_at);
CREATE INDEX outbox_by_account ON outbox (account_id);
CREATE INDEX outbox_by_grant ON outbox (grant_id);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX outbox_by_user ON outbox (user_id, created_at, id);
CREATE INDEX operations_by_user ON operations (user_id);
CREATE INDEX operations_by_account ON operations (account_id);
CREATE INDEX operations_by_expiry ON operations (expires_at);
CREATE INDEX parcels_by_user ON parcels (user_id);
CREATE INDEX parcels_by_expiry ON parcels (expires_at);
CREATE INDEX outbox_parcels_by_parcel ON outbox_parcels (parcel_id);
CREATE INDEX uploads_by_user ON uploads (user_id);
CREATE INDEX uploads_by_grant ON uploads (grant_id);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
CREATE INDEX writing_styles_by_user ON writing_styles (user_id);
CREATE INDEX style_drafts_by_age ON style_drafts (written_at);
COMMIT;

-- When a worker may take the next step (NULL: nothing is due), and until when steps are tried again.
ALTER TABLE outbox ADD COLUMN next_attempt_at BIGINT;
ALTER TABLE outbox ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
-- What was asked for: not before this moment, and why it waits.
ALTER TABLE outbox ADD COLUMN not_before BIGINT;
ALTER TABLE outbox ADD COLUMN hold TEXT CHECK (hold IN ('undo', 'approval', 'scheduled'));
-- Submissions tried, and looks into Sent.
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
-- Who works on it, until when, and how often it was taken: a write that names an older fence is refused.
ALTER TABLE outbox ADD COLUMN worker TEXT;
ALTER TABLE outbox ADD COLUMN lease_until BIGINT;
ALTER TABLE outbox ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
-- The final dot was risked; some recipient's copy was taken.
ALTER TABLE outbox ADD COLUMN at_risk BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE outbox ADD COLUMN departed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE outbox ADD COLUMN last_error TEXT;
-- The subject, sealed: what lists show.
ALTER TABLE outbox ADD COLUMN subject BYTEA;

UPDATE outbox SET expires_at = created_at + 86400000;
UPDATE outbox SET next_attempt_at = updated_at WHERE state IN ('queued', 'sending', 'accepted', 'unknown');
UPDATE outbox SET at_risk = TRUE WHERE state IN ('sending', 'unknown');
UPDATE outbox SET departed = TRUE WHERE state IN ('accepted', 'done');
UPDATE outbox SET hold = 'approval' WHERE state = 'pending_approval';

DROP INDEX outbox_by_state;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX outbox_by_user ON outbox (user_id, created_at, id);

-- How messages of this account leave: 'immediate', 'approval' or 'undo:SECONDS'; the stricter of it and the grant's.
ALTER TABLE accounts ADD COLUMN send_policy TEXT NOT NULL DEFAULT 'immediate';

CREATE TABLE operations (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('planned', 'running', 'done', 'undone', 'failed')),
    detail     TEXT    NOT NULL CHECK (octet_length(detail) <= 262144),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX operations_by_user ON operations (user_id);
CREATE INDEX operations_by_account ON operations (account_id);
CREATE INDEX operations_by_expiry ON operations (expires_at);

-- Further addresses that mail of this account is sent from: a JSON list of 'Name <a@b.c>'.
ALTER TABLE accounts ADD COLUMN aliases TEXT NOT NULL DEFAULT '[]';

-- Accounts whose owner lets the wording of drafts be learnt from. A row is the switch: without it nothing is kept.
CREATE TABLE writing_styles (
    account_id TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    profile    BLOB,
    version    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX writing_styles_by_user ON writing_styles (user_id);
-- Drafts until it is known what was sent in their place; at most 50 an account, for 30 days.
CREATE TABLE style_drafts (
    account_id TEXT   NOT NULL REFERENCES writing_styles (account_id) ON DELETE CASCADE,
    message_id TEXT   NOT NULL,
    draft      BLOB NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, message_id)
);
CREATE INDEX style_drafts_by_age ON style_drafts (written_at);

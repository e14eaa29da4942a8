-- What a confidential client proves itself with: the way in which it is accepted, and a digest. Public clients have neither.
ALTER TABLE clients ADD COLUMN secret_method TEXT CHECK (secret_method IN ('basic', 'post'));
ALTER TABLE clients ADD COLUMN secret BYTEA;

-- What a grant allows with each account, in place of a list and one level for all: it begins as the same for each.
CREATE TABLE grant_accounts (
    grant_id    TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    permissions TEXT NOT NULL,
    send_policy TEXT NOT NULL,
    PRIMARY KEY (grant_id, account_id)
);
CREATE INDEX grant_accounts_by_account ON grant_accounts (account_id);
-- Also the accounts that are added later; what the grant says holds for each.
ALTER TABLE grants ADD COLUMN every_account BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE grants SET every_account = TRUE WHERE accounts IS NULL;
INSERT INTO grant_accounts (grant_id, account_id, permissions, send_policy)
SELECT DISTINCT grants.id, accounts.id, grants.permissions, grants.send_policy
FROM grants CROSS JOIN LATERAL json_array_elements_text(grants.accounts::json) AS listed (account)
JOIN accounts ON accounts.id = listed.account AND accounts.user_id = grants.user_id;
ALTER TABLE grants DROP COLUMN accounts;

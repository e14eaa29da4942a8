-- Where a client that nobody consented to yet was registered from ('' is unknown), so that no network has all the room; and
-- when somebody who is signed in was last asked about it.
ALTER TABLE clients ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN shown_at BIGINT;
CREATE INDEX clients_unused_by_network ON clients (network, created_at) WHERE used_at IS NULL;

-- A refresh token that was exchanged: with this and the token itself, its successors can be told again.
ALTER TABLE tokens ADD COLUMN salt BYTEA;

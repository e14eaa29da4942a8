ALTER TABLE accounts ADD COLUMN health TEXT NOT NULL DEFAULT 'ok' CHECK (health IN ('ok', 'needs_attention'));
UPDATE accounts SET health = 'needs_attention'
WHERE reading LIKE 'needs_attention:%' OR sending LIKE 'needs_attention:%';
ALTER TABLE accounts DROP COLUMN reading;
ALTER TABLE accounts DROP COLUMN sending;
DROP INDEX outbox_by_state;
ALTER TABLE outbox DROP COLUMN by_hand;

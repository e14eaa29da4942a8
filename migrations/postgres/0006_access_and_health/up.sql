-- The person let it go by hand: it leaves although its grant has ended.
ALTER TABLE outbox ADD COLUMN by_hand BOOLEAN NOT NULL DEFAULT FALSE;
-- What waits although its access has ended is looked for among what waits.
CREATE INDEX outbox_by_state ON outbox (state);

-- Whether logins work, of each server: 'untried', 'working:SINCE', 'working:SINCE:FAILING_SINCE:TIMES' or
-- 'needs_attention:CODE:SINCE' (milliseconds since the Unix epoch). 'ok' said of both servers that they worked or were
-- never tried: what left or was filed tells.
ALTER TABLE accounts ADD COLUMN reading TEXT NOT NULL DEFAULT 'untried';
ALTER TABLE accounts ADD COLUMN sending TEXT NOT NULL DEFAULT 'untried';
UPDATE accounts SET reading = 'working:' || created_at
WHERE EXISTS (SELECT 1 FROM operations WHERE operations.account_id = accounts.id)
   OR EXISTS (SELECT 1 FROM outbox WHERE outbox.account_id = accounts.id AND outbox.saved_to_sent);
UPDATE accounts SET sending = 'working:' || created_at
WHERE EXISTS (SELECT 1 FROM outbox WHERE outbox.account_id = accounts.id AND outbox.departed);
UPDATE accounts SET reading = 'needs_attention:auth_failed:' || CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)
WHERE health = 'needs_attention';
ALTER TABLE accounts DROP COLUMN health;

ALTER TABLE accounts DROP COLUMN signature;

ALTER TABLE accounts DROP COLUMN aliases;

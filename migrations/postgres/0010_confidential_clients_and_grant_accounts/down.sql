ALTER TABLE clients DROP COLUMN secret;
ALTER TABLE clients DROP COLUMN secret_method;

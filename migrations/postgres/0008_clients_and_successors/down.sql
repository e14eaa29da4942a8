ALTER TABLE tokens DROP COLUMN salt;
DROP INDEX clients_unused_by_network;
ALTER TABLE clients DROP COLUMN shown_at;
ALTER TABLE clients DROP COLUMN network;

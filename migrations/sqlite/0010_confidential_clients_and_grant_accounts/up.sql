-- What a confidential client proves itself with: the way in which it is accepted, and a digest. Public clients have neither.
ALTER TABLE clients ADD COLUMN secret_method TEXT CHECK (secret_method IN ('basic', 'post'));
ALTER TABLE clients ADD COLUMN secret BLOB;

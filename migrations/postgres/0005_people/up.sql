-- Further addresses that mail of this account is sent from: a JSON list of 'Name <a@b.c>'.
ALTER TABLE accounts ADD COLUMN aliases TEXT NOT NULL DEFAULT '[]';

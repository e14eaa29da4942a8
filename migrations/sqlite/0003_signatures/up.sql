-- What stands under messages of this account: the person's own text or HTML.
ALTER TABLE accounts ADD COLUMN signature TEXT;

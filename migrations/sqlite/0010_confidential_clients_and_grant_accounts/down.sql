ALTER TABLE grants ADD COLUMN accounts TEXT;
UPDATE grants SET accounts = (SELECT json_group_array(account_id) FROM grant_accounts WHERE grant_id = grants.id)
WHERE every_account = 0;
ALTER TABLE grants DROP COLUMN every_account;
DROP TABLE grant_accounts;
ALTER TABLE clients DROP COLUMN secret;
ALTER TABLE clients DROP COLUMN secret_method;

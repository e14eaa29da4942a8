use crate::{
    AccountError, AccountsDeps, Diagnosis, InvalidAccount, NewAccount, Step,
    correspondents::{Correspondents, CorrespondentsDeps},
    door::{Door, Note},
    logins::Logins,
};
use imapmcp_core::{
    account::{Account, AuthKind, Credential, Health, Login, Side},
    id::{AccountId, UserId},
    mail::{MailError, Mailbox},
    oauth::SendPolicy,
    secret::{Binding, ExposeSecret, Sealed, SecretString, VaultError},
    sender::{MAX_ALIASES, Sender},
};
use std::{num::NonZeroU32, ops::RangeInclusive, sync::Arc, time::Instant};

/// Octets of a signature.
const MAX_SIGNATURE: usize = 20_000;
/// How long an account's undo window may be.
pub const UNDO_SECONDS: RangeInclusive<u32> = 5..=300;

/// Use cases of mail accounts.
pub struct Accounts {
    logins: Arc<Logins>,
    correspondents: Arc<Correspondents>,
    most: u32,
}

impl Accounts {
    /// Ready for use.
    pub fn new(deps: AccountsDeps) -> Self {
        let correspondents = Arc::new(Correspondents::new(CorrespondentsDeps {
            repository: Arc::clone(&deps.correspondents),
            vault: Arc::clone(&deps.vault),
            clock: Arc::clone(&deps.clock),
            entropy: Arc::clone(&deps.entropy),
        }));
        Self { logins: Arc::new(Logins::new(deps)), correspondents, most: u32::MAX }
    }

    /// Whom accounts have met.
    pub const fn correspondents(&self) -> &Arc<Correspondents> {
        &self.correspondents
    }

    /// The same, with a bound on the accounts of one user; `None` is no bound.
    pub fn at_most(self, accounts: Option<NonZeroU32>) -> Self {
        Self { most: accounts.map_or(u32::MAX, NonZeroU32::get), ..self }
    }

    fn deps(&self) -> &AccountsDeps {
        &self.logins.deps
    }

    /// Adds an account without talking to its servers. More than the bound are [`AccountError::TooMany`].
    pub async fn add(&self, user: &UserId, new: NewAccount) -> Result<Account, AccountError> {
        let account = self.sealed(user, new)?;
        if !self.deps().repository.add_account_within(&account, self.most).await? {
            return Err(AccountError::TooMany(self.most));
        }
        Ok(account)
    }

    /// Tries the servers of an account that is not stored.
    pub async fn test_new(&self, user: &UserId, new: NewAccount) -> Result<Diagnosis, AccountError> {
        let account = self.sealed(user, new)?;
        let login = self.login_of(&account)?;
        Ok(self.diagnose(&login).await)
    }

    /// Tries the servers afresh and remembers whether their logins work.
    pub async fn test(&self, user: &UserId, id: &AccountId) -> Result<Diagnosis, AccountError> {
        let account = self.get(user, id).await?;
        let diagnosis = self.diagnose(&self.login_of(&account)?).await;
        self.note_diagnosis(&account, &diagnosis).await;
        Ok(diagnosis)
    }

    /// The user's accounts, the default first.
    pub async fn list(&self, user: &UserId) -> Result<Vec<Account>, AccountError> {
        Ok(self.deps().repository.list_accounts(user).await?)
    }

    /// One account.
    pub async fn get(&self, user: &UserId, id: &AccountId) -> Result<Account, AccountError> {
        self.deps().repository.find_account(user, id).await?.ok_or(AccountError::NotFound)
    }

    /// Closes the connections of an account that is gone, as its user is.
    pub fn close(&self, id: &AccountId) {
        self.logins.changed(id, true);
    }

    /// Removes an account and closes its connections.
    pub async fn remove(&self, user: &UserId, id: &AccountId) -> Result<(), AccountError> {
        if !self.deps().repository.remove_account(user, id).await? {
            return Err(AccountError::NotFound);
        }
        self.logins.changed(id, true);
        Ok(())
    }

    /// Replaces the password.
    pub async fn set_password(
        &self,
        user: &UserId,
        id: &AccountId,
        password: &SecretString,
    ) -> Result<(), AccountError> {
        let account = self.get(user, id).await?;
        let sealed = self.seal(&account, password);
        let version = account.credential_version;
        if !self.deps().repository.set_credential(user, id, version, &sealed).await? {
            return Err(AccountError::ChangedMeanwhile);
        }
        self.logins.password_changed(id);
        Ok(())
    }

    /// Sets how messages of this account leave, whoever sends them; an undo window lasts [`UNDO_SECONDS`].
    pub async fn set_send_policy(
        &self,
        user: &UserId,
        id: &AccountId,
        policy: SendPolicy,
    ) -> Result<(), AccountError> {
        if let SendPolicy::UndoWindow(seconds) = policy
            && !UNDO_SECONDS.contains(&seconds)
        {
            return Err(
                InvalidAccount { field: "undo window", problem: "is not 5 to 300 seconds long" }.into()
            );
        }
        let known = self.deps().repository.set_send_policy(user, id, policy).await?;
        self.logins.changed(id, false);
        if known { Ok(()) } else { Err(AccountError::NotFound) }
    }

    /// Replaces the signature (text or HTML, at most 20,000 octets); an empty one removes it.
    pub async fn set_signature(
        &self,
        user: &UserId,
        id: &AccountId,
        signature: &str,
    ) -> Result<(), AccountError> {
        let problem = if signature.len() > MAX_SIGNATURE {
            Some("is longer than 20,000 characters")
        } else if signature.contains('\0') {
            Some("holds a control character")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(InvalidAccount { field: "signature", problem }.into());
        }
        let signature = Some(signature.trim()).filter(|signature| !signature.is_empty());
        if !self.deps().repository.set_signature(user, id, signature).await? {
            return Err(AccountError::NotFound);
        }
        self.logins.changed(id, false);
        Ok(())
    }

    /// Replaces the further addresses that mail of an account is sent from. Repetitions, and the account's own address, are
    /// dropped; of the rest there may be [`MAX_ALIASES`].
    pub async fn set_aliases(
        &self,
        user: &UserId,
        id: &AccountId,
        aliases: Vec<Sender>,
    ) -> Result<(), AccountError> {
        let account = self.get(user, id).await?;
        let mut kept: Vec<Sender> = Vec::new();
        for alias in aliases {
            if !alias.is(&account.email) && !kept.iter().any(|known| known.is(alias.email())) {
                kept.push(alias);
            }
        }
        if kept.len() > MAX_ALIASES {
            return Err(InvalidAccount { field: "aliases", problem: "are more than 20" }.into());
        }
        if !self.deps().repository.set_aliases(user, id, &kept).await? {
            return Err(AccountError::NotFound);
        }
        self.logins.changed(id, false);
        Ok(())
    }

    /// An account with its mailbox. [`AccountError::NeedsAttention`] if the IMAP server refused the login before.
    pub async fn mailbox(
        &self,
        user: &UserId,
        id: &AccountId,
    ) -> Result<(Account, Arc<dyn Mailbox>), AccountError> {
        let (account, mailbox) = if let Some(fresh) = self.logins.fresh(user, id) {
            fresh
        } else {
            let account = Arc::new(self.usable(user, id, Side::Reading).await?);
            let mailbox = self.deps().mail.mailbox(&self.login_of(&account)?);
            self.logins.used((Arc::clone(&account), Arc::clone(&mailbox)));
            (account, mailbox)
        };
        let note = Note::new(&self.logins, &self.correspondents, &account);
        let door = Door::new(mailbox, note);
        Ok((Account::clone(&account), Arc::new(door)))
    }

    /// An account whose server of this side may be talked to; nothing is opened.
    pub async fn usable(&self, user: &UserId, id: &AccountId, side: Side) -> Result<Account, AccountError> {
        let account = self.get(user, id).await?;
        self.logins.may_try(&account, side)?;
        Ok(account)
    }

    /// Remembers how a login at the submission server ended; what the IMAP server says is remembered by the mailbox of
    /// [`Accounts::mailbox`].
    pub async fn note_sending(&self, account: &Account, login: &Result<(), MailError>) {
        self.logins.note(account, Side::Sending, login).await;
    }

    /// Remembers what a test of this account found.
    pub async fn note_diagnosis(&self, account: &Account, diagnosis: &Diagnosis) {
        self.logins.note(account, Side::Reading, &diagnosis.imap.outcome).await;
        self.logins.note(account, Side::Sending, &diagnosis.smtp.outcome).await;
    }

    /// What an account's submission server is shown. [`AccountError::NeedsAttention`] if it refused it before.
    pub async fn login(&self, user: &UserId, id: &AccountId) -> Result<(Account, Login), AccountError> {
        let account = self.usable(user, id, Side::Sending).await?;
        let login = self.login_of(&account)?;
        Ok((account, login))
    }

    fn sealed(&self, user: &UserId, new: NewAccount) -> Result<Account, AccountError> {
        let (email, new) = new.checked()?;
        let mut account = Account {
            id: AccountId::random(&*self.deps().entropy),
            user: user.clone(),
            label: new.label,
            email,
            from_name: new.from_name,
            is_default: new.is_default,
            backend: new.backend,
            imap_username: new.imap_username,
            smtp_username: new.smtp_username,
            auth: new.auth,
            credential: Sealed(Vec::new()),
            credential_version: 1,
            reading: Health::Untried,
            sending: Health::Untried,
            send_policy: SendPolicy::Immediate,
            signature: None,
            aliases: Vec::new(),
            created_at: self.deps().clock.now(),
        };
        account.credential = self.seal(&account, &new.password);
        Ok(account)
    }

    fn seal(&self, account: &Account, password: &SecretString) -> Sealed {
        let context = account.credential_context();
        self.deps().vault.seal(
            Binding::account_credential(&account.id, &account.user, &context),
            password.expose_secret().as_bytes(),
        )
    }

    fn login_of(&self, account: &Account) -> Result<Login, AccountError> {
        let context = account.credential_context();
        let plain = self
            .deps()
            .vault
            .open(Binding::account_credential(&account.id, &account.user, &context), &account.credential)?;
        let secret = std::str::from_utf8(plain.expose_secret()).map_err(|_| VaultError::Tampered)?;
        let secret = SecretString::from(secret);
        Ok(Login {
            user: account.user.clone(),
            account: account.id.clone(),
            version: account.credential_version,
            backend: account.backend.clone(),
            imap_username: account.imap_username.clone(),
            smtp_username: account.smtp_username.clone(),
            credential: match account.auth {
                AuthKind::Password => Credential::Password(secret),
                AuthKind::OAuth2 => Credential::AccessToken(secret),
            },
        })
    }

    async fn diagnose(&self, login: &Login) -> Diagnosis {
        let imap = async {
            let started = Instant::now();
            Step { outcome: self.deps().mail.probe(login).await, took: started.elapsed() }
        };
        let smtp = async {
            let started = Instant::now();
            Step { outcome: self.deps().submission.probe(login).await, took: started.elapsed() }
        };
        let (imap, smtp) = tokio::join!(imap, smtp);
        Diagnosis { imap, smtp }
    }
}

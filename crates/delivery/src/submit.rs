//! One submission of an entry that this worker holds.

use crate::{
    Delivery, DeliveryError,
    dot::Dot,
    error::trouble,
    machine::{Attempt, Caller, Event, Leased, Next},
    schedule::saves_by_itself,
    stored_message::StoredMessage,
};
use imapmcp_accounts::AccountError;
use imapmcp_core::{
    account::Account,
    mail::{MailError, SubmissionEnvelope, SubmitError, Submitted},
    outbox::OutboxState,
};
use tokio_util::sync::CancellationToken;
use tracing::{
    Span,
    field::{Empty, debug},
};

/// What came of a submission.
struct Tried {
    attempt: Attempt,
    /// How the login ended, where there was one.
    login: Option<(Account, Result<(), MailError>)>,
    /// What a caller who waits is told if nothing has left and nothing will.
    failure: Option<DeliveryError>,
}

impl Tried {
    const fn without_login(attempt: Attempt, failure: Option<DeliveryError>) -> Self {
        Self { attempt, login: None, failure }
    }
}

impl Delivery {
    /// Takes an entry in state `sending` as far as it gets now. An error is told to a caller who waits, and then nothing
    /// has left and nothing will.
    #[tracing::instrument(
        level = "debug",
        skip_all,
        fields(outbox = %entry.id, attempt = Empty, state = Empty)
    )]
    pub(crate) async fn submit(
        &self,
        entry: &mut Leased,
        message: &StoredMessage,
        caller: Caller,
        lost: &CancellationToken,
    ) -> Result<(), DeliveryError> {
        let Tried { attempt, login, failure } = self.attempt(entry, message, caller).await?;
        // before anybody is told: one try, not one a minute, because providers lock accounts
        if let Some((account, refused @ Err(_))) = &login {
            self.deps.accounts.note_sending(account, refused).await;
        }
        let next = self.happened(entry, Event::Attempted(attempt)).await;
        if next == Some(Next::FileCopy) {
            if lost.is_cancelled() {
                // the lease was given up while the database was away: the next round files the copy
                self.write(entry, false).await;
            } else {
                self.file_copy(entry, message, lost).await;
            }
        }
        if let Some((account, worked @ Ok(()))) = &login {
            self.deps.accounts.note_sending(account, worked).await;
            self.deps.accounts.correspondents().wrote_to(account, entry.accepted());
        }
        Span::current().record("attempt", entry.attempts).record("state", debug(entry.state));
        match failure {
            Some(failure)
                if caller == Caller::Waits && next.is_some() && entry.state == OutboxState::Cancelled =>
            {
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    async fn attempt(
        &self,
        entry: &mut Leased,
        message: &StoredMessage,
        caller: Caller,
    ) -> Result<Tried, DeliveryError> {
        let (account, login) = match self.deps.accounts.login(&entry.user, &entry.account).await {
            Ok(found) => found,
            // nobody knows whether the account can be used
            Err(AccountError::Store(error)) => {
                tracing::warn!(outbox = %entry.id, %error, "a message waits for the database");
                return Ok(Tried::without_login(Attempt::NotTried, None));
            }
            Err(error) => {
                let attempt = Attempt::NotSent { trouble: trouble(&error), caller };
                return Ok(Tried::without_login(attempt, Some(error.into())));
            }
        };
        let tried = entry.pending();
        let envelope = SubmissionEnvelope::new(&entry.sender, &tried).map_err(DeliveryError::Address)?;
        let octets = message.submission(&self.deps.parcels, &entry.user);
        entry.happen(Event::Tried, self.about_now())?;
        let dot = Dot::new(self, entry, &tried);
        let outcome = self.deps.submission.submit_when(&login, &envelope, &octets, &dot).await;
        let access_ended = dot.access_ended();
        *entry = dot.into_entry();
        // what came after the login says that it worked
        let logged_in = match &outcome {
            Err(SubmitError::NotSent(error)) => Err(error.clone()),
            _ => Ok(()),
        };
        let failure = logged_in.as_ref().err().cloned().map(DeliveryError::Mail);
        let attempt = match outcome {
            Err(SubmitError::Withheld) if access_ended => Attempt::AccessEnded,
            outcome => attempt_of(outcome, tried, saves_by_itself(&login.backend), caller),
        };
        Ok(Tried { attempt, login: Some((account, logged_in)), failure })
    }
}

/// What the end of a submission to `tried` means to its entry.
fn attempt_of(
    outcome: Result<Submitted, SubmitError>,
    tried: Vec<String>,
    saves_itself: bool,
    caller: Caller,
) -> Attempt {
    match outcome {
        Ok(Submitted { refused, .. }) => Attempt::Accepted { tried, refused, saves_itself },
        Err(SubmitError::Unknown(why)) => Attempt::Unknown((&why).into()),
        Err(SubmitError::Rejected { code, enhanced, refused }) => {
            Attempt::Rejected { tried, code, enhanced, refused }
        }
        Err(SubmitError::Deferred { code, enhanced }) => Attempt::Deferred { code, enhanced },
        Err(SubmitError::Withheld) => Attempt::Withheld,
        Err(SubmitError::NotSent(error)) => Attempt::NotSent { trouble: (&error).into(), caller },
    }
}

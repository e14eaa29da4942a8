//! Submitting messages (RFC 6409).

use super::{MailError, Outgoing, SubmitError};
use crate::{account::Login, address::EmailAddress, outbox::Refusal};
use async_trait::async_trait;

/// RFC 5321 envelope of a submission. Addresses are validated when it is made: no control character, no angle
/// bracket, no white space ever reaches the SMTP dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionEnvelope {
    sender: EmailAddress,
    recipients: Vec<EmailAddress>,
}

impl SubmissionEnvelope {
    /// Checks every address; `Err` carries the first that is not one.
    pub fn new(sender: &str, recipients: &[String]) -> Result<Self, String> {
        let checked = |address: &str| address.parse::<EmailAddress>().map_err(|_| address.to_owned());
        let sender = checked(sender)?;
        let recipients = recipients.iter().map(|address| checked(address)).collect::<Result<_, _>>()?;
        Ok(Self { sender, recipients })
    }

    /// Reverse path.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// Forward paths.
    pub fn recipients(&self) -> &[EmailAddress] {
        &self.recipients
    }
}

/// What the submission server took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submitted {
    /// Recipients it accepted.
    pub accepted: Vec<String>,
    /// Recipients it refused while taking the message for the others.
    pub refused: Vec<Refusal>,
}

/// Asked once per submission, when nothing but the final dot is missing: until then the server must not deliver
/// (RFC 5321 §4.1.1.4), from then on nobody but the server can tell. The place to record that durably.
#[async_trait]
pub trait FinalDot: Send + Sync {
    /// Whether the dot may leave; `refused` are the recipients the server refused at RCPT.
    async fn may_leave(&self, refused: &[Refusal]) -> bool;
}

/// Submits messages (RFC 6409).
#[async_trait]
pub trait Submission: Send + Sync {
    /// Submits one message. [`SubmitError::Unknown`] means: the final dot has no answer.
    async fn submit(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
    ) -> Result<Submitted, SubmitError>;

    /// Submits one message, asking `dot` before it is complete. Where a submission has no such moment, it is asked before
    /// everything.
    async fn submit_when(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
        dot: &dyn FinalDot,
    ) -> Result<Submitted, SubmitError> {
        if !dot.may_leave(&[]).await {
            return Err(SubmitError::Withheld);
        }
        self.submit(login, envelope, message).await
    }

    /// Connects, authenticates, says NOOP and QUIT: proves that the login works.
    async fn probe(&self, login: &Login) -> Result<(), MailError>;
}

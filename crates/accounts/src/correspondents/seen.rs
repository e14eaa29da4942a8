//! What a message tells of its correspondents.

use imapmcp_core::{
    account::Account,
    correspondent::{BlindingSecret, Sighting},
    mail::{Envelope, Mailbox},
};
use std::sync::Arc;

/// Recipients taken of one message; a hostile header cannot fill a table.
const MAX_RECIPIENTS: usize = 50;
/// Octets of an address (RFC 5321 §4.5.3.1); a longer one is nobody's.
const MAX_ADDRESS: usize = 320;

/// What was seen of an account, as it waits to be noted.
pub(super) struct Seen {
    pub(super) account: Arc<Account>,
    /// What the folders may be gone through with.
    pub(super) mailbox: Option<Arc<dyn Mailbox>>,
    pub(super) sighted: Vec<Sighted>,
}

/// An address that was seen.
pub(super) struct Sighted {
    pub(super) address: String,
    /// What names the message it wrote; `None` if it was written to.
    pub(super) message: Option<String>,
}

impl Sighted {
    /// The sender of a message that came in, or the recipients of one that the owner wrote.
    pub(super) fn of(account: &Account, envelope: &Envelope) -> Vec<Self> {
        let plausible = |address: &str| address.contains('@') && address.len() <= MAX_ADDRESS;
        let Some(from) = envelope.from.first().filter(|from| plausible(&from.email)) else { return vec![] };
        let own = account.email.eq_ignore_ascii_case(&from.email)
            || account.aliases.iter().any(|alias| alias.is(&from.email));
        if !own {
            return vec![Self { address: from.email.clone(), message: Some(name(envelope)) }];
        }
        let recipients = envelope.to.iter().chain(&envelope.cc).chain(&envelope.bcc);
        let plausible = recipients.filter(|recipient| plausible(&recipient.email));
        let written_to = plausible.map(|recipient| Self { address: recipient.email.clone(), message: None });
        written_to.take(MAX_RECIPIENTS).collect()
    }

    pub(super) fn blinded(&self, secret: &BlindingSecret) -> Sighting {
        Sighting {
            address: secret.address(&self.address),
            message: self.message.as_deref().map(|name| secret.message(name)),
        }
    }
}

/// What a message is known by wherever it is moved: its Message-ID, or what else it says of itself.
fn name(envelope: &Envelope) -> String {
    match &envelope.message_id {
        Some(id) => id.trim().to_owned(),
        None => format!("{:?} {:?}", envelope.date, envelope.subject),
    }
}

//! Enums and lists as the text that columns hold.

use crate::failure::Failure;
use imapmcp_core::{
    account::{AuthKind, Failing, Health, LoginTrouble, Security},
    mail::Role,
    oauth::{ClientKind, SecretMethod, SendPolicy, TokenKind},
    operation::OperationState,
    outbox::{Hold, OutboxState, Refusal},
    permission::Permissions,
    secret::TokenHash,
    sender::Sender,
    store::KeyState,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// An enum stored as a word.
pub(crate) trait Word: Sized {
    fn word(self) -> &'static str;
    fn of(word: &str) -> Result<Self, Failure>;
}

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {$(
        impl Word for $name {
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn of(word: &str) -> Result<Self, Failure> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Failure::Unreadable(stringify!($name))),
                }
            }
        }

        #[cfg(test)]
        impl Spelled for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    )+};
}

words! {
    Security { Tls = "tls", StartTls = "starttls", Insecure = "insecure" }
    AuthKind { Password = "password", OAuth2 = "oauth2" }
    Role {
        Inbox = "inbox", Sent = "sent", Drafts = "drafts", Trash = "trash", Junk = "junk", Archive = "archive", All = "all",
        Flagged = "flagged"
    }
    KeyState { Active = "active", DecryptOnly = "decrypt_only", Retired = "retired" }
    ClientKind { Registered = "registered", Document = "document", Personal = "personal" }
    SecretMethod { Basic = "basic", Post = "post" }
    TokenKind { Access = "access", Refresh = "refresh", Personal = "personal" }
    OperationState {
        Planned = "planned", Running = "running", Done = "done", Undone = "undone", Failed = "failed"
    }
    Hold { Undo = "undo", Approval = "approval", Scheduled = "scheduled" }
    OutboxState {
        Queued = "queued", Sending = "sending", Accepted = "accepted", Done = "done", Rejected = "rejected",
        Unknown = "unknown", Cancelled = "cancelled", PendingApproval = "pending_approval"
    }
}

#[cfg(test)]
trait Spelled: Sized + 'static {
    const ALL: &'static [Self];
}

pub(crate) fn id<T: FromStr>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::Unreadable("identifier"))
}

pub(crate) fn digest(octets: &[u8]) -> Result<TokenHash, Failure> {
    TokenHash::from_slice(octets).ok_or(Failure::Unreadable("digest"))
}

pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("lists of texts and numbers are always JSON")
}

pub(crate) fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::Unreadable("list"))
}

pub(crate) fn aliases_text(aliases: &[Sender]) -> String {
    to_json(&aliases.iter().map(ToString::to_string).collect::<Vec<_>>())
}

pub(crate) fn aliases_of(text: &str) -> Result<Vec<Sender>, Failure> {
    let list: Vec<String> = from_json(text)?;
    list.iter().map(|alias| alias.parse().map_err(|_| Failure::Unreadable("alias"))).collect()
}

pub(crate) fn permissions(text: &str) -> Permissions {
    Permissions::from_scope(text)
}

pub(crate) fn policy_word(policy: SendPolicy) -> String {
    match policy {
        SendPolicy::Immediate => "immediate".to_owned(),
        SendPolicy::Approval => "approval".to_owned(),
        SendPolicy::UndoWindow(seconds) => format!("undo:{seconds}"),
    }
}

pub(crate) fn policy_of(word: &str) -> Result<SendPolicy, Failure> {
    match (word, word.strip_prefix("undo:").and_then(|seconds| seconds.parse().ok())) {
        ("immediate", _) => Ok(SendPolicy::Immediate),
        ("approval", _) => Ok(SendPolicy::Approval),
        (_, Some(seconds)) => Ok(SendPolicy::UndoWindow(seconds)),
        _ => Err(Failure::Unreadable("SendPolicy")),
    }
}

/// `untried`, `working:SINCE`, `working:SINCE:FAILING_SINCE:TIMES` or `needs_attention:CODE:SINCE`.
pub(crate) fn health_text(health: Health) -> String {
    match health {
        Health::Untried => "untried".to_owned(),
        Health::Working { since, failing: None } => format!("working:{}", since.0),
        Health::Working { since, failing: Some(failing) } => {
            format!("working:{}:{}:{}", since.0, failing.since.0, failing.times)
        }
        Health::NeedsAttention { why, since } => format!("needs_attention:{}:{}", why.code(), since.0),
    }
}

pub(crate) fn health_of(text: &str) -> Result<Health, Failure> {
    let unreadable = || Failure::Unreadable("Health");
    let at = |text: &str| text.parse().map(Timestamp).map_err(|_| unreadable());
    match text.split(':').collect::<Vec<_>>()[..] {
        ["untried"] => Ok(Health::Untried),
        ["working", since] => Ok(Health::Working { since: at(since)?, failing: None }),
        ["working", since, failing, times] => {
            let times = times.parse().map_err(|_| unreadable())?;
            let failing = Some(Failing { since: at(failing)?, times });
            Ok(Health::Working { since: at(since)?, failing })
        }
        ["needs_attention", why, since] => {
            let why = LoginTrouble::of_code(why).ok_or_else(unreadable)?;
            Ok(Health::NeedsAttention { why, since: at(since)? })
        }
        _ => Err(unreadable()),
    }
}

#[derive(Serialize, Deserialize)]
struct RefusalJson {
    address: String,
    code: u16,
    enhanced: Option<String>,
}

pub(crate) fn refusals_text(list: &[Refusal]) -> String {
    let list: Vec<_> = list
        .iter()
        .cloned()
        .map(|Refusal { address, code, enhanced }| RefusalJson { address, code, enhanced })
        .collect();
    to_json(&list)
}

pub(crate) fn refusals_of(text: &str) -> Result<Vec<Refusal>, Failure> {
    let list: Vec<RefusalJson> = from_json(text)?;
    Ok(list
        .into_iter()
        .map(|RefusalJson { address, code, enhanced }| Refusal { address, code, enhanced })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round<T: Word + Spelled + Copy + PartialEq + std::fmt::Debug>() {
        for value in T::ALL {
            assert_eq!(T::of(value.word()).unwrap(), *value);
        }
        assert!(T::of("").is_err());
    }

    #[test]
    fn every_word_is_read_back() {
        round::<Security>();
        round::<AuthKind>();
        for why in LoginTrouble::ALL {
            let health = Health::NeedsAttention { why, since: Timestamp(1) };
            assert_eq!(health_of(&health_text(health)).unwrap(), health);
        }
        round::<KeyState>();
        round::<ClientKind>();
        round::<TokenKind>();
        round::<OperationState>();
        round::<OutboxState>();
        round::<Hold>();
        for policy in [SendPolicy::Immediate, SendPolicy::Approval, SendPolicy::UndoWindow(30)] {
            assert_eq!(policy_of(&policy_word(policy)).unwrap(), policy);
        }
        for (health, text) in [
            (Health::Untried, "untried"),
            (Health::Working { since: Timestamp(5), failing: None }, "working:5"),
            (
                Health::Working {
                    since: Timestamp(5),
                    failing: Some(Failing { since: Timestamp(7), times: 2 }),
                },
                "working:5:7:2",
            ),
            (
                Health::NeedsAttention { why: LoginTrouble::AppPassword, since: Timestamp(9) },
                "needs_attention:app_password_needed:9",
            ),
        ] {
            assert_eq!(health_text(health), text, "as it stands in databases");
            assert_eq!(health_of(text).unwrap(), health);
        }
        for broken in ["", "ok", "working", "working:x", "needs_attention:refused:1", "working:1:2"] {
            assert!(health_of(broken).is_err(), "{broken}");
        }
    }
}

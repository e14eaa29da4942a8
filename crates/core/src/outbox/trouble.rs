use crate::mail::{MailError, MailErrorKind};
use std::borrow::Cow;

/// What went wrong last with a message on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// With a mail server, or with the octets that were to be sent ([`MailErrorKind::Unreadable`]).
    Mail(MailErrorKind),
    /// The submission server refused or deferred it with this reply code (RFC 5321 §4.2).
    Reply(u16),
    /// The IMAP server refused the copy with this response code, such as `OVERQUOTA` (RFC 5530 §3).
    Condition(String),
    /// The account has no Sent folder for the copy.
    NoSentFolder,
    /// The account's stored password cannot be opened.
    CredentialUnreadable,
    /// The access it was sent with ended before it left.
    AccessEnded,
}

impl Trouble {
    /// The code of [`NoSentFolder`](Self::NoSentFolder).
    pub const NO_SENT_FOLDER: &str = "no_sent_folder";
    /// The code of [`CredentialUnreadable`](Self::CredentialUnreadable).
    pub const CREDENTIAL_UNREADABLE: &str = "credential_unreadable";
    /// The code of [`AccessEnded`](Self::AccessEnded).
    pub const ACCESS_ENDED: &str = "access_ended";

    /// The stable code, as it is stored and shown.
    pub fn code(&self) -> Cow<'_, str> {
        match self {
            Self::Mail(kind) => Cow::Borrowed(kind.code()),
            Self::Reply(code) => Cow::Owned(code.to_string()),
            Self::Condition(condition) => Cow::Borrowed(condition),
            Self::NoSentFolder => Cow::Borrowed(Self::NO_SENT_FOLDER),
            Self::CredentialUnreadable => Cow::Borrowed(Self::CREDENTIAL_UNREADABLE),
            Self::AccessEnded => Cow::Borrowed(Self::ACCESS_ENDED),
        }
    }

    /// What has this code. Entries of earlier versions hold words that are written no more; a word that is none of ours is
    /// kept as the server's.
    pub fn of_code(code: &str) -> Self {
        let reply = || code.parse().ok().filter(|reply| (100..1000).contains(reply));
        match code {
            Self::NO_SENT_FOLDER => Self::NoSentFolder,
            Self::CREDENTIAL_UNREADABLE => Self::CredentialUnreadable,
            Self::ACCESS_ENDED => Self::AccessEnded,
            "login_refused" => Self::Mail(MailErrorKind::LoginRefused),
            "protocol" => Self::Mail(MailErrorKind::Protocol),
            "unknown" => Self::Mail(MailErrorKind::Unknown),
            "failed" => Self::Mail(MailErrorKind::Refused),
            _ => MailErrorKind::of_code(code)
                .map(Self::Mail)
                .or_else(|| reply().map(Self::Reply))
                .unwrap_or_else(|| Self::Condition(code.to_owned())),
        }
    }

    /// Whether nothing helps but that the person mends the account.
    pub const fn awaits_owner(&self) -> bool {
        match self {
            Self::Mail(kind) => matches!(
                kind,
                MailErrorKind::LoginRefused
                    | MailErrorKind::AppPassword
                    | MailErrorKind::SubmissionOff
                    | MailErrorKind::NoMechanism
            ),
            Self::CredentialUnreadable => true,
            Self::Reply(_) | Self::Condition(_) | Self::NoSentFolder | Self::AccessEnded => false,
        }
    }
}

impl From<&MailError> for Trouble {
    fn from(error: &MailError) -> Self {
        match error {
            // the only folder that a message on its way out needs
            MailError::NoFolder => Self::NoSentFolder,
            MailError::Refused { condition: Some(condition) } => Self::of_code(condition),
            error => Self::Mail(error.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_is_read_back_from_its_code() {
        let mail = MailErrorKind::all().map(Trouble::Mail);
        let others = [
            Trouble::Reply(451),
            Trouble::Condition("OVERQUOTA".to_owned()),
            Trouble::NoSentFolder,
            Trouble::CredentialUnreadable,
            Trouble::AccessEnded,
        ];
        for trouble in mail.chain(others) {
            assert_eq!(Trouble::of_code(&trouble.code()), trouble, "{}", trouble.code());
        }
    }

    /// Every word that any version has stored in `outbox.last_error`.
    #[test]
    fn words_of_earlier_versions_are_read() {
        let mail = Trouble::Mail;
        for (word, trouble) in [
            ("login_refused", mail(MailErrorKind::LoginRefused)),
            ("protocol", mail(MailErrorKind::Protocol)),
            ("unknown", mail(MailErrorKind::Unknown)),
            ("failed", mail(MailErrorKind::Refused)),
            ("auth_failed", mail(MailErrorKind::LoginRefused)),
            ("timeout", mail(MailErrorKind::Timeout)),
            ("throttled", mail(MailErrorKind::Throttled)),
            ("refused", mail(MailErrorKind::Refused)),
            ("unreadable", mail(MailErrorKind::Unreadable)),
            ("no_sent_folder", Trouble::NoSentFolder),
            ("credential_unreadable", Trouble::CredentialUnreadable),
            ("access_ended", Trouble::AccessEnded),
            ("550", Trouble::Reply(550)),
            ("OVERQUOTA", Trouble::Condition("OVERQUOTA".to_owned())),
            ("a_word_of_a_later_version", Trouble::Condition("a_word_of_a_later_version".to_owned())),
        ] {
            assert_eq!(Trouble::of_code(word), trouble, "{word}");
        }
    }

    #[test]
    fn what_a_server_refused_with_is_told() {
        let refused = |condition: &str| MailError::Refused { condition: Some(condition.to_owned()) };
        assert_eq!(Trouble::from(&refused("OVERQUOTA")).code(), "OVERQUOTA");
        assert_eq!(
            Trouble::from(&refused("550")),
            Trouble::Reply(550),
            "a reply to a test of the submission server"
        );
        assert_eq!(Trouble::from(&MailError::Refused { condition: None }).code(), "refused");
        assert_eq!(Trouble::from(&MailError::NoFolder), Trouble::NoSentFolder);
        assert_eq!(Trouble::from(&MailError::LoginRefused).code(), "auth_failed");
    }

    #[test]
    fn only_what_the_person_can_mend_waits_for_the_person() {
        let waiting: Vec<_> = MailErrorKind::all()
            .filter(|kind| Trouble::Mail(*kind).awaits_owner())
            .map(MailErrorKind::code)
            .collect();
        assert_eq!(waiting, ["auth_failed", "app_password_needed", "smtp_auth_off", "no_mechanism"]);
        assert!(Trouble::CredentialUnreadable.awaits_owner() && !Trouble::Reply(451).awaits_owner());
    }
}

//! The stable codes of what goes wrong with a mail server: spelled here and nowhere else. Clients, users and operators see
//! them, and they are stored with accounts and outbox entries.

/// An enum whose variants have a code each, and which is read back from it. `$outer` is a variant that holds an enum of
/// that kind and has its codes.
macro_rules! coded {
    (
        $(#[$meta:meta])*
        $name:ident $([$(#[$outer_doc:meta])* $outer:ident($inner:ident)])? {
            $($(#[$doc:meta])* $variant:ident = $code:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$outer_doc])* $outer($inner),)?
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$variant),+].into_iter()$(.chain($inner::all().map(Self::$outer)))?
            }

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$outer(inner) => inner.code(),)?
                    $(Self::$variant => $code,)+
                }
            }

            /// The one that has this code.
            pub fn of_code(code: &str) -> Option<Self> {
                Self::all().find(|one| one.code() == code)
            }
        }
    };
}

coded! {
    /// Why a server could not be reached. No banner, address or system text is shown, only its code.
    NetworkFault {
        /// The address is not globally routable and the operator did not allow it, or the port is not a mail port.
        Blocked = "blocked",
        /// The name does not resolve.
        Dns = "dns_failed",
        /// Nothing listens, or the connection was cut.
        Connect = "connect_failed",
        /// The TLS handshake failed or the certificate is not for this name.
        Tls = "tls_failed",
        /// The server does not offer STARTTLS (or offered it dishonestly); no credential was sent.
        StartTls = "starttls_missing",
    }
}

coded! {
    /// What a [`MailError`](super::MailError) is, without its details: what can be stored and read back.
    MailErrorKind [
        /// The server could not be reached.
        Unreachable(NetworkFault)
    ] {
        /// The credential is wrong, expired or not allowed.
        LoginRefused = "auth_failed",
        /// The login was refused without a reason.
        LoginFailed = "login_failed",
        /// Logins cannot be checked just now.
        LoginUnavailable = "login_unavailable",
        /// The provider wants an app password.
        AppPassword = "app_password_needed",
        /// Sending by SMTP AUTH is switched off.
        SubmissionOff = "smtp_auth_off",
        /// No usable way to log in is offered.
        NoMechanism = "no_mechanism",
        /// No answer within the deadline.
        Timeout = "timeout",
        /// Too many connections or commands.
        Throttled = "throttled",
        /// No such message (any more).
        Gone = "message_gone",
        /// UIDVALIDITY changed.
        Stale = "stale_reference",
        /// No such folder.
        NoFolder = "no_such_folder",
        /// The server said NO.
        Refused = "refused",
        /// The caller's argument cannot be put on the wire.
        Invalid = "invalid_argument",
        /// The connection ended before a change was confirmed.
        Unknown = "unknown_outcome",
        /// The octets to be sent could not be read.
        Unreadable = "unreadable",
        /// The server broke the protocol or a bound.
        Protocol = "protocol_error",
        /// This one message passes a bound.
        TooComplex = "too_complex",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_read_back_and_belongs_to_one_kind() {
        let kinds: Vec<_> = MailErrorKind::all().collect();
        for kind in &kinds {
            assert_eq!(MailErrorKind::of_code(kind.code()), Some(*kind));
        }
        let codes: HashSet<_> = kinds.iter().map(|kind| kind.code()).collect();
        assert_eq!((codes.len(), kinds.len()), (22, 22));
        assert!(codes.contains("auth_failed") && codes.contains("connect_failed"), "those of networks too");
        assert_eq!(MailErrorKind::of_code("no_such_code"), None);
    }
}

//! What a caller is told that may not do something.

use imapmcp_core::{id::AccountId, permission::Permission};

/// What is missing, where, and how to come by it.
pub(crate) fn denied(missing: Permission, account: Option<&AccountId>) -> String {
    let (words, scope) = (missing.in_words(), missing.scope());
    match account {
        None => format!(
            "This connection may not do that. Ask the user to connect again and allow \"{words}\" ({scope})."
        ),
        Some(account) => format!(
            "This connection may not do that with {account}. Ask the user to connect again and allow \"{words}\" ({scope}) for this account, or use another one; list_accounts says what each allows."
        ),
    }
}

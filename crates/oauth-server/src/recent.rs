//! Callers seen within the last second. A model's client makes many calls in a row; asking the database about the same
//! token each time costs a third of a short call. What ends a token in this process forgets everybody at once; what
//! ends it elsewhere (another replica, the command line) holds a second later, well within the five that are promised.

use imapmcp_core::{oauth::Principal, secret::TokenHash, time::Timestamp};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long a caller is remembered, in milliseconds.
const MEMORY: i64 = 1000;
/// Callers remembered at most; beyond it all are forgotten.
const MOST: usize = 4096;

/// Who a token stood for, and when that was read.
type Seen = HashMap<TokenHash, (Timestamp, Principal)>;

#[derive(Default)]
pub(crate) struct Recent(Mutex<Seen>);

impl Recent {
    pub(crate) fn find(&self, token: &TokenHash, now: Timestamp) -> Option<Principal> {
        let seen = self.seen();
        // a clock that went back remembers nobody
        let fresh = |at: Timestamp| (0..MEMORY).contains(&(now.0 - at.0));
        seen.get(token).filter(|(at, _)| fresh(*at)).map(|(_, principal)| principal.clone())
    }

    /// Whether the token was good when it was last looked at, however long ago.
    pub(crate) fn knows(&self, token: &TokenHash) -> bool {
        self.seen().contains_key(token)
    }

    pub(crate) fn remember(&self, token: TokenHash, principal: &Principal, now: Timestamp) {
        let mut seen = self.seen();
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(token, (now, principal.clone()));
    }

    /// Something ended: everybody is read again.
    pub(crate) fn forget(&self) {
        self.seen().clear();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::{
        id::ClientId,
        oauth::{AccountScope, SendPolicy},
        permission::Permissions,
    };

    #[test]
    fn a_caller_is_remembered_for_a_second_at_most_and_forgotten_at_once() {
        let principal = Principal {
            user: "usr_1".parse().unwrap(),
            grant: "grt_1".parse().unwrap(),
            client: ClientId::personal(),
            permissions: Permissions::all(),
            accounts: AccountScope::All,
            send_policy: SendPolicy::Immediate,
        };
        let (recent, token) = (Recent::default(), TokenHash::of("t"));
        recent.remember(token, &principal, Timestamp(5000));
        assert!(recent.find(&token, Timestamp(5999)).is_some());
        for elsewhen in [6000, 4999] {
            assert!(recent.find(&token, Timestamp(elsewhen)).is_none(), "{elsewhen}");
        }
        assert!(recent.knows(&token));
        recent.forget();
        assert!(!recent.knows(&token));
        assert!(recent.find(&token, Timestamp(5000)).is_none());
    }
}

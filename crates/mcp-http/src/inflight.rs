//! Requests being worked on. The SDK runs each on a task of its own and hands nothing through but its `AuthInfo`;
//! a number in there leads back to the caller and to the switch that ends the work.

use imapmcp_core::{id::GrantId, oauth::Principal};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

/// One request being worked on.
#[derive(Clone)]
pub struct Call {
    /// Who calls.
    pub principal: Arc<Principal>,
    /// Ends when the client goes away or calls the request off.
    pub cancelled: CancellationToken,
    name: Option<CallName>,
}

/// What a client of the older era calls a request off by: its number, which counts within one session of one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallName {
    pub(crate) grant: GrantId,
    /// Mcp-Session-Id.
    pub(crate) session: Option<String>,
    /// As JSON: 1 is not "1".
    pub(crate) id: String,
}

/// Every request being worked on.
#[derive(Default)]
pub struct Inflight {
    next: AtomicU64,
    calls: Mutex<HashMap<u64, Call>>,
}

/// Ends its call when dropped: actix drops a handler's future (and a response's stream) when the client hangs up.
pub(crate) struct Guard {
    inflight: Arc<Inflight>,
    pub(crate) key: u64,
    pub(crate) cancelled: CancellationToken,
}

impl Inflight {
    pub(crate) fn enter(self: &Arc<Self>, principal: Arc<Principal>, name: Option<CallName>) -> Guard {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        let cancelled = CancellationToken::new();
        let call = Call { principal, cancelled: cancelled.clone(), name };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).insert(key, call);
        Guard { inflight: Arc::clone(self), key, cancelled }
    }

    /// Ends the request of this name (`notifications/cancelled`). Of two requests of one name nobody knows which is meant:
    /// both go on.
    pub(crate) fn cancel(&self, name: &CallName) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let mut meant = calls.values().filter(|call| call.name.as_ref() == Some(name));
        if let (Some(call), None) = (meant.next(), meant.next()) {
            call.cancelled.cancel();
        }
    }

    /// The call that an `AuthInfo` of ours stands for.
    pub fn find(&self, key: &str) -> Option<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).get(&key.parse().ok()?).cloned()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let removed = self.inflight.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        if let Some(call) = removed {
            call.cancelled.cancel();
        }
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

    fn principal() -> Arc<Principal> {
        Arc::new(Principal {
            user: "usr_1".parse().unwrap(),
            grant: "grt_1".parse().unwrap(),
            client: ClientId::personal(),
            permissions: Permissions::all(),
            accounts: AccountScope::All,
            send_policy: SendPolicy::Immediate,
        })
    }

    fn name(grant: &str, session: &str, id: &str) -> CallName {
        CallName { grant: grant.parse().unwrap(), session: Some(session.to_owned()), id: id.to_owned() }
    }

    #[test]
    fn a_request_is_called_off_by_its_own_session_and_grant() {
        let inflight = Arc::new(Inflight::default());
        let guard = inflight.enter(principal(), Some(name("grt_1", "s1", "7")));
        for other in [name("grt_2", "s1", "7"), name("grt_1", "s2", "7"), name("grt_1", "s1", "\"7\"")] {
            inflight.cancel(&other);
            assert!(!guard.cancelled.is_cancelled(), "{other:?}");
        }
        inflight.cancel(&name("grt_1", "s1", "7"));
        assert!(guard.cancelled.is_cancelled());
    }

    #[test]
    fn of_two_requests_of_one_name_neither_is_called_off() {
        let inflight = Arc::new(Inflight::default());
        let [one, other] = [(); 2].map(|()| inflight.enter(principal(), Some(name("grt_1", "s1", "7"))));
        inflight.cancel(&name("grt_1", "s1", "7"));
        assert!(!one.cancelled.is_cancelled() && !other.cancelled.is_cancelled());
        drop(one);
        inflight.cancel(&name("grt_1", "s1", "7"));
        assert!(other.cancelled.is_cancelled());
    }
}

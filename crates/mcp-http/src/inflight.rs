//! Requests being worked on. The SDK runs each on a task of its own and hands nothing through but its `AuthInfo`;
//! a number in there leads back to the caller and to the switch that ends the work.

use imapmcp_core::oauth::Principal;
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
    /// Ends when the client goes away.
    pub cancelled: CancellationToken,
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
}

impl Inflight {
    pub(crate) fn enter(self: &Arc<Self>, principal: Principal) -> Guard {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        let call = Call { principal: Arc::new(principal), cancelled: CancellationToken::new() };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).insert(key, call);
        Guard { inflight: Arc::clone(self), key }
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

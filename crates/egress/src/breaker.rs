//! Places that could not be reached lately: one caller tries again, the others share what it finds.

use crate::policy::Open;
use imapmcp_core::mail::NetworkFault;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// First and longest time for which a failure is the answer for everybody.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Places remembered; beyond that the one longest at rest is forgotten.
const MAX_PLACES: usize = 1_024;

/// Host, port, and which addresses count.
pub(crate) type Place = (String, u16, Open);

#[derive(Debug)]
struct Broken {
    failures: u32,
    failed: Instant,
    fault: NetworkFault,
    /// Held by the caller that tries again; ends with it.
    trial: Option<watch::Receiver<()>>,
}

impl Broken {
    fn rests_until(&self) -> Instant {
        self.failed + REST.0.saturating_mul(1 << (self.failures - 1).min(5)).min(REST.1)
    }
}

/// What to do about a place.
pub(crate) enum Verdict {
    /// Dial, and tell what came of it.
    Dial(Attempt),
    /// It failed a moment ago.
    Failed(NetworkFault),
    /// Somebody is trying: ask again when that is over.
    Wait(watch::Receiver<()>),
}

/// The memory of failures. Only what could not be reached takes room in it.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<HashMap<Place, Broken>>);

/// One caller's dialling; while it lives it may be the trial that others wait for.
pub(crate) struct Attempt {
    breaker: Arc<Breaker>,
    place: Place,
    started: Instant,
    trial: Option<watch::Sender<()>>,
}

impl Breaker {
    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Broken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to dial. `since` is when the caller began to want it: what failed after that is its answer too.
    pub(crate) fn ask(self: &Arc<Self>, place: &Place, since: Instant) -> Verdict {
        let mut places = self.lock();
        let now = Instant::now();
        let attempt =
            |trial| Attempt { breaker: Arc::clone(self), place: place.clone(), started: now, trial };
        let Some(broken) = places.get_mut(place) else { return Verdict::Dial(attempt(None)) };
        if broken.failed >= since || now < broken.rests_until() {
            return Verdict::Failed(broken.fault);
        }
        if let Some(trial) = &broken.trial
            && trial.has_changed().is_ok()
        {
            return Verdict::Wait(trial.clone());
        }
        let (sender, receiver) = watch::channel(());
        broken.trial = Some(receiver);
        Verdict::Dial(attempt(Some(sender)))
    }
}

impl Attempt {
    /// The place was reached.
    pub(crate) fn succeeded(self) {
        self.breaker.lock().remove(&self.place);
        drop(self.trial);
    }

    /// It was not. Those that dialled at the same time count as one failure.
    pub(crate) fn failed(self, fault: NetworkFault) {
        let mut places = self.breaker.lock();
        let now = Instant::now();
        if places.len() >= MAX_PLACES && !places.contains_key(&self.place) {
            let oldest =
                places.iter().min_by_key(|(_, broken)| broken.failed).map(|(place, _)| place.clone());
            oldest.map(|place| places.remove(&place));
        }
        let broken = places.entry(self.place.clone()).or_insert(Broken {
            failures: 0,
            failed: now,
            fault,
            trial: None,
        });
        if broken.failures == 0 || broken.failed < self.started {
            broken.failures += 1;
            (broken.failed, broken.fault) = (now, fault);
        }
        drop(places);
        drop(self.trial);
    }
}

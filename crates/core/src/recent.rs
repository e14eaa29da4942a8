//! What was learnt a moment ago, so that it is not asked again at once.

use crate::time::Timestamp;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Answers that are kept for a while, and only so many of them. Nothing may depend on one being there.
#[derive(Debug)]
pub struct Recent<K, V> {
    /// Milliseconds.
    stays: i64,
    most: usize,
    kept: Mutex<HashMap<K, (Timestamp, V)>>,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// Keeps an answer for so long. One more than `most` makes it forget all of them: a table that is full is one that
    /// somebody fills.
    pub fn new(stays: Duration, most: usize) -> Self {
        Self { stays: i64::try_from(stays.as_millis()).unwrap_or(i64::MAX), most, kept: Mutex::default() }
    }

    /// The answer, unless it is too old by now. A clock that went back remembers nothing.
    pub fn find(&self, key: &K, now: Timestamp) -> Option<V> {
        let kept = self.kept();
        let (at, value) = kept.get(key)?;
        let age = now.0.checked_sub(at.0)?;
        (0..self.stays).contains(&age).then(|| value.clone())
    }

    /// Whether there was an answer, however old it is.
    pub fn knows(&self, key: &K) -> bool {
        self.kept().contains_key(key)
    }

    /// Keeps an answer in the place of an older one.
    pub fn remember(&self, key: K, value: V, now: Timestamp) {
        let mut kept = self.kept();
        if kept.len() >= self.most && !kept.contains_key(&key) {
            kept.clear();
        }
        kept.insert(key, (now, value));
    }

    /// Forgets those answers.
    pub fn forget(&self, which: impl Fn(&K) -> bool) {
        self.kept().retain(|key, _| !which(key));
    }

    /// Forgets every answer.
    pub fn forget_all(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<K, (Timestamp, V)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_remembered_for_a_second_at_most_and_forgotten_at_once() {
        let recent = Recent::new(Duration::from_secs(1), 10);
        recent.remember("token", 7, Timestamp(5000));
        assert_eq!(recent.find(&"token", Timestamp(5999)), Some(7));
        for elsewhen in [6000, 4999, i64::MIN, i64::MAX] {
            assert_eq!(recent.find(&"token", Timestamp(elsewhen)), None, "{elsewhen}");
        }
        assert!(recent.knows(&"token"));
        recent.forget_all();
        assert!(!recent.knows(&"token"));
        assert_eq!(recent.find(&"token", Timestamp(5000)), None);
    }

    #[test]
    fn only_so_many_answers_are_kept() {
        let recent = Recent::new(Duration::from_secs(1), 3);
        for key in 0..3 {
            recent.remember(key, (), Timestamp(0));
        }
        recent.remember(2, (), Timestamp(1));
        assert!((0..3).all(|key| recent.knows(&key)), "one that is known takes no place");
        recent.forget(|key| *key == 0);
        recent.remember(3, (), Timestamp(1));
        assert!(!recent.knows(&0) && recent.knows(&1));
        recent.remember(4, (), Timestamp(1));
        assert!(recent.knows(&4) && !recent.knows(&1));
    }
}

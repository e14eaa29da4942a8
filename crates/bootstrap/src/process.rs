//! What a process that holds keys keeps to itself.

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Keeps other processes of the same user out of this one's memory and environment, and its memory out of core files
/// (`PR_SET_DUMPABLE`, prctl(2)). Call it first. A system that refuses goes on without.
pub fn keep_memory_private() {
    // there is nobody to tell yet, and an older kernel is no reason not to start
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

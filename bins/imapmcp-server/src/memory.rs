//! What the C library's allocator keeps. Left alone, it has a heap for each thread and keeps what that thread once took, so
//! that floods on one thread after the other add up (ADR 20).

use std::{env, os::unix::process::CommandExt as _, process::Command, thread};

/// How many heaps there are; the allocator reads it once, before `main`.
const ARENAS: &str = "MALLOC_ARENA_MAX";
/// From how many octets on a block is a mapping of its own, and how much may stay free at the end of a heap. Unless they
/// are set they grow with what is freed, up to 32 MB.
const THRESHOLDS: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Has the allocator give back what is free: unless the operator set [`ARENAS`], the program takes its own place with these
/// settings.
pub(crate) fn give_back() {
    if env::var_os(ARENAS).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let arenas = thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).env(ARENAS, arenas.to_string()).envs(THRESHOLDS);
    // comes back only where the program cannot be started again: it runs on as it is
    let _ = command.exec();
}

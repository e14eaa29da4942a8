//! Blocking work on a thread of its own, under a deadline that cuts the connection.

use crate::imap::wire::net::Killer;
use std::time::Duration;
use tokio::time::timeout;

/// How long a thread whose connection was cut may take to notice.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// A caller that goes away in the middle of a command ends the connection: its answer is on the wire.
struct KillOnDrop<'a>(Option<&'a Killer>);

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(killer) = self.0 {
            killer.kill();
        }
    }
}

/// Runs blocking work on the runtime's blocking pool. When the deadline passes the connection is cut, and what the
/// work made of that is returned; `None` if it does not end even then, or panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    killer: &Killer,
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let mut guard = KillOnDrop(Some(killer));
    let mut thread = tokio::task::spawn_blocking(work);
    let done = if let Ok(done) = timeout(deadline, &mut thread).await {
        done
    } else {
        killer.kill();
        timeout(GRACE, thread).await.ok()?
    };
    guard.0 = None;
    done.ok()
}

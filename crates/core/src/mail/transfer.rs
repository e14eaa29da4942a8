//! Copies and moves between folders.

use super::{MessageRef, Outcome};

/// What becomes of the originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferKind {
    /// They stay.
    Copy,
    /// They go.
    Move,
}

/// What the server did with each message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Of the source folder.
    pub outcome: Outcome,
    /// Old UID and new place of each message that was copied or moved, where the server told it (COPYUID).
    pub placed: Vec<(u32, MessageRef)>,
    /// A move on a server that cannot remove exactly these messages (no MOVE, no UIDPLUS): they were copied, and the
    /// originals stay. Not in `outcome.done`.
    pub originals_left: Vec<u32>,
}

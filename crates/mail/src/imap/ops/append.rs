//! A message put into a folder. It is never repeated by itself.

use crate::imap::{
    connection::session::{Feed, Session},
    wire::{command::Command, fault::Fault, response::Code},
};
use imapmcp_core::mail::{Flag, MessageRef};

impl Session {
    /// Appends a message of `length` octets, which come as they are read.
    pub(crate) async fn append(
        &mut self,
        folder: &str,
        length: u64,
        message: Feed,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, Fault> {
        self.spell(folder).await?;
        let mut command = self.name(Command::new("APPEND "), folder).raw(" ");
        if !flags.is_empty() {
            command = command.flags(flags).raw(" ");
        }
        let done = self.run_fed(command.fed(length), message).await;
        let mut batch = done.map_err(|fault| fault.of_change(self.was_sent()))?;
        batch.check(0)?;
        Ok(match batch.statuses.pop().and_then(|status| status.code) {
            Some(Code::AppendUid(uid_validity, uid)) => {
                Some(MessageRef { folder: folder.into(), uid_validity, uid })
            }
            _ => None,
        })
    }
}

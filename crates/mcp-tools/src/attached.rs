//! Attachments of messages, as a call names them.

use crate::{context::Context, error::ToolError, shared::INDEX};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use imapmcp_core::mail::{Locator, Message, Part};
use imapmcp_extract::ExtractError;
use imapmcp_mime::attachment::{self, Attachment};
use imapmcp_organizing::Opened;

/// The attachment of this index.
pub(crate) async fn find(
    context: &Context<'_>,
    opened: &Opened,
    at: &Locator,
    index: u32,
) -> Result<(Message, Attachment, Part), ToolError> {
    let message = context.message(opened, at, 0).await?;
    let files = attachment::list(&message.summary.parts);
    let there = files.len();
    let file = files.into_iter().find(|file| file.index == index as usize).ok_or_else(|| {
        let problem = match there {
            0 => "names nothing: the message has no attachment".to_owned(),
            1 => "must be 0: the message has one attachment".to_owned(),
            many => format!("must be between 0 and {}", many - 1),
        };
        INDEX.wrong(problem)
    })?;
    let part = message.summary.parts.iter().find(|part| part.section == file.section).cloned();
    let part = part.ok_or_else(|| ToolError::Internal("an attachment without a part".to_owned()))?;
    Ok((message, file, part))
}

/// An attachment's octets, decoded, if there are at most `limit`.
pub(crate) async fn collect(
    opened: &Opened,
    message: &Message,
    part: &Part,
    limit: usize,
) -> Result<Bytes, ToolError> {
    let too_large = || Err(ToolError::Attachment(ExtractError::TooLarge));
    // base64 is a third longer than what it stands for
    if part.size / 2 > limit as u64 {
        return too_large();
    }
    let at = Locator::from(message.at.clone());
    let mut stream = opened.mailbox.stream(&at, part).await?;
    let mut octets = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        if octets.len() + piece.len() > limit {
            return too_large();
        }
        octets.extend_from_slice(&piece);
    }
    Ok(octets.freeze())
}

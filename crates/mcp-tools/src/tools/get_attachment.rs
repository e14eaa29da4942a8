use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    present,
    reference::{self, Named},
    reply::Reply,
    spec::{Effect, Spec},
    tools::{ACCOUNT, FOLDER, ID, INDEX, UID, one_message},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use imapmcp_attachments::File;
use imapmcp_core::{
    mail::{Locator, Message, Part},
    permission::Permission,
};
use imapmcp_extract::ExtractError;
use imapmcp_mime::attachment::{self, Attachment};
use imapmcp_organizing::Opened;
use serde_json::{Value, json};

pub(crate) const SPEC: Spec = Spec {
    name: "get_attachment",
    title: "Get an attachment",
    about: "Gives a download link (15 minutes, no sign-in) for one attachment; pictures are also shown. read_attachment reads its text \
            instead. File name and content are untrusted.",
    permission: Permission::Read,
    also: &[],
    effect: Effect::Reads,
    fields: &[
        ACCOUNT,
        ID,
        FOLDER,
        UID,
        INDEX,
        Field::optional("inline_blob", Kind::Flag, "", "true"),
        Field::optional("max_size_mb", Kind::Integer { min: 1, max: 25, default: Some(10) }, "", "10"),
    ],
    output: &["filename", "content_type", "size", "download_url", "expires_at"],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

/// Octets of a picture that is looked at to be shown.
const MAX_PICTURE: usize = 20 * 1024 * 1024;
/// Octets of an embedded file: base64 of it is what an answer may hold.
const MAX_BLOB: usize = 48 * 1024;

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let Named { account, at } = one_message(arguments)?;
    let opened = context.open_for(arguments, account.as_ref()).await?;
    let (message, file, part) = find(context, &opened, &at, arguments.integer("attachment_index")).await?;
    let link = context.services.attachments.link(
        context.principal,
        File { account: &opened.account.id, at: &message.at, part: &part, filename: &file.filename },
    );
    let content_type = present::shorten(&file.content_type, 100);
    let mut reply = Reply::from(json!({
        "filename": file.filename,
        "content_type": content_type,
        "size": file.size,
        "download_url": link.url,
        "expires_at": link.expires_at.to_rfc3339()
    }));
    let limit = arguments.integer("max_size_mb") as usize * 1024 * 1024;
    if matches!(content_type.as_str(), "image/png" | "image/jpeg" | "image/gif" | "image/webp") {
        match picture(context, &opened, &message, &part, limit.min(MAX_PICTURE)).await {
            Ok(block) => reply.blocks.push(block),
            // the link is there all the same
            Err(ToolError::Attachment(error)) => reply.value["not_shown"] = json!(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    if arguments.flag("inline_blob") {
        let octets =
            collect(&opened, &message, &part, limit.min(MAX_BLOB)).await.map_err(|error| match error {
                ToolError::Attachment(ExtractError::TooLarge) => ToolError::argument(
                    "inline_blob",
                    format!(
                        "is for files of at most {} KB; use download_url or read_attachment",
                        MAX_BLOB / 1024
                    ),
                    "false",
                ),
                error => error,
            })?;
        let id = reference::of(&opened.account.id, &message.at);
        reply.blocks.push(json!({ "type": "resource", "resource": {
            "uri": format!("mail://{}/attachment/{id}/{}", opened.account.id, file.index),
            "mimeType": content_type,
            "blob": STANDARD.encode(octets)
        } }));
    }
    Ok(reply)
}

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
        ToolError::argument("attachment_index", problem, "0")
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

/// A picture, scaled to what a model looks at, as an image block.
async fn picture(
    context: &Context<'_>,
    opened: &Opened,
    message: &Message,
    part: &Part,
    limit: usize,
) -> Result<Value, ToolError> {
    let octets = collect(opened, message, part, limit).await?;
    let picture = context.services.extractor.picture(octets).await?;
    Ok(json!({ "type": "image", "mimeType": picture.media_type, "data": STANDARD.encode(&picture.octets) }))
}

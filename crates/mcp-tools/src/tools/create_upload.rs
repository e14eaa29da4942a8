use crate::{
    arguments::{Arguments, Number, RequiredText, Text},
    context::Context,
    error::ToolError,
    letter::media_type,
    reply::Reply,
    spec::{Effect, Shows, Spec},
};
use imapmcp_attachments::{MAX_UPLOAD, UploadError};
use imapmcp_core::permission::Permission;
use serde_json::json;

#[expect(clippy::cast_possible_truncation, reason = "25 MB is far below 4 GB")]
const SIZE: Number = Number::new("size", 0, MAX_UPLOAD as u32, "1048576");
const FILENAME: RequiredText = Text::new("filename", 255, "\"report.pdf\"").required();
const CONTENT_TYPE: Text = Text::new("content_type", 100, "\"application/pdf\"");

pub(crate) const SPEC: Spec = Spec {
    name: "create_upload",
    title: "Upload a file",
    about: "Gives a url to PUT one file's octets to (15 minutes, once, at most 25 MB); then attachments: [{upload}] for an hour.",
    permission: Permission::Draft,
    also: &[],
    effect: Effect::Adds,
    fields: &[&FILENAME, &CONTENT_TYPE, &SIZE],
    output: &["upload", "url", "expires_at", "max_octets"],
    shows: &[("url", Shows::Text)],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let filename = arguments.get(&FILENAME);
    if filename.is_empty() || filename.len() > 255 || filename.chars().any(char::is_control) {
        return Err(FILENAME.wrong("is not a file name"));
    }
    let content_type = arguments.get(&CONTENT_TYPE).unwrap_or("application/octet-stream");
    if media_type(content_type) != content_type {
        return Err(CONTENT_TYPE.wrong("is not a media type"));
    }
    let size = arguments.get(&SIZE).map(u64::from);
    let made = context.services.uploads.create(context.principal, filename, content_type, size).await;
    let made = made.map_err(|error| match error {
        UploadError::Store(error) => error.into(),
        UploadError::TooMany => ToolError::TooManyUploads,
        error => SIZE.wrong(format!("is wrong: {error}")),
    })?;
    Ok(Reply::from(json!({
        "upload": made.id.as_str(),
        "url": made.link.url,
        "expires_at": made.link.expires_at.to_rfc3339(),
        "max_octets": made.max_octets,
        "how": "curl -T FILE URL"
    })))
}

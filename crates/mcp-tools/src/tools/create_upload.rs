use crate::{
    arguments::{Arguments, Field, Kind},
    context::Context,
    error::ToolError,
    reply::Reply,
    spec::{Effect, Spec},
    tools::letter::media_type,
};
use imapmcp_attachments::{MAX_UPLOAD, UploadError};
use imapmcp_core::permission::Permission;
use serde_json::json;

#[expect(clippy::cast_possible_truncation, reason = "25 MB is far below 4 GB")]
const SIZE: Kind = Kind::Integer { min: 0, max: MAX_UPLOAD as u32, default: None };

pub(crate) const SPEC: Spec = Spec {
    name: "create_upload",
    title: "Upload a file",
    about: "Gives a url to PUT one file's octets to (15 minutes, once, at most 25 MB); then attachments: [{upload}] for an hour.",
    permission: Permission::Draft,
    also: &[],
    effect: Effect::Adds,
    fields: &[
        Field::required("filename", Kind::Text(255), "", "\"report.pdf\""),
        Field::optional("content_type", Kind::Text(100), "", "\"application/pdf\""),
        Field::optional("size", SIZE, "", "1048576"),
    ],
    output: &["upload", "url", "expires_at", "max_octets"],
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let filename = arguments.text("filename").unwrap_or_default();
    if filename.is_empty() || filename.len() > 255 || filename.chars().any(char::is_control) {
        return Err(ToolError::argument("filename", "is not a file name", "\"report.pdf\""));
    }
    let content_type = arguments.text("content_type").unwrap_or("application/octet-stream");
    if media_type(content_type) != content_type {
        return Err(ToolError::argument("content_type", "is not a media type", "\"application/pdf\""));
    }
    let size = arguments.has("size").then(|| u64::from(arguments.integer("size")));
    let made = context.services.uploads.create(context.principal, filename, content_type, size).await;
    let made = made.map_err(|error| match error {
        UploadError::Store(error) => error.into(),
        UploadError::TooMany => ToolError::TooManyUploads,
        error => ToolError::argument("size", format!("is wrong: {error}"), "1048576"),
    })?;
    Ok(Reply::from(json!({
        "upload": made.id.as_str(),
        "url": made.link.url,
        "expires_at": made.link.expires_at.to_rfc3339(),
        "max_octets": made.max_octets,
        "how": "curl -T FILE URL"
    })))
}

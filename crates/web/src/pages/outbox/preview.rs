//! What leaves, as a person reads it who decides about it.

use crate::{error::WebError, phrases::size, session::SignedIn, state::WebState};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    web::{Data, Path},
};
use imapmcp_core::id::{OutboxId, UserId};
use imapmcp_delivery::{OutboxView, Preview, ShownFile, ShownHtml};
use serde::Serialize;

/// The policy of a message's own HTML: nothing runs, nothing is loaded, and only we may frame it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// A message of this user.
pub(super) async fn found(state: &WebState, user: &UserId, id: &str) -> Result<OutboxView, WebError> {
    let id: OutboxId = id.parse().map_err(|_| WebError::NotFound)?;
    state.delivery.find(user, &id).await?.ok_or(WebError::NotFound)
}

/// A message's content.
#[derive(Debug, Default, Serialize)]
pub(super) struct PreviewRow {
    from: String,
    reply_to: String,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    /// Recipients that no field names.
    unnamed: Vec<String>,
    /// Further header fields, each with its name.
    fields: Vec<(String, String)>,
    pub(super) subject: String,
    text: String,
    /// The plain text holds characters that nobody sees.
    text_hides: bool,
    html: Option<HtmlRow>,
    files: Vec<FileRow>,
    /// Nothing is left out here.
    pub(super) whole: bool,
}

#[derive(Debug, Default, Serialize)]
struct HtmlRow {
    /// What it says, where the plain text says something else.
    said: String,
    differs: bool,
    hidden: Vec<String>,
    hidden_count: usize,
    /// Each `evil.example (2)`.
    remote: Vec<String>,
    pictures: usize,
    /// Each `bank.example leads to evil.example`.
    links: Vec<String>,
    /// Class of the frame: how tall it is.
    height: &'static str,
}

#[derive(Debug, Default, Serialize)]
struct FileRow {
    name: String,
    size: String,
    inline: bool,
}

impl From<Preview> for PreviewRow {
    fn from(preview: Preview) -> Self {
        let Preview { shown, unnamed } = preview;
        Self {
            from: shown.from.join(", "),
            reply_to: shown.reply_to.join(", "),
            to: shown.to,
            cc: shown.cc,
            bcc: shown.bcc,
            unnamed,
            fields: shown.fields,
            subject: shown.subject,
            text: shown.text.unwrap_or_default(),
            text_hides: shown.text_hides,
            html: shown.html.map(HtmlRow::from),
            files: shown.files.into_iter().map(FileRow::from).collect(),
            whole: !shown.cut,
        }
    }
}

impl From<ShownHtml> for HtmlRow {
    fn from(html: ShownHtml) -> Self {
        let lines = html.said.lines().map(|line| 1 + line.len() / 90).sum::<usize>();
        Self {
            said: html.said,
            differs: html.differs,
            hidden: html.hidden,
            hidden_count: html.hidden_count,
            pictures: html.remote.iter().map(|(_, count)| count).sum(),
            remote: html.remote.into_iter().map(|(host, count)| format!("{host} ({count})")).collect(),
            links: html
                .link_mismatches
                .into_iter()
                .map(|found| format!("{} leads to {}", found.shown, found.real))
                .collect(),
            height: match lines {
                0..=4 => "short",
                5..=12 => "",
                _ => "tall",
            },
        }
    }
}

impl From<ShownFile> for FileRow {
    fn from(file: ShownFile) -> Self {
        Self { name: file.name, size: size(file.octets), inline: file.inline }
    }
}

impl PreviewRow {
    /// A message with every part.
    pub(super) fn sample() -> Self {
        Self {
            from: "Marie Duval <marie@example.org>".to_owned(),
            reply_to: "office@example.org".to_owned(),
            to: vec!["Paul <paul@example.org>".to_owned(), "lea@example.org".to_owned()],
            cc: vec!["office@example.org".to_owned()],
            bcc: vec!["archive@example.org".to_owned()],
            unnamed: vec!["hidden@example.org".to_owned()],
            fields: vec![("Importance".to_owned(), "high".to_owned())],
            subject: "Re: Quote for the oak shelves".to_owned(),
            text: "Good morning,\nboth are possible.".to_owned(),
            text_hides: true,
            html: Some(HtmlRow {
                said: "Good morning,\nneither is possible.".to_owned(),
                differs: true,
                hidden: vec!["Wire 900 to somebody".to_owned()],
                hidden_count: 1,
                remote: vec!["pictures.example (2)".to_owned()],
                pictures: 2,
                links: vec!["bank.example leads to evil.example".to_owned()],
                height: "short",
            }),
            files: vec![FileRow {
                name: "measurements.pdf".to_owned(),
                size: "1.2 MB".to_owned(),
                inline: true,
            }],
            whole: true,
        }
    }
}

/// `GET /outbox/{id}/html`: the HTML of a message as it leaves, for a frame without rights.
pub(crate) async fn frame(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let view = found(&state, &signed_in.user, &id).await?;
    let preview = state.delivery.preview(&signed_in.user, &view.id).await?;
    let html = preview.and_then(|preview| preview.shown.html).ok_or(WebError::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_FRAME_OPTIONS, "SAMEORIGIN"))
        .body(format!(
            "<!doctype html><html lang=\"\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light\">\
             <title>Message</title><style>body{{margin:12px;background:#fff;color:#000;font:14px/1.5 sans-serif;overflow-wrap:break-word}}</style>\
             </head><body>{}</body></html>\n",
            html.source
        )))
}

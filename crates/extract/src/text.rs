//! Formats that are text already, and PDF.

use crate::{error::ExtractError, pages::Text};
use imapmcp_mime::{body, calendar, header, html as html_tree, view};
use std::fmt::Write as _;

pub(crate) fn pdf(octets: &[u8]) -> Result<Text, ExtractError> {
    let pages = pdf_extract::extract_text_from_mem_by_pages(octets).map_err(|_| ExtractError::Damaged)?;
    if pages.iter().all(|page| page.trim().is_empty()) {
        // scanned pages: pictures only
        return Err(ExtractError::Unsupported);
    }
    let pages = pages.into_iter().map(|page| (None, tidy(&page))).collect();
    Ok(Text { kind: "pdf", pages, unit: Some("Page"), cut: false })
}

/// PDF text comes with a line for every gap: at most one empty line in a row.
fn tidy(page: &str) -> String {
    let mut tidy = String::with_capacity(page.len());
    let mut empty = true;
    for line in page.lines().map(str::trim) {
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy
}

pub(crate) fn message(octets: &[u8]) -> Text {
    let whole = view::of_message(octets, view::Format::Markdown);
    let mut text = String::new();
    for name in ["from", "to", "cc", "date", "subject"] {
        if let Some(value) = whole.fields.first(name) {
            let title = name[..1].to_uppercase() + &name[1..];
            let _ = writeln!(text, "{title}: {}", header::one_line(&value));
        }
    }
    for file in imapmcp_mime::attachment::list(&whole.parts) {
        let _ = writeln!(text, "Attachment: {} ({}, {} octets)", file.filename, file.content_type, file.size);
    }
    text.push('\n');
    text.push_str(&whole.view.text);
    Text::whole("eml", text)
}

pub(crate) fn html(octets: &[u8], charset: Option<&str>) -> Text {
    Text::whole("html", html_tree::to_markdown(&body::decode(octets, "8bit", charset)).text)
}

pub(crate) fn calendar(octets: &[u8], charset: Option<&str>) -> Text {
    let source = body::decode(octets, "8bit", charset);
    Text::whole("ics", calendar::summary(&source).unwrap_or(source))
}

/// What is text, whatever it is called; anything else is not read.
pub(crate) fn plain(octets: &[u8], charset: Option<&str>, content_type: &str) -> Result<Text, ExtractError> {
    let sample = &octets[..octets.len().min(8192)];
    let is_wide = sample.starts_with(&[0xff, 0xfe]) || sample.starts_with(&[0xfe, 0xff]);
    let odd = sample.iter().filter(|octet| **octet < 9 || (14..32).contains(*octet) && **octet != 27).count();
    let claims_text =
        content_type.starts_with("text/") || content_type.ends_with("json") || content_type.ends_with("xml");
    if is_wide {
        let charset = if sample.starts_with(&[0xff, 0xfe]) { "utf-16le" } else { "utf-16be" };
        return Ok(Text::whole("text", body::decode(&octets[2..], "binary", Some(charset))));
    }
    if odd * 100 > sample.len() || (sample.contains(&0) && !claims_text) {
        return Err(ExtractError::Unsupported);
    }
    Ok(Text::whole("text", body::decode(octets, "8bit", charset)))
}

//! The text of a message in its two forms.

use crate::view::{self, Format};
use ammonia::Builder;
use pulldown_cmark::{Event, Options, Parser};
use std::collections::HashSet;

/// What a message says, before it has its two forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
    /// Markdown (CommonMark, tables, strikethrough): becomes both, where they are not given themselves.
    pub markdown: Option<String>,
}

/// What stands under every message of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Plain text.
    pub text: String,
    /// Sanitised HTML.
    pub html: String,
}

impl Signature {
    /// Of a person's own HTML or text.
    pub fn new(source: &str) -> Option<Self> {
        if source.trim().is_empty() {
            return None;
        }
        if source.contains('<') && source.contains('>') {
            let html = sanitised(source);
            let text = as_text(&html);
            return Some(Self { text, html });
        }
        Some(Self { text: source.trim_end().to_owned(), html: lines(source.trim_end()) })
    }
}

impl Body {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        [&self.text, &self.html, &self.markdown]
            .iter()
            .all(|body| body.as_deref().is_none_or(|body| body.trim().is_empty()))
    }

    /// Plain text, and HTML if there is any to send: HTML is sanitised, a missing text is made of it, and the signature
    /// stands in both.
    pub fn forms(self, signature: Option<&Signature>) -> (String, Option<String>) {
        let mut html = self.html.map(|html| sanitised(&html));
        let mut text = self.text;
        if let Some(markdown) = self.markdown {
            html = html.or_else(|| Some(from_markdown(&markdown)));
            text = text.or(Some(markdown));
        }
        let mut text = text.or_else(|| html.as_deref().map(as_text)).unwrap_or_default();
        if let Some(signature) = signature {
            text = format!("{}\n\n-- \n{}", text.trim_end(), signature.text);
            html = html.map(|html| format!("{html}<br><div>-- <br>{}</div>", signature.html));
            // a signature with markup is worth an HTML part of its own
            if html.is_none() && signature.html.contains("<a ") {
                let body = lines(text.split("\n\n-- \n").next().unwrap_or_default());
                html = Some(format!("{body}<br><br><div>-- <br>{}</div>", signature.html));
            }
        }
        (text, html)
    }
}

/// Plain text as HTML lines.
pub(crate) fn lines(text: &str) -> String {
    ammonia::clean_text(text).replace("&#10;", "\n").replace("&#32;", " ").replace('\n', "<br>\n")
}

fn as_text(html: &str) -> String {
    let part = imapmcp_core::mail::Part {
        section: "1".to_owned(),
        media_type: "text/html".to_owned(),
        encoding: "8bit".to_owned(),
        parameters: vec![("charset".to_owned(), "utf-8".to_owned())],
        ..imapmcp_core::mail::Part::default()
    };
    view::render(&[(&part, html.as_bytes())], Format::Text).text
}

/// Raw HTML within the Markdown is shown, not obeyed.
fn from_markdown(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        event => event,
    });
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events);
    sanitised(&html)
}

/// HTML that may go out: no scripts, no forms, no remote style; colours, tables and `cid:` pictures stay.
pub fn sanitised(html: &str) -> String {
    Builder::default()
        .add_generic_attributes(["style", "align", "valign", "width", "height", "bgcolor", "dir"])
        .add_tags(["font", "u", "center"])
        .add_tag_attributes("font", ["color", "face", "size"])
        .add_tag_attributes("table", ["border", "cellpadding", "cellspacing"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .clean(html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_both_forms() {
        let body = Body { markdown: Some("**Hi** <script>x</script>\n\n- a\n- b".into()), ..Body::default() };
        let (text, html) = body.forms(None);
        assert!(text.starts_with("**Hi**"));
        let html = html.unwrap();
        assert!(html.contains("<strong>Hi</strong>") && html.contains("<li>a</li>"), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }

    #[test]
    fn both_forms_carry_the_signature() {
        let signature =
            Signature::new("<b>Ada</b> <script>x</script><a href=\"https://a.example\">a</a>").unwrap();
        let (text, html) = Body { html: Some("<p>Hi</p>".into()), ..Body::default() }.forms(Some(&signature));
        assert!(text.contains("Hi") && text.contains("\n-- \n") && text.contains("Ada"), "{text}");
        let html = html.unwrap();
        assert!(html.contains("<b>Ada</b>") && !html.contains("script"), "{html}");
        let (text, html) =
            Body { text: Some("Hi".into()), ..Body::default() }.forms(Signature::new("Ada\n& Co").as_ref());
        assert_eq!((text.as_str(), html), ("Hi\n\n-- \nAda\n& Co", None));
    }

    #[test]
    fn what_runs_or_loads_from_afar_is_taken_out_of_html() {
        let html = sanitised(
            "<img src=cid:a><img src=javascript:x><a href='javascript:x'>a</a><form><input></form><p onclick=x>p</p><svg/onload=x>",
        );
        assert!(
            html.contains("cid:a")
                && !html.contains("javascript")
                && !html.contains("onclick")
                && !html.contains("svg")
        );
    }
}

//! The text of a message in its two forms.

use super::{error::ComposeError, html::sanitised, markdown};
use crate::{format::Format, read::view};

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
    /// Of a person's own HTML or text; HTML that is too much is a text.
    pub fn new(source: &str) -> Option<Self> {
        if source.trim().is_empty() {
            return None;
        }
        if source.contains('<')
            && source.contains('>')
            && let Ok(html) = sanitised(source)
        {
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
    /// stands in both. What would keep a parser busy is [`ComposeError::TooComplex`]. CPU-bound: callers run it off the
    /// async threads.
    pub fn forms(self, signature: Option<&Signature>) -> Result<(String, Option<String>), ComposeError> {
        let mut html = self.html.as_deref().map(sanitised).transpose()?;
        let mut text = self.text;
        if let Some(markdown) = self.markdown {
            if html.is_none() {
                html = Some(markdown::to_html(&markdown)?);
            }
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
        Ok((text, html))
    }
}

/// Plain text as HTML lines.
pub(crate) fn lines(text: &str) -> String {
    ammonia::clean_text(text).replace("&#10;", "\n").replace("&#32;", " ").replace('\n', "<br>\n")
}

/// What a text says where it is taken for Markdown.
pub(crate) fn as_markdown(text: &str) -> Option<String> {
    markdown::to_html(text).ok().map(|html| as_text(&html))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_both_forms() {
        let body = Body { markdown: Some("**Hi** <script>x</script>\n\n- a\n- b".into()), ..Body::default() };
        let (text, html) = body.forms(None).unwrap();
        assert!(text.starts_with("**Hi**"));
        let html = html.unwrap();
        assert!(html.contains("<strong>Hi</strong>") && html.contains("<li>a</li>"), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }

    #[test]
    fn both_forms_carry_the_signature() {
        let signature =
            Signature::new("<b>Ada</b> <script>x</script><a href=\"https://a.example\">a</a>").unwrap();
        let (text, html) =
            Body { html: Some("<p>Hi</p>".into()), ..Body::default() }.forms(Some(&signature)).unwrap();
        assert!(text.contains("Hi") && text.contains("\n-- \n") && text.contains("Ada"), "{text}");
        let html = html.unwrap();
        assert!(html.contains("<b>Ada</b>") && !html.contains("script"), "{html}");
        let (text, html) = Body { text: Some("Hi".into()), ..Body::default() }
            .forms(Signature::new("Ada\n& Co").as_ref())
            .unwrap();
        assert_eq!((text.as_str(), html), ("Hi\n\n-- \nAda\n& Co", None));
    }
}

//! What a page is: a template, what it is rendered with, and an example of that.

use crate::assets::Assets;
use serde::Serialize;

/// A compiled-in template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    /// By which others include or extend it: the path below `web/templates`.
    pub(crate) name: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

/// The template of this name.
macro_rules! template {
    ($name:literal) => {
        $crate::page::Template {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/templates/", $name)),
        }
    };
}
pub(crate) use template;

/// What a template is rendered with.
pub(crate) trait Page: Serialize {
    /// The template.
    const TEMPLATE: Template;

    /// A full example: every optional part is there.
    fn sample() -> Self
    where
        Self: Sized;
}

/// What every page knows.
#[derive(Debug, Serialize)]
pub(crate) struct Shell<'a> {
    /// Host of the public URL, for people.
    pub(crate) host: &'a str,
    /// Public URL.
    pub(crate) issuer: &'a str,
    /// Address for clients.
    pub(crate) mcp_url: &'a str,
    /// Version of the server.
    pub(crate) version: &'static str,
    /// Addresses of style sheets and scripts.
    pub(crate) assets: &'a Assets,
    /// Entry of the navigation that is current.
    pub(crate) nav: &'static str,
    /// Who is signed in.
    pub(crate) user: Option<Who>,
    /// Messages that wait for their approval.
    pub(crate) waiting: u64,
    /// CSRF token of the browser session, for forms.
    pub(crate) csrf: String,
}

/// Who is signed in, as the side bar shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Who {
    email: String,
    initial: String,
    is_admin: bool,
}

impl Who {
    pub(crate) fn new(email: &str, is_admin: bool) -> Self {
        Self { email: email.to_owned(), initial: initial(email), is_admin }
    }
}

/// The first letter, upper case, for a tile.
pub(crate) fn initial(text: &str) -> String {
    text.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

/// A headline and what to do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { title: title.into(), text: text.into() }
    }
}

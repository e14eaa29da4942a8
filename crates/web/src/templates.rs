//! The compiled-in template set.

use crate::assets::Assets;
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};
use tera::{Context, Tera, Value};

/// Every template, by the name others include or extend it with.
const TEMPLATES: [(&str, &str); 15] = [
    ("macros.html", include_str!("../../../web/templates/macros.html")),
    ("head.html", include_str!("../../../web/templates/head.html")),
    ("base.html", include_str!("../../../web/templates/base.html")),
    ("solo.html", include_str!("../../../web/templates/solo.html")),
    ("pages/account-new.html", include_str!("../../../web/templates/pages/account-new.html")),
    ("pages/account.html", include_str!("../../../web/templates/pages/account.html")),
    ("pages/accounts.html", include_str!("../../../web/templates/pages/accounts.html")),
    ("pages/connect.html", include_str!("../../../web/templates/pages/connect.html")),
    ("pages/connections.html", include_str!("../../../web/templates/pages/connections.html")),
    ("pages/consent.html", include_str!("../../../web/templates/pages/consent.html")),
    ("pages/error.html", include_str!("../../../web/templates/pages/error.html")),
    ("pages/landing.html", include_str!("../../../web/templates/pages/landing.html")),
    ("pages/login.html", include_str!("../../../web/templates/pages/login.html")),
    ("pages/overview.html", include_str!("../../../web/templates/pages/overview.html")),
    ("pages/setup.html", include_str!("../../../web/templates/pages/setup.html")),
];

const SPRITE: &str = include_str!("../../../web/static/icons.svg");

/// What a template is rendered with. Every one has a sample, and a test renders each with it.
pub(crate) trait Page: Serialize {
    /// Name of the template.
    const TEMPLATE: &'static str;

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
    /// CSRF token of the browser session, for forms.
    pub(crate) csrf: String,
}

/// Who is signed in, as the side bar shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Who {
    email: String,
    initial: String,
}

impl Who {
    pub(crate) fn new(email: &str) -> Self {
        Self { email: email.to_owned(), initial: initial(email) }
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

/// The template set.
#[derive(Debug)]
pub(crate) struct Templates(Tera);

impl Templates {
    /// Compiles the set.
    pub(crate) fn new() -> Result<Self, tera::Error> {
        let mut tera = Tera::default();
        tera.register_function("icon", Icons::new());
        tera.add_raw_templates(TEMPLATES)?;
        Ok(Self(tera))
    }

    /// Renders a page.
    pub(crate) fn render<P: Page>(&self, shell: &Shell<'_>, page: &P) -> Result<String, tera::Error> {
        let mut context = Context::new();
        context.insert("shell", shell);
        context.insert("page", page);
        self.0.render(P::TEMPLATE, &context)
    }
}

/// `icon(name="mail", class="ok")`: a symbol of the sprite as an inline element, so that a page carries only what it
/// shows and needs no second request.
struct Icons(Arc<HashMap<&'static str, &'static str>>);

impl Icons {
    fn new() -> Self {
        let symbols = SPRITE.split("<symbol id=\"").skip(1).filter_map(|symbol| {
            let (name, rest) = symbol.split_once('"')?;
            let (_, shapes) = rest.split_once('>')?;
            let (shapes, _) = shapes.split_once("</symbol>")?;
            Some((name, shapes))
        });
        Self(Arc::new(symbols.collect()))
    }
}

impl tera::Function for Icons {
    fn call(&self, arguments: &HashMap<String, Value>) -> tera::Result<Value> {
        let name = arguments.get("name").and_then(Value::as_str).unwrap_or_default();
        let shapes = self.0.get(name).ok_or_else(|| tera::Error::msg(format!("there is no icon `{name}`")))?;
        let class = arguments.get("class").and_then(Value::as_str).unwrap_or("plain-icon");
        let class = match class {
            // The logo brings its own size and colours.
            "" => String::new(),
            "plain-icon" => " class=\"i\"".to_owned(),
            more => format!(" class=\"i {more}\""),
        };
        Ok(Value::String(format!("<svg{class} viewBox=\"0 0 24 24\" aria-hidden=\"true\">{shapes}</svg>")))
    }

    fn is_safe(&self) -> bool {
        true
    }
}

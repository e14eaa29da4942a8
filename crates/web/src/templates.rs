//! The compiled-in template set.

use crate::{
    assets::Assets,
    error::ErrorPage,
    oauth::consent::ConsentPage,
    pages::{
        account::AccountPage,
        account_new::AccountNewPage,
        accounts::AccountsPage,
        connect::ConnectPage,
        connections::ConnectionsPage,
        login::LoginPage,
        outbox::{OutboxEntryPage, OutboxPage},
        overview::{LandingPage, OverviewPage},
        setup::SetupPage,
    },
};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};
use tera::{Context, Tera, Value};

/// Every template, by the name others include or extend it with.
const TEMPLATES: [(&str, &str); 18] = [
    ("macros.html", include_str!("../../../web/templates/macros.html")),
    ("outbox.html", include_str!("../../../web/templates/outbox.html")),
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
    ("pages/outbox-entry.html", include_str!("../../../web/templates/pages/outbox-entry.html")),
    ("pages/outbox.html", include_str!("../../../web/templates/pages/outbox.html")),
    ("pages/overview.html", include_str!("../../../web/templates/pages/overview.html")),
    ("pages/setup.html", include_str!("../../../web/templates/pages/setup.html")),
];

const SPRITE: &str = include_str!("../../../web/static/icons.svg");

/// What a template is rendered with. Every one has a sample, and each is rendered with it at start-up, so that a broken
/// template stops the server then and not a visitor later.
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
        tera.set_escape_fn(escape);
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

    /// Every page, rendered with its sample.
    pub(crate) fn samples(&self, assets: &Assets) -> Result<Vec<(&'static str, String)>, tera::Error> {
        Ok(vec![
            self.sample::<AccountPage>(assets)?,
            self.sample::<AccountNewPage>(assets)?,
            self.sample::<AccountsPage>(assets)?,
            self.sample::<ConnectPage>(assets)?,
            self.sample::<ConnectionsPage>(assets)?,
            self.sample::<ConsentPage>(assets)?,
            self.sample::<ErrorPage>(assets)?,
            self.sample::<LandingPage>(assets)?,
            self.sample::<LoginPage>(assets)?,
            self.sample::<OutboxPage>(assets)?,
            self.sample::<OutboxEntryPage>(assets)?,
            self.sample::<OverviewPage>(assets)?,
            self.sample::<SetupPage>(assets)?,
        ])
    }

    fn sample<P: Page>(&self, assets: &Assets) -> Result<(&'static str, String), tera::Error> {
        let shell = Shell {
            host: "mail.example.org",
            issuer: "https://mail.example.org",
            mcp_url: "https://mail.example.org/mcp",
            version: "1.0.0",
            assets,
            nav: "accounts",
            user: Some(Who::new("marie@example.org")),
            waiting: 2,
            csrf: "one-time-token".to_owned(),
        };
        Ok((P::TEMPLATE, self.render(&shell, &P::sample())?))
    }
}

/// Escapes for element content and quoted attributes. Unlike Tera's own it leaves `/` alone, which addresses are full of.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
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
        let shapes =
            self.0.get(name).ok_or_else(|| tera::Error::msg(format!("there is no icon `{name}`")))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<(&'static str, String)> {
        Templates::new().unwrap().samples(&Assets::new()).unwrap()
    }

    #[test]
    fn every_page_template_has_a_sample() {
        let sampled: Vec<_> = samples().into_iter().map(|(name, _)| name).collect();
        for (name, _) in TEMPLATES.iter().filter(|(name, _)| name.starts_with("pages/")) {
            assert!(sampled.contains(name), "{name}");
        }
    }

    #[test]
    fn no_page_needs_more_than_its_policy_allows() {
        for (name, html) in samples() {
            for forbidden in [" style=", "<style", "<script>", " onclick=", "javascript:", "http-equiv"] {
                assert!(!html.contains(forbidden), "{name}: {forbidden}");
            }
            assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"), "{name}");
        }
    }

    #[test]
    fn every_form_that_posts_carries_the_token_and_every_page_one_heading() {
        for (name, html) in samples() {
            let forms = html.matches("method=\"post\"").count();
            assert_eq!(html.matches("name=\"csrf\" value=\"one-time-token\"").count(), forms, "{name}");
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert_eq!(html.matches("<main").count(), 1, "{name}");
        }
    }

    #[test]
    fn links_lead_to_pages_that_exist() {
        let known = [
            "/",
            "/login",
            "/logout",
            "/setup",
            "/accounts",
            "/accounts/new",
            "/accounts/acc_sample",
            "/accounts/acc_sample/test",
            "/accounts/acc_sample/password",
            "/accounts/acc_sample/signature",
            "/accounts/acc_sample/sending",
            "/accounts/acc_sample/style",
            "/accounts/acc_sample/aliases",
            "/accounts/acc_sample/remove",
            "/connect",
            "/connections",
            "/connections/grt_sample/end",
            "/outbox",
            "/outbox/out_sample",
            "/outbox/out_sample/html",
            "/oauth/consent",
        ];
        for (name, html) in samples() {
            for start in ["href=\"/", "action=\"/"] {
                for link in html.split(start).skip(1).filter_map(|rest| rest.split('"').next()) {
                    let path = format!("/{}", link.split(['?', '#']).next().unwrap_or_default());
                    assert!(known.contains(&&*path) || path.starts_with("/static/"), "{name}: {path}");
                }
            }
        }
    }

    #[test]
    fn every_line_of_a_template_can_be_read() {
        for (name, text) in TEMPLATES {
            for (number, line) in text.lines().enumerate() {
                assert!(line.chars().count() <= 240, "{name}, line {}", number + 1);
            }
        }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        #[derive(Serialize)]
        struct Hostile {
            mcp_url: &'static str,
        }
        impl Page for Hostile {
            const TEMPLATE: &'static str = "pages/landing.html";
            fn sample() -> Self {
                Self { mcp_url: "<script>alert(1)</script>\"'" }
            }
        }
        let (_, html) = Templates::new().unwrap().sample::<Hostile>(&Assets::new()).unwrap();
        assert!(
            !html.contains("<script>alert")
                && html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;")
        );
    }

    #[test]
    fn the_consent_page_shows_things_in_their_order() {
        let (_, html) = samples().into_iter().find(|(name, _)| *name == "pages/consent.html").unwrap();
        let mut last = 0;
        for part in [
            "claude.ai</span>",
            "Calls itself",
            "Not verified",
            "marie@example.org",
            "Anyone can choose the name",
            "Which accounts?",
            "How far",
            "Access ends",
            ">Deny<",
            ">Allow<",
        ] {
            let at = html[last..].find(part).unwrap_or_else(|| panic!("{part} is missing or out of order"));
            last += at;
        }
    }
}

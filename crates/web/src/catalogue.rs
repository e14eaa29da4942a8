//! Every page of the server, each named once.

use crate::{
    assets::Assets,
    error_page::ErrorPage,
    oauth::consent_page::ConsentPage,
    page::{Page, Shell, Template, Who, template},
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
    state::{WebDeps, WebState},
    templates::Templates,
};

/// What pages include and extend.
const PARTS: [Template; 5] = [
    template!("macros.html"),
    template!("outbox.html"),
    template!("head.html"),
    template!("base.html"),
    template!("solo.html"),
];

/// A page: its template, and how its sample is rendered.
struct Entry {
    template: Template,
    sample: fn(&Templates, &Assets) -> Result<String, tera::Error>,
}

const fn entry<P: Page>() -> Entry {
    Entry { template: P::TEMPLATE, sample: sample::<P> }
}

const PAGES: [Entry; 13] = [
    entry::<AccountPage>(),
    entry::<AccountNewPage>(),
    entry::<AccountsPage>(),
    entry::<ConnectPage>(),
    entry::<ConnectionsPage>(),
    entry::<ConsentPage>(),
    entry::<ErrorPage>(),
    entry::<LandingPage>(),
    entry::<LoginPage>(),
    entry::<OutboxPage>(),
    entry::<OutboxEntryPage>(),
    entry::<OverviewPage>(),
    entry::<SetupPage>(),
];

fn every_template() -> impl Iterator<Item = Template> {
    PARTS.into_iter().chain(PAGES.map(|page| page.template))
}

/// A template does not compile or render: a bug.
#[derive(Debug, thiserror::Error)]
#[error("a template is broken")]
pub struct TemplateError(#[source] tera::Error);

impl WebState {
    /// Compiles the templates and renders each with its sample, so that a broken one stops the server at start-up and not
    /// a visitor later. An error is a bug in one of them.
    pub fn new(deps: WebDeps) -> Result<Self, TemplateError> {
        let (templates, assets) = (templates().map_err(TemplateError)?, Assets::new());
        samples(&templates, &assets).map_err(TemplateError)?;
        Ok(Self::with(deps, templates, assets))
    }
}

/// Compiles every template.
fn templates() -> Result<Templates, tera::Error> {
    Templates::new(every_template())
}

/// Every page, rendered with its sample.
fn samples(templates: &Templates, assets: &Assets) -> Result<Vec<(&'static str, String)>, tera::Error> {
    PAGES.iter().map(|page| Ok((page.template.name, (page.sample)(templates, assets)?))).collect()
}

fn sample<P: Page>(templates: &Templates, assets: &Assets) -> Result<String, tera::Error> {
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
    templates.render(&shell, &P::sample())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::path::Path;

    fn samples() -> Vec<(&'static str, String)> {
        super::samples(&templates().unwrap(), &Assets::new()).unwrap()
    }

    /// Paths of files below a folder, relative to it.
    fn files_below(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.extend(files_below(&path).into_iter().map(|below| format!("{name}/{below}")));
            } else {
                found.push(name);
            }
        }
        found
    }

    #[test]
    fn every_page_template_has_a_sample() {
        let sampled: Vec<_> = samples().into_iter().map(|(name, _)| name).collect();
        let files = files_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/templates")));
        for name in files.iter().filter(|name| name.starts_with("pages/")) {
            assert!(sampled.contains(&&**name), "{name}");
        }
        for name in files.iter().filter(|name| !name.starts_with("pages/")) {
            assert!(PARTS.iter().any(|part| part.name == name), "{name}");
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
        for Template { name, text } in every_template() {
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
            const TEMPLATE: Template = template!("pages/landing.html");
            fn sample() -> Self {
                Self { mcp_url: "<script>alert(1)</script>\"'" }
            }
        }
        let html = sample::<Hostile>(&templates().unwrap(), &Assets::new()).unwrap();
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

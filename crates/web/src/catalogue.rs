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
        people::PeoplePage,
        settings::SettingsPage,
        setup::SetupPage,
        welcome::WelcomePage,
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

const PAGES: [Entry; 16] = [
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
    entry::<PeoplePage>(),
    entry::<SettingsPage>(),
    entry::<SetupPage>(),
    entry::<WelcomePage>(),
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
        user: Some(Who::new("marie@example.org", true)),
        waiting: 2,
        csrf: "one-time-token".to_owned(),
    };
    templates.render(&shell, &P::sample())
}

#[cfg(test)]
mod tests;

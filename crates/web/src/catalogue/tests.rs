use super::*;
use crate::templates::SPRITE;
use serde::Serialize;
use std::{collections::BTreeSet, fs, path::Path};

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
        "/welcome",
        "/sign-up",
        "/settings",
        "/settings/password",
        "/settings/sessions",
        "/settings/sign-out",
        "/admin/people",
        "/admin/people/usr_sample",
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
            assert!(line.chars().count() <= 160, "{name}, line {}", number + 1);
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
        !html.contains("<script>alert") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;")
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

/// Classes that come from code and stand in no sample.
const FROM_CODE: [&str; 2] = ["tall", "ok"];

/// The words of every `class` attribute.
fn classes(html: &str) -> BTreeSet<&str> {
    let values = html.split("class=\"").skip(1).filter_map(|rest| rest.split('"').next());
    values.flat_map(str::split_whitespace).collect()
}

/// A template without what the template language puts in.
fn markup(text: &str) -> String {
    let mut markup = String::new();
    let mut rest = text;
    while let Some((before, after)) =
        rest.split_once(['{']).filter(|(_, after)| after.starts_with(['{', '%', '#']))
    {
        markup.push_str(before);
        markup.push(' ');
        let end = if after.starts_with('{') {
            "}}"
        } else if after.starts_with('%') {
            "%}"
        } else {
            "#}"
        };
        rest = after.split_once(end).map_or("", |(_, rest)| rest);
    }
    markup + rest
}

#[test]
fn every_class_of_the_style_sheet_is_used_and_every_used_one_is_there() {
    let style = include_str!("../../../../web/static/app.css");
    let is_selector = |line: &&str| !line.trim_start().starts_with("/*");
    let selectors: Vec<&str> =
        style.lines().filter(is_selector).filter_map(|line| line.split('{').next()).collect();
    let names = selectors.iter().flat_map(|selector| selector.split('.').skip(1));
    let names = names.filter_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next());
    let styled: BTreeSet<&str> =
        names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect();

    let templates: Vec<String> = every_template().map(|template| markup(template.text)).collect();
    let samples = samples();
    let written = templates.iter().map(String::as_str).chain(samples.iter().map(|(_, html)| &**html));
    let mut used: BTreeSet<&str> = written.flat_map(classes).collect();
    // what a class begins with, where code writes its end
    used.retain(|class| !class.ends_with('-'));
    used.extend(FROM_CODE);
    let difference = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| {
        one.difference(other).map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(difference(&styled, &used), [""; 0], "styled, and used by no page");
    assert_eq!(difference(&used, &styled), [""; 0], "used, and not styled");
}

#[test]
fn every_icon_is_used_and_every_used_one_is_there() {
    let there: BTreeSet<&str> =
        SPRITE.split("<symbol id=\"").skip(1).filter_map(|symbol| symbol.split('"').next()).collect();
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let code: Vec<String> =
        files_below(source).iter().map(|file| fs::read_to_string(source.join(file)).unwrap()).collect();
    for icon in &there {
        let quoted = format!("\"{icon}\"");
        let named = every_template().any(|template| template.text.contains(&format!("name={quoted}")));
        assert!(named || code.iter().any(|text| text.contains(&quoted)), "{icon} is used by no page");
    }
    for Template { name, text } in every_template() {
        for icon in text.split("icon(name=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(there.contains(icon), "{name}: there is no icon {icon}");
        }
    }
}

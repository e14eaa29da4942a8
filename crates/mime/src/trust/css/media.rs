//! Media queries (Media Queries 4), as a mail program on a desk answers them.

use super::spelling::{Of, spell_list};
use cssparser::Parser;

/// Width of the window that media queries are asked about, in pixels.
const WINDOW: f32 = 1024.0;

/// Whether a list of media queries holds for a light window of [`WINDOW`] pixels on a screen. A feature that is not
/// known here holds.
pub(crate) fn applies(queries: &str) -> bool {
    spell_list(&mut Parser::new(queries), Of::Value).is_ok_and(|queries| holds(&queries))
}

/// As [`applies`], of queries that were spelled already.
pub(super) fn holds(queries: &[String]) -> bool {
    queries.iter().any(|query| {
        let negated = query.starts_with("not ");
        let pixels = |name: &str| -> Option<f32> {
            let after = query.split(name).nth(1)?.trim_start().strip_prefix(':')?.trim_start();
            let digits: String = after.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let unit = if after[digits.len()..].starts_with("em") { 16.0 } else { 1.0 };
            digits.parse::<f32>().ok().map(|value| value * unit)
        };
        let kind = query.trim_start_matches("only ").trim_start_matches("not ").trim_start();
        let holds = (kind.is_empty() || kind.starts_with(['(', 's', 'a']))
            && !pixels("max-width").is_some_and(|width| width < WINDOW)
            && !pixels("max-device-width").is_some_and(|width| width < WINDOW)
            && !pixels("min-width").is_some_and(|width| width > WINDOW)
            && !pixels("min-device-width").is_some_and(|width| width > WINDOW)
            && !(query.contains("prefers-color-scheme") && query.contains("dark"));
        holds != negated
    })
}

//! Style sheets, bounded in octets, rules and selectors.

use super::{
    declarations::{Declaration, Stated},
    media::holds,
    selectors::{key, nested, selector, specificity},
    spelling::{Of, spell_list},
};
use cssparser::{
    AtRuleParser, CowRcStr, DeclarationParser, ParseError, Parser, ParserState, QualifiedRuleParser,
    RuleBodyItemParser, RuleBodyParser, StyleSheetParser,
};
use scraper::{ElementRef, Selector, node::Element};
use std::{collections::HashMap, rc::Rc};

/// Octets of style sheets read.
const MAX_SHEETS: usize = 256 * 1024;
/// Selectors that may hide something.
const MAX_SELECTORS: usize = 2_000;
/// Octets of one selector.
const MAX_SELECTOR: usize = 300;
struct Rule {
    selector: Selector,
    specificity: u64,
    declarations: Rc<[Declaration]>,
}

/// The rules of a message's style sheets that may hide something, found by their last simple selector.
#[derive(Default)]
pub(crate) struct Sheets {
    rules: Vec<Rule>,
    by_key: HashMap<String, Vec<usize>>,
    anywhere: Vec<usize>,
    octets: usize,
    /// More rules than are read: whatever a rule could have hidden counts as hidden.
    pub(crate) incomplete: bool,
}

impl Sheets {
    /// Adds a style sheet.
    pub(crate) fn read(&mut self, css: &str) {
        self.octets += css.len();
        if self.octets > MAX_SHEETS {
            self.incomplete = true;
            return;
        }
        let mut input = Parser::new(css);
        let mut reader = SheetReader { sheets: self, selectors: Vec::new(), block: Vec::new() };
        // what cannot be read is passed over as a browser passes over it
        StyleSheetParser::new(&mut input, &mut reader).for_each(drop);
    }

    fn add(&mut self, selectors: &[String], block: Vec<Declaration>) {
        if block.is_empty() {
            return;
        }
        let declarations: Rc<[Declaration]> = block.into();
        for text in selectors {
            if self.rules.len() >= MAX_SELECTORS || text.len() > MAX_SELECTOR {
                self.incomplete = true;
                return;
            }
            let Some(selector) = selector(text) else { continue };
            let rule = self.rules.len();
            match key(text) {
                Some(key) => self.by_key.entry(key).or_default().push(rule),
                None => self.anywhere.push(rule),
            }
            self.rules.push(Rule {
                selector,
                specificity: specificity(text),
                declarations: Rc::clone(&declarations),
            });
        }
    }

    /// Every declaration that applies, with its place in the cascade (higher wins).
    pub(crate) fn matching<'a>(
        &'a self,
        element: ElementRef<'_>,
        mut each: impl FnMut(&'a Declaration, u64),
    ) {
        if self.rules.is_empty() {
            return;
        }
        let value: &Element = element.value();
        let keys = std::iter::once(value.name().to_owned())
            .chain(value.id().map(|id| format!("#{id}")))
            .chain(value.classes().map(|class| format!(".{class}")));
        let named = keys.filter_map(|key| self.by_key.get(&key)).flatten();
        for index in named.chain(&self.anywhere) {
            let rule = &self.rules[*index];
            if rule.selector.matches(&element) {
                for declaration in &*rule.declarations {
                    each(declaration, rule.specificity * 10_000 + *index as u64);
                }
            }
        }
    }
}

/// Reads rules and what is nested in them.
struct SheetReader<'s> {
    sheets: &'s mut Sheets,
    /// Of the rule that is open.
    selectors: Vec<String>,
    /// Its declarations so far.
    block: Vec<Declaration>,
}

impl SheetReader<'_> {
    /// Declarations count where they stand, before and behind what is nested among them.
    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.sheets.add(&self.selectors, block);
    }
}

impl<'i> QualifiedRuleParser<'i> for SheetReader<'_> {
    type Prelude = Vec<String>;
    type QualifiedRule = ();
    type Error = ();

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Result<Vec<String>, ParseError<()>> {
        spell_list(input, Of::Selectors)
    }

    fn parse_block(
        &mut self,
        prelude: Vec<String>,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<(), ParseError<()>> {
        self.flush();
        let selectors = nested(&self.selectors, &prelude, MAX_SELECTORS + 1);
        let outer = std::mem::replace(&mut self.selectors, selectors);
        RuleBodyParser::new(input, self).for_each(drop);
        self.flush();
        self.selectors = outer;
        Ok(())
    }
}

impl<'i> AtRuleParser<'i> for SheetReader<'_> {
    /// Whether what is in it counts.
    type Prelude = bool;
    type AtRule = ();
    type Error = ();

    fn parse_prelude(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>) -> Result<bool, ParseError<()>> {
        let queries = spell_list(input, Of::Value);
        Ok(match &*name.to_ascii_lowercase() {
            "media" => holds(&queries?),
            "supports" | "layer" | "container" | "scope" => true,
            _ => false,
        })
    }

    fn rule_without_block(&mut self, _counts: bool, _start: &ParserState) -> Result<(), ()> {
        Ok(())
    }

    fn parse_block(
        &mut self,
        counts: bool,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<(), ParseError<()>> {
        if !counts {
            return Err(ParseError::unexpected_token());
        }
        self.flush();
        if self.selectors.is_empty() {
            StyleSheetParser::new(input, self).for_each(drop);
        } else {
            RuleBodyParser::new(input, self).for_each(drop);
            self.flush();
        }
        Ok(())
    }
}

impl<'i> DeclarationParser<'i> for SheetReader<'_> {
    type Declaration = ();
    type Error = ();

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        _start: &ParserState,
    ) -> Result<(), ParseError<()>> {
        let stated = Stated::read(&name, input, Of::Value)?;
        input.expect_exhausted()?;
        stated.add_to(&mut self.block);
        Ok(())
    }
}

impl RuleBodyItemParser<'_, (), ()> for SheetReader<'_> {
    fn parse_declarations(&self) -> bool {
        true
    }

    fn parse_qualified(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides(css: &str, html: &str) -> bool {
        let mut sheets = Sheets::default();
        sheets.read(css);
        let page = scraper::Html::parse_fragment(html);
        let target = page.select(&Selector::parse("[x]").unwrap()).next().unwrap();
        let mut found = false;
        sheets.matching(target, |_, _| found = true);
        found
    }

    #[test]
    fn rules_apply_as_a_desktop_client_applies_them() {
        let html = "<div class=a><p id=b class='c d' x>t</p></div>";
        for css in [
            "p{display:none}",
            ".a .d { display : none }",
            "#b,z{display:none}",
            "*{display:none}",
            ".a>p:first-child{display:none}",
            "[class~=c]{display:none}",
            "p:not(:hover){display:none}",
            "@media screen{.c{display:none}}",
            "@media (min-width:1px){.c{display:none}}",
            "@media print{.q{x:y}} .c{display:none}",
            "@import 'x'; @font-face{a:b} .c{display:none}",
            "} .c{display:none}",
        ] {
            assert!(hides(css, html), "{css}");
        }
        for css in [
            ".x{display:none}",
            "@media only screen and (max-width:600px){.c{display:none}}",
            "@media (prefers-color-scheme: dark){.c{display:none}}",
            "@media print{.c{display:none}}",
            "p:hover{display:none}",
            ".c{border:0}",
        ] {
            assert!(!hides(css, html), "{css}");
        }
    }

    #[test]
    fn rules_are_read_as_a_browser_reads_them() {
        let html = "<div class=a><p id=b class='c d' data-x=Q x>t</p></div>";
        for css in [
            // comments join compounds and part nothing
            ".c/**/.d{display:none}",
            "p/* } */{/* { */display:none}",
            // escapes in selectors
            ".\\63{display:none}",
            "#\\62 {display:none}",
            // at-rules in at-rules
            "@media screen{@supports (a:b){@media (min-width:1px){.c{display:none}}}}",
            "@MEDIA/**/all{.c{display:none}}",
            "@layer x{.a{& .c{display:none}}}",
            // nesting
            ".a{color:red;.c{display:none}color:red}",
            ".a{> p{display:none}}",
            ".c{&.d{display:none}}",
            ".c{@media screen{display:none}}",
            ".a{p:first-child{display:none}}",
            // values of attributes have case
            "[data-x=Q]{display:none}",
            "[data-x='Q']{display:none}",
            "[CLASS~=C]{display:none}",
            // what is not closed is closed by the end
            ".c{display:none",
            "@media screen{.c{display:none",
            "<!-- .c{display:none} -->",
            // a string that is not closed ends with its line
            ".x{content:'a\n} .c{display:none}",
        ] {
            assert!(hides(css, html), "{css}");
        }
        for css in [
            ".a/**/ /**/.x .c{display:none}",
            ".c/* {display:none} */",
            "@media print{@media screen{.c{display:none}}}",
            "@media screen{@media print{.c{display:none}}}",
            "@font-face{.c{display:none}}",
            "[data-x=q]{display:none}",
            ".x{content:'} .c{display:none}'}",
            ".x{a:url(} .c{display:none})}",
            "x:y; .c{display:none}",
            ".c{display:none !x}",
            ".a{.x &{.c{display:none}}}",
            ".c{-display:none;display :[none}",
        ] {
            assert!(!hides(css, html), "{css}");
        }
    }

    #[test]
    fn blocks_within_blocks_cost_no_stack() {
        for deep in ["@media all{", "a{", "(", "[", "a{b:(", "@media (("] {
            Sheets::default().read(&deep.repeat(20_000));
        }
        let outer: Vec<String> = (0..300).map(|n| format!("a{n}")).collect();
        let rule = format!("{}{{", outer.join(","));
        let mut sheets = Sheets::default();
        sheets.read(&format!("{}display:none", rule.repeat(70)));
        assert!(sheets.rules.len() <= MAX_SELECTORS);
    }
}

//! Declarations of a block or a `style` attribute, and the properties that matter.

use super::spelling::{Of, spell, words};
use cssparser::{
    AtRuleParser, CowRcStr, DeclarationParser, Delimiter, ParseError, Parser, ParserState,
    QualifiedRuleParser, RuleBodyItemParser, RuleBodyParser, parse_important,
};
use foldhash::fast::RandomState;
use std::{collections::HashMap, rc::Rc};

/// The properties that matter here. `Background` is the colour; `Picture` is `background-image`; `Fill` is `-webkit-text-fill-color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Property {
    Display,
    Visibility,
    Opacity,
    FontSize,
    Color,
    Fill,
    Background,
    Picture,
    Position,
    Left,
    Right,
    Top,
    Bottom,
    TextIndent,
    MarginLeft,
    MarginTop,
    PaddingLeft,
    PaddingTop,
    LetterSpacing,
    Direction,
    Bidi,
    Width,
    Height,
    MaxWidth,
    MaxHeight,
    Overflow,
    Clip,
    ClipPath,
    Transform,
    Filter,
    Float,
    ContentVisibility,
}

impl Property {
    pub(crate) const COUNT: usize = Self::ContentVisibility as usize + 1;

    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "display" => Self::Display,
            "content-visibility" => Self::ContentVisibility,
            "visibility" => Self::Visibility,
            "opacity" => Self::Opacity,
            "font-size" | "font" => Self::FontSize,
            "color" => Self::Color,
            "-webkit-text-fill-color" => Self::Fill,
            "background" | "background-color" => Self::Background,
            "background-image" => Self::Picture,
            "position" => Self::Position,
            "left" => Self::Left,
            "right" => Self::Right,
            "top" => Self::Top,
            "bottom" => Self::Bottom,
            "text-indent" => Self::TextIndent,
            "margin-left" | "margin-inline-start" => Self::MarginLeft,
            "margin-top" | "margin-block-start" => Self::MarginTop,
            "padding-left" | "padding-inline-start" => Self::PaddingLeft,
            "padding-top" | "padding-block-start" => Self::PaddingTop,
            "letter-spacing" => Self::LetterSpacing,
            "direction" => Self::Direction,
            "unicode-bidi" => Self::Bidi,
            "width" | "inline-size" => Self::Width,
            "height" | "block-size" => Self::Height,
            "max-width" | "max-inline-size" => Self::MaxWidth,
            "max-height" | "max-block-size" => Self::MaxHeight,
            "overflow" | "overflow-x" | "overflow-y" => Self::Overflow,
            "clip" => Self::Clip,
            "clip-path" | "-webkit-clip-path" => Self::ClipPath,
            "transform" | "-webkit-transform" | "scale" | "translate" => Self::Transform,
            "filter" => Self::Filter,
            "float" => Self::Float,
            _ => return None,
        })
    }
}

/// One declaration that matters, value in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) property: Property,
    pub(crate) value: String,
    pub(crate) important: bool,
}

/// A declaration as its author stated it, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) important: bool,
}

impl Stated {
    /// What stands behind a property's name.
    pub(super) fn read(name: &str, input: &mut Parser<'_>, of: Of) -> Result<Self, ParseError<()>> {
        let value = input.parse_until_before(Delimiter::Bang, |input| spell(input, of))?;
        let important = !input.is_exhausted();
        if important {
            parse_important(input)?;
        }
        if value.is_empty() {
            return Err(ParseError::unexpected_token());
        }
        Ok(Self { name: name.to_lowercase(), value, important })
    }

    /// Adds what of it matters.
    pub(super) fn add_to(&self, found: &mut Vec<Declaration>) {
        let (name, value, important) = (self.name.as_str(), self.value.as_str(), self.important);
        let mut add = |property, value: &str| {
            found.push(Declaration { property, value: value.to_owned(), important });
        };
        if let Some(sides) = sides(name) {
            let words = words(value);
            for (property, place) in sides {
                // of one to four values (CSS Box 4 §4.2)
                let place = *place.get(words.len().wrapping_sub(1)).unwrap_or(&usize::MAX);
                if let Some(word) = words.get(place) {
                    add(*property, word);
                }
            }
            return;
        }
        let Some(property) = Property::of(name) else { return };
        match name {
            // the size is the first word of `font` that begins like a number
            "font" => {
                let size = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit() || c == '.');
                if let Some(size) = value.split([' ', '/']).find(size) {
                    add(property, size);
                }
            }
            // CSS Transforms 2 §5
            "scale" | "translate" => add(property, &format!("{name}({})", value.replace(' ', ","))),
            _ => add(property, value),
        }
    }
}

/// The declarations that matter of a `style` attribute.
fn declarations(style: &str) -> Vec<Declaration> {
    let mut found = Vec::new();
    for stated in read(style, Of::Value) {
        stated.add_to(&mut found);
    }
    found
}

/// `style` attributes that were read before: a page repeats a few of them in every row.
#[derive(Default)]
pub(crate) struct Attributes<'a>(HashMap<&'a str, Rc<[Declaration]>, RandomState>);

impl<'a> Attributes<'a> {
    /// As [`declarations`].
    pub(crate) fn declarations(&mut self, style: &'a str) -> Rc<[Declaration]> {
        Rc::clone(self.0.entry(style).or_insert_with(|| declarations(style).into()))
    }
}

/// All declarations of a `style` attribute, strings and addresses and all.
pub(crate) fn stated(style: &str) -> Vec<Stated> {
    read(style, Of::WholeValue)
}

fn read(style: &str, of: Of) -> Vec<Stated> {
    let mut input = Parser::new(style);
    RuleBodyParser::new(&mut input, &mut Attribute(of)).filter_map(Result::ok).collect()
}

/// Reads a `style` attribute, in which there are no rules.
struct Attribute(Of);

impl<'i> DeclarationParser<'i> for Attribute {
    type Declaration = Stated;
    type Error = ();

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        _start: &ParserState,
    ) -> Result<Stated, ParseError<()>> {
        Stated::read(&name, input, self.0)
    }
}

impl AtRuleParser<'_> for Attribute {
    type Prelude = ();
    type AtRule = Stated;
    type Error = ();
}

impl QualifiedRuleParser<'_> for Attribute {
    type Prelude = ();
    type QualifiedRule = Stated;
    type Error = ();
}

impl RuleBodyItemParser<'_, Stated, ()> for Attribute {
    fn parse_declarations(&self) -> bool {
        true
    }

    fn parse_qualified(&self) -> bool {
        false
    }
}

/// The sides of a shorthand that matter, and which of one, two, three or four values each takes.
fn sides(name: &str) -> Option<&'static [(Property, [usize; 4])]> {
    const TOP: [usize; 4] = [0; 4];
    const RIGHT: [usize; 4] = [0, 1, 1, 1];
    const BOTTOM: [usize; 4] = [0, 0, 2, 2];
    const LEFT: [usize; 4] = [0, 1, 1, 3];
    Some(match name {
        "margin" => &[(Property::MarginTop, TOP), (Property::MarginLeft, LEFT)],
        "padding" => &[(Property::PaddingTop, TOP), (Property::PaddingLeft, LEFT)],
        "inset" => &[
            (Property::Top, TOP),
            (Property::Right, RIGHT),
            (Property::Bottom, BOTTOM),
            (Property::Left, LEFT),
        ],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(block: &str) -> Option<(Property, String, bool)> {
        declarations(block).into_iter().next().map(|found| (found.property, found.value, found.important))
    }

    #[test]
    fn an_attribute_that_comes_again_is_not_read_again() {
        let mut attributes = Attributes::default();
        let first = attributes.declarations("display:none");
        assert_eq!(*first, *declarations("display:none"));
        assert!(Rc::ptr_eq(&first, &attributes.declarations("display:none")));
        assert_ne!(*first, *attributes.declarations("display:block"));
    }

    #[test]
    fn a_declaration_is_read_however_it_is_disguised() {
        for block in [
            "display:none",
            " DISPLAY : NONE ; ",
            "d\\69splay:none",
            "display:/* x */none",
            "a:url(x;y);display:none",
        ] {
            assert_eq!(first(block).unwrap().0, Property::Display, "{block}");
            assert_eq!(first(block).unwrap().1, "none", "{block}");
        }
        assert_eq!(first("display:none !important"), Some((Property::Display, "none".into(), true)));
        assert_eq!(first("font:bold 0/0 a"), Some((Property::FontSize, "0".into(), false)));
    }

    #[test]
    fn what_a_browser_drops_is_dropped_and_what_it_reads_is_read() {
        let display = |block: &str| {
            let found = declarations(block).into_iter().rfind(|found| found.property == Property::Display);
            found.map(|found| (found.value, found.important))
        };
        let none = |important| Some(("none".to_owned(), important));
        for (block, shown) in [
            // escapes in names: six digits at most, then one blank
            ("\\64 isplay:none", none(false)),
            ("\\000064isplay:none", none(false)),
            ("dis\\play:none", none(false)),
            ("display\\:none", None),
            // comments stand between tokens and join nothing
            ("display/**/:/**/none/**/", none(false)),
            ("dis/**/play:none", None),
            ("display:no/**/ne", Some(("no/**/ne".to_owned(), false))),
            // importance
            ("display:none!important", none(true)),
            ("display:none ! /* x */ IMPORTANT /**/", none(true)),
            ("display:none !im/**/portant", None),
            ("display:none !important!", None),
            ("display:none !very", None),
            // brackets that do not match take their declaration along, and no other
            ("color:red);display:none", none(false)),
            ("color:red};display:none", none(false)),
            ("color:(red;display:none", None),
            ("color:[red;display:none];display:none", none(false)),
            ("content:'a;display:block", None),
            ("content:'a\n;display:none", none(false)),
            ("display:;display:none;display:", none(false)),
            ("<!--display:none-->", None),
            ("*display:none", None),
            ("@media all{display:none}display:none", none(false)),
        ] {
            assert_eq!(display(block), shown, "{block}");
        }
    }
}

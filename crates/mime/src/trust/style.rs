//! Whether a person would see an element or a text: style sheets, `style` attributes and the attributes of old HTML,
//! with what is inherited.

mod backdrop;
mod gone;
mod values;

use self::{
    backdrop::backdrop,
    gone::is_gone,
    values::{FAINT, Values, length, opacity_of},
};
use super::{
    colour::{self, Colour, Rgb},
    css::{Declaration, Property, Sheets},
};
use scraper::{ElementRef, node::Element};
use std::borrow::Cow;

/// Text below this size is not read, in CSS pixels.
const READABLE: f32 = 2.0;
/// What a text inherits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    colour: Colour,
    /// What lies behind the text; `None` where a picture does that is not known.
    background: Option<Rgb>,
    font_size: f32,
    opacity: f32,
    visible: bool,
    /// From right to left whatever its letters are (CSS Writing Modes 3 §2.2).
    reversed: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            colour: Colour::solid([0; 3]),
            background: Some([255; 3]),
            font_size: 16.0,
            opacity: 1.0,
            visible: true,
            reversed: false,
        }
    }
}

impl Context {
    /// Whether text here is seen.
    pub(crate) fn shows_text(&self) -> bool {
        self.visible
            && self.font_size >= READABLE
            && self.colour.alpha >= FAINT
            && self
                .background
                .is_none_or(|background| !colour::is_close(self.colour.over(background), background))
    }

    /// What is read of a text here: words whose letters are turned around are read turned around.
    pub(crate) fn read<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let runs_left =
            |c: char| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}');
        if self.reversed && !text.chars().any(runs_left) {
            Cow::Owned(text.chars().rev().collect())
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// The context within `element`, which has these declarations in its `style` attribute, or `None` if it is hidden with all that
/// is in it.
pub(crate) fn enter(
    element: ElementRef<'_>,
    inline: &[Declaration],
    sheets: &Sheets,
    outer: Context,
) -> Option<Context> {
    let value = element.value();
    if sheets.incomplete && (value.attr("class").is_some() || value.attr("id").is_some()) {
        return None;
    }
    let mut values = Values([None; Property::COUNT]);
    sheets.matching(element, |declaration, place| values.offer(declaration, place));
    for (index, declaration) in inline.iter().enumerate() {
        values.offer(declaration, (1 << 61) + index as u64);
    }
    // an author's `display` outranks what a browser does by itself (HTML §15.3.1)
    let is_closed =
        value.attr("hidden").is_some() || (value.name() == "dialog" && value.attr("open").is_none());
    if is_closed && values.get(Property::Display).is_none() {
        return None;
    }
    let mut context = outer;
    old_attributes(value, &mut context);
    direction(value, &values, &mut context);
    if let Some(size) = values.get(Property::FontSize) {
        context.font_size = font_size(size, outer.font_size);
    }
    if let Some(value) = values.get(Property::Visibility) {
        context.visible = match value {
            "hidden" | "collapse" => false,
            "inherit" | "unset" => outer.visible,
            other => !other.starts_with("var("),
        };
    }
    for property in [Property::Background, Property::Picture] {
        if let Some(value) = values.get(property) {
            context.background = backdrop(value, context.background);
        }
    }
    for property in [Property::Color, Property::Fill] {
        match values.get(property) {
            Some("inherit" | "unset" | "currentcolor") => context.colour = outer.colour,
            Some("initial") => context.colour = Colour::solid([0; 3]),
            Some(value) => context.colour = colour::parse(value).unwrap_or(context.colour),
            None => {}
        }
    }
    if let Some(opacity) = values.get(Property::Opacity) {
        context.opacity *= opacity_of(opacity);
    }
    (context.opacity >= FAINT && !is_gone(value, &values, context.font_size)).then_some(context)
}

/// Letters are turned around where a direction is forced on them.
fn direction(element: &Element, values: &Values<'_>, context: &mut Context) {
    let is = |name: &str, wanted: &str| {
        element.attr(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    if element.name() == "bdo" {
        context.reversed = is("dir", "rtl") || (context.reversed && element.attr("dir").is_none());
    } else if element.name() == "bdi" {
        context.reversed = false;
    }
    if let Some(bidi) = values.get(Property::Bidi) {
        let rightwards =
            values.get(Property::Direction).map_or_else(|| is("dir", "rtl"), |value| value == "rtl");
        context.reversed = bidi.contains("override") && rightwards;
    }
}

fn old_attributes(element: &Element, context: &mut Context) {
    let colour = |name: &str| element.attr(name).and_then(colour::legacy);
    match element.name() {
        "body" => context.colour = colour("text").map_or(context.colour, Colour::solid),
        "font" => context.colour = colour("color").map_or(context.colour, Colour::solid),
        // what a browser gives a link unless its author says otherwise
        "a" if element.attr("href").is_some() => context.colour = Colour::solid([0, 0, 238]),
        "mark" => (context.colour, context.background) = (Colour::solid([0; 3]), Some([255, 255, 0])),
        _ => {}
    }
    if let Some(background) = colour("bgcolor") {
        context.background = Some(background);
    } else if element.attr("background").is_some_and(|address| !address.trim().is_empty()) {
        context.background = None;
    }
}

fn font_size(value: &str, outer: f32) -> f32 {
    match value {
        "xx-small" => 9.0,
        "x-small" => 10.0,
        "small" => 13.0,
        "medium" | "initial" => 16.0,
        "large" => 18.0,
        "x-large" => 24.0,
        "xx-large" => 32.0,
        "smaller" => outer * 0.83,
        "larger" => outer * 1.2,
        other if other.starts_with("var(") => 0.0,
        other => match other.strip_suffix('%').map(|percent| percent.trim().parse::<f32>()) {
            Some(Ok(percent)) => outer * percent / 100.0,
            _ => length(other, outer).unwrap_or(outer),
        },
    }
}

#[cfg(test)]
mod tests;

//! Whether a person would see an element or a text: style sheets, `style` attributes and the attributes of old HTML,
//! with what is inherited.

use super::{
    colour::{self, Colour, Rgb},
    css::{self, Declaration, Property, Sheets},
};
use scraper::{ElementRef, node::Element};
use std::borrow::Cow;

/// Text below this size is not read, in CSS pixels.
const READABLE: f32 = 2.0;
/// What is moved this far is off the screen, in CSS pixels.
const FAR: f32 = 500.0;
/// To the right or down there is more to see, and one can scroll: this far nobody looks.
const ASIDE: f32 = 1_200.0;
const BELOW: f32 = 5_000.0;
/// What is placed this far above or before the edge of the page is out of it, in CSS pixels.
const OUT: f32 = 100.0;
/// What a percentage of a width is taken as a part of.
const BLOCK: f32 = 400.0;
/// Opacity below this is not seen.
const FAINT: f32 = 0.06;

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

/// The values that win the cascade.
struct Values<'a>([Option<(u64, &'a str)>; Property::COUNT]);

impl<'a> Values<'a> {
    fn offer(&mut self, declaration: &'a Declaration, place: u64) {
        let place = place + if declaration.important { 1 << 62 } else { 0 };
        let slot = &mut self.0[declaration.property as usize];
        if slot.is_none_or(|(found, _)| place >= found) {
            *slot = Some((place, &declaration.value));
        }
    }

    fn get(&self, property: Property) -> Option<&'a str> {
        self.0[property as usize].map(|(_, value)| value)
    }

    fn pixels(&self, property: Property, font_size: f32) -> Option<f32> {
        self.get(property).and_then(|value| length(value, font_size))
    }

    /// As [`Self::pixels`], where a percentage is one of a width.
    fn shift(&self, property: Property, font_size: f32) -> Option<f32> {
        let percent =
            self.get(property)?.strip_suffix('%').and_then(|number| number.trim().parse::<f32>().ok());
        percent.map(|percent| percent / 100.0 * BLOCK).or_else(|| self.pixels(property, font_size))
    }
}

/// The context within `element`, or `None` if it is hidden with all that is in it.
pub(crate) fn enter(element: ElementRef<'_>, sheets: &Sheets, outer: Context) -> Option<Context> {
    let value = element.value();
    if sheets.incomplete && (value.attr("class").is_some() || value.attr("id").is_some()) {
        return None;
    }
    let inline = value.attr("style").map(css::declarations).unwrap_or_default();
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

/// What hides an element with all that is in it.
fn is_gone(element: &Element, values: &Values<'_>, font_size: f32) -> bool {
    let display = values.get(Property::Display).unwrap_or_default();
    let none = display == "none" || display.starts_with("var(");
    if none || values.get(Property::Filter).is_some_and(is_faded) || is_pushed_aside(values, font_size) {
        return true;
    }
    // letters on top of each other, or each in a place of its own far away
    if values.pixels(Property::LetterSpacing, font_size).is_some_and(|by| by <= -0.5 * font_size || by >= FAR)
    {
        return true;
    }
    if says(
        values,
        Property::ClipPath,
        &["inset(50%", "inset(100%", "circle(0", "polygon(0 0, 0 0", "polygon(0 0,0 0"],
    ) {
        return true;
    }
    let is_absolute = says(values, Property::Position, &["absolute", "fixed"]);
    let clip = values.get(Property::Clip).map(|value| value.replace([' ', ','], "")).unwrap_or_default();
    if is_absolute && (clip.starts_with("rect(0") || clip.starts_with("rect(1px1px")) {
        return true;
    }
    // a box of words within a line has no size of its own, and is not transformed (CSS 2 §10.2, CSS Transforms 1 §2)
    if is_inline(element, values) {
        return false;
    }
    let squeezed = |properties: [Property; 2]| {
        properties
            .into_iter()
            .any(|property| values.pixels(property, font_size).is_some_and(|size| size <= 1.0))
    };
    let clips = says(values, Property::Overflow, &["hidden", "clip", "scroll", "auto"]);
    (clips
        && (squeezed([Property::Height, Property::MaxHeight])
            || squeezed([Property::Width, Property::MaxWidth])))
        || says(values, Property::ContentVisibility, &["hidden"])
        || values.get(Property::Transform).is_some_and(is_moved_away)
        || is_indented_away(values, font_size)
}

/// Whether the words of a box stand far from it.
fn is_indented_away(values: &Values<'_>, font_size: f32) -> bool {
    let shift = |property| values.shift(property, font_size).unwrap_or(0.0);
    let (indent, above) =
        (shift(Property::TextIndent), shift(Property::MarginTop).max(shift(Property::PaddingTop)));
    indent <= -FAR || indent >= ASIDE || shift(Property::MarginTop) <= -FAR || above >= BELOW
}

fn says(values: &Values<'_>, property: Property, found: &[&str]) -> bool {
    values.get(property).is_some_and(|value| found.iter().any(|word| value.contains(word)))
}

/// Whether an element is moved to where nobody sees it.
fn is_pushed_aside(values: &Values<'_>, font_size: f32) -> bool {
    let shift = |property| values.shift(property, font_size);
    let far = |property| shift(property).is_some_and(|by| by <= -FAR);
    let beyond = |property, most| shift(property).is_some_and(|by| by >= most);
    if far(Property::MarginLeft)
        || [Property::MarginLeft, Property::PaddingLeft].into_iter().any(|by| beyond(by, ASIDE))
    {
        return true;
    }
    let is_absolute = says(values, Property::Position, &["absolute", "fixed"]);
    if is_absolute {
        // away from the edges of the page itself
        let out = |property| shift(property).is_some_and(|by| by <= -OUT);
        let width =
            |property| values.get(property).and_then(|value| value.strip_suffix('%')?.parse::<f32>().ok());
        if [Property::Left, Property::Top].into_iter().any(out)
            || [Property::Left, Property::Right].into_iter().any(|by| width(by).is_some_and(|by| by >= 100.0))
        {
            return true;
        }
    }
    (is_absolute || says(values, Property::Position, &["relative", "sticky"]))
        && ([Property::Left, Property::Right, Property::Top, Property::Bottom].into_iter().any(far)
            || [Property::Left, Property::Right].into_iter().any(|by| beyond(by, ASIDE))
            || [Property::Top, Property::Bottom].into_iter().any(|by| beyond(by, BELOW)))
}

/// Whether an element is part of a line: one of those that are, unless its style makes a box of it.
fn is_inline(element: &Element, values: &Values<'_>) -> bool {
    let by_itself = matches!(
        element.name(),
        "a" | "abbr"
            | "acronym"
            | "b"
            | "bdi"
            | "bdo"
            | "big"
            | "cite"
            | "code"
            | "del"
            | "em"
            | "font"
            | "i"
            | "ins"
            | "kbd"
            | "label"
            | "mark"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "tt"
            | "u"
            | "var"
    );
    let display = values.get(Property::Display);
    let stays = display.map_or(by_itself, |display| matches!(display, "inline" | "contents"));
    stays
        && !says(values, Property::Position, &["absolute", "fixed"])
        && values.get(Property::Float).is_none_or(|float| float == "none")
}

/// Whether a filter leaves nothing to be seen.
fn is_faded(filter: &str) -> bool {
    let opacity = filter.split("opacity(").nth(1).and_then(|rest| rest.split(')').next());
    opacity.is_some_and(|opacity| opacity_of(opacity.trim()) < FAINT)
}

fn is_moved_away(transform: &str) -> bool {
    transform.split(')').any(|step| {
        let Some((name, by)) = step.trim().split_once('(') else { return false };
        let name = name.trim_start_matches(|c: char| !c.is_alphabetic());
        let number = |by: &str| match by.strip_suffix('%') {
            Some(percent) => percent.parse::<f32>().map(|by| by / 100.0),
            None => by.parse::<f32>(),
        };
        if name == "matrix" {
            let by: Vec<f32> = by.split(',').filter_map(|by| by.trim().parse().ok()).collect();
            let [xx, xy, yx, yy, right, down] = by[..] else { return false };
            return (xx * yy - xy * yx).abs() < 0.0025 || right.abs() >= FAR || down.abs() >= FAR;
        }
        if matches!(name, "rotatex" | "rotatey") {
            let by = by.trim();
            return ["90deg", "-90deg", "270deg", "0.25turn", ".25turn", "100grad"].contains(&by);
        }
        by.split(',').map(str::trim).any(|by| match name {
            "scale" | "scalex" | "scaley" | "scale3d" => number(by).is_ok_and(|by| by.abs() < 0.05),
            "translate" | "translatex" | "translatey" | "translate3d" => {
                length(by, 16.0).is_some_and(|by| by.abs() >= FAR)
                    || by.ends_with('%') && number(by).is_ok_and(|by| by.abs() >= 10.0)
            }
            _ => false,
        })
    })
}

fn opacity_of(value: &str) -> f32 {
    if value.starts_with("var(") {
        return 0.0;
    }
    let number = match value.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f32>().map(|value| value / 100.0),
        None => value.parse::<f32>(),
    };
    number.unwrap_or(1.0).clamp(0.0, 1.0)
}

/// What lies behind a text whose background is `value`, over `below`. A colour beside a picture counts, for pictures are not
/// loaded; a picture without one hides nothing, nor does a gradient of more than one colour.
fn backdrop(value: &str, below: Option<Rgb>) -> Option<Rgb> {
    let (colours, has_picture) = painted(value);
    let over = |colour: &Colour| match below {
        Some(below) => Some(colour.over(below)),
        None => (colour.alpha >= 0.5).then_some(colour.rgb),
    };
    match colours.as_slice() {
        [] if has_picture => None,
        [] => below,
        [first, rest @ ..] => {
            let first = over(first)?;
            let same = |colour: &Colour| over(colour).is_some_and(|other| colour::is_close(first, other));
            rest.iter().all(same).then_some(first)
        }
    }
}

/// The colours that are named anywhere in the value of a background, and whether there is a picture.
fn painted(value: &str) -> (Vec<Colour>, bool) {
    let (mut colours, mut has_picture, mut rest) = (Vec::new(), false, value);
    while !rest.is_empty() && colours.len() < 10 {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '#');
        if let Some(after) = rest.strip_prefix("url(") {
            has_picture = true;
            rest = after.split_once(')').map_or("", |(_, rest)| rest);
            continue;
        }
        let word_end =
            rest.find(|c: char| !c.is_alphanumeric() && c != '#' && c != '-').unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        if after.starts_with('(') && ["rgb", "hsl", "hwb"].iter().any(|name| word.starts_with(name)) {
            let end = after.find(')').map_or(rest.len(), |end| word_end + end + 1);
            colours.extend(colour::parse(&rest[..end]));
            rest = &rest[end..];
            continue;
        }
        colours.extend(colour::parse(word));
        rest = after;
    }
    (colours, has_picture)
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

/// A length in CSS pixels; of `calc()` and its like the largest in it. Percentages and `auto` are none.
fn length(value: &str, font_size: f32) -> Option<f32> {
    if let Some((_, inside)) = value.split_once('(') {
        return inside
            .split(|c: char| c.is_whitespace() || "+*/,()".contains(c))
            .filter_map(|piece| length(piece, font_size))
            .reduce(f32::max);
    }
    let value = value.trim();
    let end = value
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *c == '.' || (*at == 0 && matches!(c, '-' | '+'))))
        .map_or(value.len(), |(at, _)| at);
    let number: f32 = value[..end].parse().ok()?;
    let factor = match value[end..].trim() {
        "" | "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "pc" | "rem" => 16.0,
        "em" => font_size,
        "ex" | "ch" => font_size / 2.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "vw" | "vh" | "vmin" | "vmax" => 12.8,
        "%" if number == 0.0 => 0.0,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests;

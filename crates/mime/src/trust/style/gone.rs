//! What hides an element with all that is in it: its box, its place, its shape.

use super::values::{FAINT, Values, length, opacity_of};
use crate::trust::css::Property;
use scraper::node::Element;

/// What is moved this far is off the screen, in CSS pixels.
const FAR: f32 = 500.0;
/// To the right or down there is more to see, and one can scroll: this far nobody looks.
const ASIDE: f32 = 1_200.0;
const BELOW: f32 = 5_000.0;
/// What is placed this far above or before the edge of the page is out of it, in CSS pixels.
const OUT: f32 = 100.0;

/// What hides an element with all that is in it.
pub(super) fn is_gone(element: &Element, values: &Values<'_>, font_size: f32) -> bool {
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

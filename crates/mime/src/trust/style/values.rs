//! The values that win the cascade, as numbers.

use crate::trust::css::{Declaration, Property};

/// What a percentage of a width is taken as a part of.
const BLOCK: f32 = 400.0;
/// Opacity below this is not seen.
pub(super) const FAINT: f32 = 0.06;

/// The values that win the cascade.
pub(super) struct Values<'a>(pub(super) [Option<(u64, &'a str)>; Property::COUNT]);

impl<'a> Values<'a> {
    pub(super) fn offer(&mut self, declaration: &'a Declaration, place: u64) {
        let place = place + if declaration.important { 1 << 62 } else { 0 };
        let slot = &mut self.0[declaration.property as usize];
        if slot.is_none_or(|(found, _)| place >= found) {
            *slot = Some((place, &declaration.value));
        }
    }

    pub(super) fn get(&self, property: Property) -> Option<&'a str> {
        self.0[property as usize].map(|(_, value)| value)
    }

    pub(super) fn pixels(&self, property: Property, font_size: f32) -> Option<f32> {
        self.get(property).and_then(|value| length(value, font_size))
    }

    /// As [`Self::pixels`], where a percentage is one of a width.
    pub(super) fn shift(&self, property: Property, font_size: f32) -> Option<f32> {
        let percent =
            self.get(property)?.strip_suffix('%').and_then(|number| number.trim().parse::<f32>().ok());
        percent.map(|percent| percent / 100.0 * BLOCK).or_else(|| self.pixels(property, font_size))
    }
}

pub(super) fn opacity_of(value: &str) -> f32 {
    if value.starts_with("var(") {
        return 0.0;
    }
    let number = match value.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f32>().map(|value| value / 100.0),
        None => value.parse::<f32>(),
    };
    number.unwrap_or(1.0).clamp(0.0, 1.0)
}

/// A length in CSS pixels; of `calc()` and its like the largest in it. Percentages and `auto` are none.
pub(super) fn length(value: &str, font_size: f32) -> Option<f32> {
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

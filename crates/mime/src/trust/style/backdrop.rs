//! What lies behind a text: colours over each other, gradients and pictures.

use crate::trust::colour::{self, Colour, Rgb};

/// What lies behind a text whose background is `value`, over `below`. A colour beside a picture counts, for pictures are not
/// loaded; a picture without one hides nothing, nor does a gradient of more than one colour.
pub(super) fn backdrop(value: &str, below: Option<Rgb>) -> Option<Rgb> {
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

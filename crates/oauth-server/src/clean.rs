//! Names that clients give themselves.

/// What a person may be shown of a name from outside: white space collapsed; control, bidirectional and invisible
/// characters removed; at most `limit` characters, the last of them `…` if it was longer.
/// A name of which nothing is left is `Unnamed client`.
pub fn clean_name(name: &str, limit: usize) -> String {
    // Bounded before the work; combining characters may be stacked, but not for ever.
    let visible: String = name
        .chars()
        .take(4 * limit)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect();
    let collapsed = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if collapsed.is_empty() {
        return "Unnamed client".to_owned();
    }
    if collapsed.chars().count() <= limit {
        return collapsed;
    }
    let mut short: String = collapsed.chars().take(limit.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Default-ignorable and bidirectional control characters (Unicode `Default_Ignorable_Code_Point`, `Bidi_Control`).
const fn is_invisible(c: char) -> bool {
    matches!(c as u32,
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2028..=0x2029 | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFFB | 0xE000..=0xF8FF | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
        | 0xF0000..=0x0010_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_or_reordering_survives() {
        assert_eq!(clean_name("Cla\u{202E}ude\u{200B}\u{7}\u{E0041}", 40), "Claude");
        assert_eq!(clean_name("  two\n\tlines\u{2028}here ", 40), "two lines here");
        assert_eq!(clean_name("\u{202E}\u{200B}", 40), "Unnamed client");
        assert_eq!(clean_name("Jürgens Café 📫", 40), "Jürgens Café 📫");
    }

    #[test]
    fn length_is_bounded_in_characters() {
        let name = clean_name(&"é".repeat(100), 40);
        assert_eq!(name.chars().count(), 40);
        assert!(name.ends_with('…'));
    }
}

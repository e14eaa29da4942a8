//! How strictly an encoding is undone.

/// What to make of octets that the encoding does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As RFC 2045 says: a file comes out as it went in.
    Exact,
    /// For reading: of texts glued together all is read, the alphabet of URLs is known, blanks at line ends stay (they tell
    /// flowed lines and signatures), and a last `=` was a soft line break.
    Forgiving,
}

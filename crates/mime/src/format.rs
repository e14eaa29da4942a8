//! What a message is read as, and what reading it noticed: the words that reading and judging share.

/// What the reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Markdown: structure and links kept, short.
    Markdown,
    /// Plain text: the sender's own, or made of the HTML.
    Text,
    /// HTML that holds nothing active, nothing hidden and nothing loaded from elsewhere.
    Html,
}

/// A link whose text names another site than the one it leads to. Hosts only, as ASCII (punycode).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMismatch {
    /// The host that the text shows.
    pub shown: String,
    /// The host that the link leads to.
    pub real: String,
}

/// Text made of a message's parts, and what was noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The text in the wanted format.
    pub text: String,
    /// Hidden elements, texts and runs of invisible characters that were removed.
    pub hidden: usize,
    /// Images of one pixel or none, which tell the sender that a message is read.
    pub tracking_pixels: usize,
    /// Other images that would be loaded from elsewhere.
    pub remote_images: usize,
    /// Links that lie about their host, at most 20, each pair once.
    pub link_mismatches: Vec<LinkMismatch>,
    /// Hosts that look like another one, as ASCII (punycode), at most 20.
    pub lookalikes: Vec<String>,
    /// The form of the text that is not shown and says other words: `html` or `plain`.
    pub other_form: Option<&'static str>,
    /// A bound cut the source (too large, too deep, too slow): the rest was not looked at.
    pub cut: bool,
}

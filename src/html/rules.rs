//! libxml2's tables of element names: which tag closes what, which elements have no content, and which
//! contain plain text.

/// How the content of an element is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Tags and character references.
    Markup,
    /// Only character references: `title`, `textarea`.
    References,
    /// Only the end tag: `style`, `iframe` and others.
    Raw,
    /// The same as raw, but a comment may hide the end tag.
    Script(Escape),
    /// Nothing: everything up to the end of the text is plain text.
    Plain,
}

/// The position of a script inside something that looks like a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    Outside,
    Comment,
    /// In a script element inside the comment.
    Nested,
}

pub(super) fn content_of(name: &str) -> Content {
    match name {
        "iframe" | "noembed" | "noframes" | "style" | "xmp" => Content::Raw,
        "textarea" | "title" => Content::References,
        "script" => Content::Script(Escape::Outside),
        "plaintext" => Content::Plain,
        _ => Content::Markup,
    }
}

/// Whether an element has no content and no end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "br"
            | "col"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "isindex"
            | "link"
            | "meta"
            | "param"
    )
}

/// The rank of an end tag, which closes only open elements of this or a lower rank.
pub(super) fn end_rank(name: &str) -> u8 {
    match name {
        "div" => 1,
        "td" | "th" => 2,
        "tr" => 3,
        "thead" | "tbody" | "tfoot" => 4,
        "table" => 5,
        "head" | "body" => 6,
        "html" => 7,
        _ => 0,
    }
}

/// Whether the start of `new` ends an innermost open `old`.
pub(super) fn closes(new: &str, old: &str) -> bool {
    let new_ones: &[&str] = match old {
        "a" => &["a", "fieldset", "table", "td", "th"],
        "address" => &["dd", "dl", "dt", "form", "li", "ul"],
        "b" | "i" => &["center", "p", "td", "th"],
        "big" | "s" | "small" | "strike" | "tt" => &["p"],
        "caption" => &["col", "colgroup", "tbody", "tfoot", "thead", "tr"],
        "col" => &["col", "colgroup", "tbody", "tfoot", "thead", "tr"],
        "colgroup" => &["colgroup", "tbody", "tfoot", "thead", "tr"],
        "dd" => &["dt"],
        "dir" => &["dd", "dl", "dt", "form", "ul"],
        "dl" => &["form", "li"],
        "dt" => &["dd", "dl"],
        "font" => &["center", "td", "th"],
        "form" => &["form"],
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => &["fieldset", "form", "li", "p", "table"],
        "head" => HEAD_ENDS_AT,
        "hr" | "ol" => &["form"],
        "legend" => &["fieldset"],
        "li" => &["li"],
        "link" | "style" | "title" => &["body", "frameset"],
        "listing" | "xmp" | "pre" => &["dd", "dl", "dt", "fieldset", "form", "li", "table", "ul"],
        "menu" => &["dd", "dl", "dt", "form", "ul"],
        "option" => &["optgroup", "option"],
        "p" => PARAGRAPH_ENDS_AT,
        "script" => &["noscript"],
        "span" => &["td", "th"],
        "tbody" => &["tbody", "tfoot"],
        "td" | "th" => &["tbody", "td", "tfoot", "th", "tr"],
        "tfoot" => &["tbody"],
        "thead" => &["tbody", "tfoot"],
        "tr" => &["tbody", "tfoot", "tr"],
        "u" => &["p", "td", "th"],
        "ul" => &["address", "form", "menu", "pre"],
        _ => &[],
    };
    new_ones.contains(&new)
}

const HEAD_ENDS_AT: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdo",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "cite",
    "code",
    "dd",
    "dfn",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "fieldset",
    "font",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "kbd",
    "li",
    "listing",
    "map",
    "menu",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tt",
    "u",
    "ul",
    "var",
    "xmp",
];

const PARAGRAPH_ENDS_AT: &[&str] = &[
    "address",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "li",
    "listing",
    "menu",
    "ol",
    "p",
    "pre",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "title",
    "tr",
    "ul",
    "xmp",
];

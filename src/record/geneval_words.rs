//! GenEval's words: the colours that it asks for and its names of COCO's classes.
//!
//! The suite draws its prompts from them, the detector names what it sees with them, and the rule compares
//! the two. Source: djghosh13/geneval at af4902f (MIT licence).

/// The colours that GenEval asks for and can name, in the official order.
pub const COLORS: [&str; 10] = [
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white",
];

/// The official name of an object class. GenEval renames three of COCO's classes, and detectors may use
/// either name.
pub fn official_object_name(class: &str) -> &str {
    match class {
        "mouse" => "computer mouse",
        "remote" => "tv remote",
        "keyboard" => "computer keyboard",
        other => other,
    }
}

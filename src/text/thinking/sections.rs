//! Replies in sections: the channels of gpt-oss (harmony), with or without their marks, and thoughts under a
//! heading.

use regex::Regex;
use std::sync::LazyLock;

/// The sections of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sections<'a> {
    pub thoughts: Vec<&'a str>,
    /// `None` if no section is the answer.
    pub answer: Option<&'a str>,
}

/// The sections of a reply. `None` if it has none.
pub(super) fn split_sections(reply: &str) -> Option<Sections<'_>> {
    if reply.contains("<|message|>") {
        channels(reply)
    } else {
        bare_channels(reply).or_else(|| headings(reply))
    }
}

/// Reads `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…<|return|>`.
/// The last section of the channel `final`, or of no channel, is the answer. All other sections are thoughts.
/// The first mark may be missing.
fn channels(reply: &str) -> Option<Sections<'_>> {
    static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:<\|start\|>[^<]*)?(?:<\|channel\|>\s*([a-z]+)[^<]*)?(?:<\|constrain\|>[^<]*)?<\|message\|>",
        )
        .ok()
    });
    let headers: Vec<_> = HEADER.as_ref()?.captures_iter(reply).collect();
    let first = headers.first()?.get(0)?;
    let mut thoughts = vec![until_end(&reply[..first.start()])];
    let mut answer = None;
    for header in &headers {
        let text = until_end(&reply[header.get(0)?.end()..]);
        if header.get(1).is_none_or(|name| name.as_str() == "final") {
            thoughts.extend(answer.replace(text))
        } else {
            thoughts.push(text)
        }
    }
    Some(Sections { thoughts, answer })
}

/// The text of a section, up to its end mark or the next section.
fn until_end(text: &str) -> &str {
    let ends = [
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|start|>",
        "<|channel|>",
    ];
    let end = ends.iter().filter_map(|mark| text.find(mark)).min();
    text[..end.unwrap_or(text.len())].trim()
}

/// The same if a server has dropped the marks and kept the names: `analysisIs it …?assistantfinalB`.
fn bare_channels(reply: &str) -> Option<Sections<'_>> {
    const ANSWER: &str = "assistantfinal";
    let text = reply.trim_start();
    let text = text.strip_prefix("assistant").unwrap_or(text);
    let text = text.strip_prefix("analysis")?;
    if let Some(at) = text.rfind(ANSWER) {
        return Some(Sections {
            thoughts: vec![text[..at].trim()],
            answer: Some(text[at + ANSWER.len()..].trim()),
        });
    }
    // A sentence that directly follows the name. In an answer, a blank would follow the word `analysis`.
    static GLUED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[A-Z][a-z']* [a-z]").ok());
    let glued = GLUED.as_ref().is_some_and(|glued| glued.is_match(text));
    glued.then(|| Sections {
        thoughts: vec![text.trim()],
        answer: None,
    })
}

/// Reads `Here is my thought process: … Here is my response: …` (Granite) and `Thinking... … ...done
/// thinking.` (Ollama).
fn headings(reply: &str) -> Option<Sections<'_>> {
    // Most replies have none of these words, and the search for them costs much less than the expression.
    if !["my thought process", "Thinking"]
        .iter()
        .any(|words| reply.contains(words))
    {
        return None;
    }
    static HEADINGS: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
        Some([
            Regex::new(
                r"^\W*(?:Here(?:'s|’s| is) my thought process:?\W*|Thinking(?:\.\.\.|…)\s*\n)",
            )
            .ok()?,
            Regex::new(r"\**Here(?:'s|’s| is) my response:?\**|(?:\.\.\.|…)done thinking\.")
                .ok()?,
        ])
    });
    let [thought, response] = HEADINGS.as_ref()?;
    let text = &reply[thought.find(reply)?.end()..];
    Some(match response.find(text) {
        Some(found) => Sections {
            thoughts: vec![text[..found.start()].trim()],
            answer: Some(text[found.end()..].trim()),
        },
        None => Sections {
            thoughts: vec![text.trim()],
            answer: None,
        },
    })
}

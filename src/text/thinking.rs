//! What a reasoning model says before its answer, and the marks around both. This is the only place that
//! separates answers from thoughts, for graded answers, readers of pictures and judges.
//!
//! A thought is between marks such as `<think>` and `</think>` or `[THINK]` and `[/THINK]`, in a channel
//! other than `final` (gpt-oss), or under a heading of its own. Chat templates may put the opening mark into
//! the prompt, so everything before a closing mark without an opening one is a thought. A thought without a
//! closing mark contains no answer, unless an answer in its own marks ends the reply. The text before a
//! thought is not part of it: `5 <think>why</think>` answers 5. A mark in quotation marks, and one that a
//! sentence only mentions, is an ordinary word.

mod marks;
mod sections;

use marks::Pieces;
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Why a reply has no answer, for errors and reasons.
pub const NO_ANSWER: &str = "no answer came: the reply is a thought alone";

/// A reply that was split into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parted<'a> {
    thoughts: Vec<&'a str>,
    /// The unchanged reply, if it has no mark of a thought.
    whole: Option<&'a str>,
    /// The text outside of thoughts, without the marks of an answer.
    words: Cow<'a, str>,
    /// The texts between marks of an answer, in order.
    marked: Vec<String>,
    answered: bool,
}

impl Parted<'_> {
    /// Whether there is text outside of thoughts. Also true for an empty reply.
    pub fn answered(&self) -> bool {
        self.answered
    }

    /// The thoughts. Empty if there are none.
    pub fn thought(&self) -> String {
        self.thoughts.join("\n\n")
    }

    /// Everything outside of thoughts, for replies in which every line may count, such as a judge's. A reply
    /// without marks of a thought is returned unchanged.
    pub fn words(&self) -> &str {
        self.whole.unwrap_or(&self.words)
    }

    /// The answer to a question: the text in the last marks of an answer (`<answer>`, GLM's box), or else all
    /// words.
    pub fn answer(&self) -> &str {
        self.marked.last().map_or(&*self.words, String::as_str)
    }

    /// What a reader of a picture read: the text in the only marks of an answer, or else all words.
    pub fn reading(&self) -> &str {
        match &self.marked[..] {
            [only] => only,
            _ => &self.words,
        }
    }

    /// Whether [`Parted::answer`] leaves out words around its marks.
    pub fn has_more_words(&self) -> bool {
        let marked: usize = self.marked.last().map_or(0, |answer| letters(answer));
        !self.marked.is_empty() && letters(&self.words) > marked
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Splits the reply of a language model. Never use it for the reading of an OCR engine, since a picture may
/// show such marks.
pub fn split_reply(reply: &str) -> Parted<'_> {
    let (mut thoughts, rest) = match sections::split_sections(reply) {
        Some(sections) => (sections.thoughts, sections.answer),
        None => (Vec::new(), Some(reply)),
    };
    let marked = rest.map(marks::split_marks).unwrap_or_default();
    let Pieces {
        words,
        thoughts: more,
        open,
    } = marked;
    let thinks = rest != Some(reply) || open || !more.is_empty() || words.len() < reply.len();
    thoughts.extend(more.iter().map(|thought| thought.trim()));
    thoughts.retain(|thought| !thought.is_empty());
    let (words, marked) = match last_in_open_thought(open, &words, &thoughts) {
        Some(answer) => (Cow::Owned(answer.clone()), vec![answer]),
        None => answers(words, thinks),
    };
    Parted {
        answered: !thinks || !words.trim().is_empty(),
        whole: (!thinks).then_some(reply),
        thoughts,
        words,
        marked,
    }
}

/// The answer in marks that ends a thought without a closing mark.
fn last_in_open_thought(open: bool, words: &str, thoughts: &[&str]) -> Option<String> {
    static LAST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?is)<(?:final_)?answer>([^<>]*\w[^<>]*)</(?:final_)?answer>\s*\z").ok()
    });
    let thought = thoughts
        .last()
        .filter(|_| open && words.trim().is_empty())?;
    let found = LAST.as_ref()?.captures(thought)?;
    Some(found[1].trim().to_owned())
}

/// The words without the marks of an answer, and the texts between such marks. Common words such as
/// `<response>` are marks only if there is a thought.
fn answers(words: Cow<'_, str>, thinks: bool) -> (Cow<'_, str>, Vec<String>) {
    static ALWAYS: LazyLock<Option<Regex>> = LazyLock::new(|| answer_marks("(?:final_)?answer"));
    static BESIDE: LazyLock<Option<Regex>> =
        LazyLock::new(|| answer_marks("(?:final_)?answer|response|solution|conclusion|output"));
    if !words.contains('<') {
        return (words, Vec::new());
    }
    let pattern = if thinks { &*BESIDE } else { &*ALWAYS };
    let Some(pattern) = pattern else {
        return (words, Vec::new());
    };
    let (mut plain, mut marked) = (String::with_capacity(words.len()), Vec::new());
    let (mut from, mut inside): (usize, Option<usize>) = (0, None);
    let marks = pattern.captures_iter(&words);
    let whole = marks.filter_map(|found| Some((found.get(0)?, found.get(1).is_some())));
    for (mark, opens) in whole.filter(|(mark, _)| !marks::is_quoted(&words, &mark.range())) {
        plain.push_str(&words[from..mark.start()]);
        from = mark.end();
        match (opens, inside) {
            (true, None) => inside = Some(plain.len()),
            (false, Some(start)) => {
                marked.push(plain[start..].trim().to_owned());
                inside = None;
            }
            _ => {}
        }
    }
    if from == 0 {
        return (words, Vec::new());
    }
    plain.push_str(&words[from..]);
    marked.extend(inside.map(|start| plain[start..].trim().to_owned()));
    marked.retain(|answer| !answer.is_empty());
    (Cow::Owned(plain.trim().to_owned()), marked)
}

/// The marks of an answer. In those that open it, the first group matches.
fn answer_marks(tags: &str) -> Option<Regex> {
    Regex::new(&format!(
        r"(?ix) (<(?:{tags})(?:\s[^<>\n]*)?> | <\|begin_of_(?:box|solution)\|> | <\|START_RESPONSE\|>)
        | </(?:{tags})\s*> | <\|end_of_(?:box|solution)\|> | <\|END_RESPONSE\|>"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each reply with its thought and its answer; without an answer, none came.
    #[test]
    fn thoughts_are_told_from_answers() {
        let cases: [(&str, &str, Option<&str>); 50] = [
            ("B", "", Some("B")),
            (" B\n", "", Some(" B\n")),
            ("", "", Some("")),
            ("<think>\nA?\n</think>\n\nB", "A?", Some("B")),
            ("A, surely.\n</think>\n\nB", "A, surely.", Some("B")),
            ("<THINK>A</Think>B", "A", Some("B")),
            ("<thinking lang=\"en\">A</thinking>\nB", "A", Some("B")),
            ("<thought>A</thought>B", "A", Some("B")),
            ("<reasoning>A</reasoning>B", "A", Some("B")),
            (
                "<think>A</think><reflection>no</reflection>B",
                "A\n\nno",
                Some("B"),
            ),
            ("<seed:think>A</seed:think>B", "A", Some("B")),
            ("<longcat_think>A</longcat_think>B", "A", Some("B")),
            (
                "<|begin_of_thought|>A<|end_of_thought|>\n<|begin_of_solution|>B<|end_of_solution|>",
                "A",
                Some("B"),
            ),
            (
                "<|START_THINKING|>A<|END_THINKING|><|START_RESPONSE|>B<|END_RESPONSE|>",
                "A",
                Some("B"),
            ),
            ("[THINK]A[/THINK]B", "A", Some("B")),
            ("◁think▷A◁/think▷B", "A", Some("B")),
            ("<|think|>A<|/think|>B", "A", Some("B")),
            ("<chain_of_thought>A</chain_of_thought>B", "A", Some("B")),
            ("[Start thinking]A[End thinking]B", "A", Some("B")),
            (
                "<|im_start|>think\nA\n<|im_start|>answer\nB",
                "A",
                Some("B"),
            ),
            ("Thinking...\nA?\n...done thinking.\n\nB", "A?", Some("B")),
            ("<thinking>A</thinking>B", "A", Some("B")),
            ("<unused94>thought\nA<unused95>B", "A", Some("B")),
            ("<|channel>thought\nA<channel|>B", "A", Some("B")),
            (
                "<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>",
                "A",
                Some("B"),
            ),
            (
                "A<|end|><|start|>assistant<|channel|>final<|message|>B",
                "A",
                Some("B"),
            ),
            ("analysisIs it A?assistantfinalB", "Is it A?", Some("B")),
            (
                "Here is my thought process: A? Here is my response: B",
                "A?",
                Some("B"),
            ),
            ("<think>A</think><answer> B </answer>", "A", Some("B")),
            (
                "<think>A</think>It is <|begin_of_box|>B<|end_of_box|>.",
                "A",
                Some("B"),
            ),
            (
                "<think>A</think>\n<response>\nB\n</response>",
                "A",
                Some("B"),
            ),
            ("<response>B</response>", "", Some("<response>B</response>")),
            ("<answer>B", "", Some("B")),
            ("<answer>A</answer> No. <answer>B</answer>", "", Some("B")),
            ("<think>a</think>5<think>b</think>", "a\n\nb", Some("5")),
            ("5 <think>a</think>", "a", Some("5")),
            ("Sure. <think>A</think> B", "A", Some("Sure.  B")),
            ("<think>\n<think>\nA</think>B", "<think>\nA", Some("B")),
            (
                "<think>a<think>b</think>c</think>d",
                "<think>a<think>b</think>c",
                Some("d"),
            ),
            (
                "<think>a <reasoning>b</reasoning> A",
                "a <reasoning>b</reasoning> A",
                None,
            ),
            ("<think>a</thought>B", "a", Some("B")),
            ("<think>The answer is A", "The answer is A", None),
            ("<think>A</think>\n", "A", None),
            ("<think></think>", "", None),
            (
                "<|channel|>analysis<|message|>The answer is A",
                "The answer is A",
                None,
            ),
            (
                "<think>So <answer>B</answer>",
                "So <answer>B</answer>",
                Some("B"),
            ),
            (
                "<think>I put it in <answer> tags. A",
                "I put it in <answer> tags. A",
                None,
            ),
            (
                "The mark `<think>` begins it.",
                "",
                Some("The mark `<think>` begins it."),
            ),
            (
                "Write <think> and </think> around it.",
                "",
                Some("Write <think> and </think> around it."),
            ),
            ("The sign says <think>.", "", Some("The sign says <think>.")),
        ];
        for (reply, thought, answer) in cases {
            let parted = split_reply(reply);
            assert_eq!(parted.thought(), thought, "{reply}");
            let said = parted.answered().then(|| parted.answer());
            assert_eq!(said, answer, "{reply}");
        }
    }

    #[test]
    fn a_judge_keeps_all_its_words_and_a_reader_its_only_answer() {
        let judged = split_reply("<think>3</think>Colour: <|begin_of_box|>5<|end_of_box|>\n");
        assert_eq!(judged.words(), "Colour: 5");
        let plain = "<answer>Colour: 5</answer>\n";
        assert_eq!(
            (split_reply(plain).words(), split_reply(plain).answer()),
            (plain, "Colour: 5")
        );
        assert_eq!(
            split_reply("<think>\nhm</think>\n\nColour: 5\n").words(),
            "Colour: 5\n"
        );
        let read = split_reply("<answer>OPEN</answer> and <answer>DAILY</answer>");
        assert_eq!((read.reading(), read.answer()), ("OPEN and DAILY", "DAILY"));
        assert_eq!(
            split_reply("I read: <answer>OPEN</answer>").reading(),
            "OPEN"
        );
        assert!(split_reply("I read: <answer>OPEN</answer>").has_more_words());
        assert!(!split_reply("<answer>OPEN</answer>").has_more_words());
    }

    proptest! {
        #[test]
        fn any_reply_is_parted_without_panic(
            reply in "([a-c é字`\"\n.]|<think>|</think>|<thought>|</thought>|\\[THINK\\]|\\[/THINK\\]|<unused9>|<unused9>thought|\
                      <answer>|</answer>|<\\|channel\\|>final|<\\|channel\\|>analysis|<\\|message\\|>|<\\|end\\|>|◁think▷|◁/think▷|\
                      analysis|assistantfinal|<\\|begin_of_box\\|>|<\\|end_of_box\\|>){0,24}",
        ) {
            let parted = split_reply(&reply);
            prop_assert!(parted.words().len() <= reply.len() + 1);
            prop_assert!(parted.answered() || parted.words().trim().is_empty());
        }
    }
}

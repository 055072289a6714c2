//! Words that announce the answer of a multiple-choice question, in several languages.

use regex::Regex;
use std::sync::LazyLock;

/// Words that an answer follows.
#[derive(Debug)]
pub(super) struct Lead {
    /// The words.
    pub pattern: Option<Regex>,
    /// A label, a heading or a box rather than a sentence.
    pub label: bool,
    /// The sentence must end after the letter.
    pub ends: bool,
    /// The letters of options may be in lower case.
    pub small: bool,
    /// The answer is in the same line.
    pub one_line: bool,
}

fn lead(pattern: &str) -> Lead {
    Lead {
        pattern: Regex::new(pattern).ok(),
        label: false,
        ends: false,
        small: false,
        one_line: false,
    }
}

fn label(pattern: &str) -> Lead {
    Lead {
        label: true,
        ..lead(pattern)
    }
}

/// What an answer is called; a verb or a mark of [`LABELS`] follows.
pub(super) static NOUNS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:answers?|ans|choice|option|selection|conclusion|verdict|prediction|pick|(?:best|closest|right|correct|only|better)\s+(?:match|fit|guess|candidate)|antwort|lösung|réponse|respuesta|resposta|risposta|jawaban(?:nya)?|cevap|odpowiedź|ответ(?:ом)?|đáp án)\b|คำตอบ",
    )
    .ok()
});

/// What is between [`NOUNS`] and an answer: marks of a label, the end of a heading, the border of a cell, or
/// a verb.
pub(super) static LABELS: LazyLock<[Lead; 4]> = LazyLock::new(|| {
    [
        label(r"[:=：]|->|→|⇒|\s[-–—]\s"),
        lead(
            r"(?i)\b(?:is|was|would be|should be|must be|has to be|will be|can only be|could only be|seems to be|appears to be|becomes|ist|lautet|est|es|é|è|là|adalah)\b|['’]s\b|คือ|\s[–—]\s|→",
        ),
        label(r"[\x22'*_`]*[ \t]*\r?\n\s*"),
        Lead {
            one_line: true,
            ..label(r"[\x22'*_`]*[ \t]*\|[ \t]*")
        },
    ]
});

/// Other words that an answer follows.
pub(super) static LEADS: LazyLock<Vec<Lead>> = LazyLock::new(|| {
    vec![
        Lead {
            small: true,
            ..label(r"\bf?boxed\s*\{")
        },
        lead(r"(?i)\b(?:must|has to|have to|can only|should|could only|needs to)\s+be\b"),
        lead(
            r"(?i)\b(?:so|thus|therefore|hence|consequently|then|which means|means|conclude|clear(?:ly)?|overall|in conclusion|in short|finally)\b[,:]?\s+(?:(?:that|then)\s+)*(?:it|this|that)(?:['’]s|\s+is|\s+was)\b",
        ),
        Lead {
            ends: true,
            ..lead(
                r"(?:所以|因此|故|综上|綜上|따라서|그러므로|よって|したがって)[,、]?\s*(?:就?是|为|為)?",
            )
        },
        Lead {
            ends: true,
            ..lead(r"(?i)\b(?:so|thus|therefore|hence|overall|in conclusion|in short)\b[,:]?\s")
        },
        lead(r"(?i)\b(?:leaves|leaving)\b(?:\s+(?:us|me|you))?(?:\s+with)?"),
        lead(
            r"(?i)\b(?:choose|chose|pick|picked|select|selected|go(?:ing)? with|went with|opt(?:ing)? for|settle on|vote for)\b",
        ),
        lead(
            r"(?i)\b(?:I|we)(?:['’](?:d|ll|m)|\s+(?:would|will|can|must|have to|should|therefore|thus|then|now|finally))*\s+(?:say|answer|guess|conclude(?: that)?(?: it is| it['’]s)?|(?:think|believe)(?: that)? it(?: is|['’]s))\b",
        ),
        // Chinese, Japanese, Korean; the last three characters of a clause tell whether 选 is denied.
        lead(
            r"(?:答案|結論|结论|正解|正答|答え|解答|回答|正しいもの|정답|답안|답|정답지)\s*(?:选项|選項|번호)?(?:应该|應該|应|應|就|显然|可能|一定|只能|必须|必然|当然|最有可能|最可能|才|便|还|也|的)*\s*(?:是|为|為|选|選|即|乃|:|=|は|が|として|은|는|이|으로)*",
        ),
        lead(
            r"(?:选项|選項|选择|選擇|選択肢|선택지|선택|보기)\s*(?:应该|应|就|显然|只能|的)*(?:是|为|為|:|は|은|는|이)",
        ),
        lead(
            r"(?:正确|正確|对|最合适|最符合|符合)的(?:就|应该|应|才)?(?:是|为|為)|正しい(?:の|もの)は|(?:옳은|올바른|맞는)\s?(?:것|건)[은는]?",
        ),
        lead(r"(?:选|選)(?:择的是|择了|的是|擇|择|了|取|定)?"),
    ]
});

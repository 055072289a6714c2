//! VIEScore from a judge's replies, as `viescore/utils.py` and `viescore/__init__.py` of Step1X-Edit (commit
//! 570eba6) read them, or strictly.
//!
//! What the official way does besides reading a JSON object with a list `score`:
//!
//! - It takes the text between two `||V^=^V||`, or else the text from the first `{` to the last `}`. It
//!   deletes line feeds (`1⏎0` is 10), and makes a single value a list. The last value of a repeated key
//!   counts, `true` is 1, and `NaN` makes the score NaN. Neither the range nor the number of scores is
//!   checked.
//! - JSON that cannot be read is repaired by two substitutions, which help with unquoted words and little
//!   else. The result is not checked.
//! - In a first round a reply without such braces may be a list of two whole numbers or one number from 0 to
//!   10, in any form that Python's `int()` takes. In later rounds it is a random guess, even if it is a clean
//!   list.
//! - While one of the two replies fails, both questions are asked again, and both new replies count. An
//!   exception (a score that is not a number, an empty list, the root of a negative number) has the picture
//!   judged again, from a first round.

use crate::python::json::{loads, loads_once};
use crate::python::str::int;
use crate::python::value::Value;
use crate::python::whitespace::strip;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The scores of one output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct VieScore {
    /// Semantic consistency: the least of the judge's scores.
    pub sc: f64,
    /// Perceptual quality: the least of the judge's scores.
    pub pq: f64,
    /// √(SC · PQ).
    pub overall: f64,
    /// The least and the greatest of all scores that were taken, whether they shape the result or not.
    pub least: f64,
    pub most: f64,
    /// Which pair of replies was taken, from 1.
    pub round: usize,
}

/// The result of the official script for one reply.
#[derive(Debug, Clone, PartialEq)]
enum Read {
    /// The value under `score`, which may not be numbers.
    Score(Value),
    /// `False`: both questions are asked again.
    Failed(String),
    /// An exception at once. The output is then judged again, from a first round.
    Raised(String),
    /// Something without scores. It raises the exception only after both replies are read.
    Useless(String),
    /// The official script draws a score at random.
    Guessed,
}

/// The delimiter between which the official script looks for JSON first.
const DELIMITER: &str = "||V^=^V||";

/// VIEScore as the official script computes it. `rounds` are the pairs of replies (SC, PQ) in the order of
/// the calls. While one of a pair cannot be read, both questions are asked again. If the official script
/// would guess at random, there is no score.
///
/// # Errors
/// Fails if there is no score, with the reason.
pub(super) fn official(rounds: &[(&str, &str)]) -> Result<VieScore, String> {
    let mut last = "there is no pair of replies".to_owned();
    let mut later = false;
    for (index, (sc, pq)) in rounds.iter().enumerate() {
        let (sc, pq) = (read_reply(sc, later), read_reply(pq, later));
        later = true;
        let raised = |read: &Read| match read {
            Read::Raised(why) => Some(why.clone()),
            _ => None,
        };
        if let Some(why) = raised(&sc).or_else(|| raised(&pq)) {
            (last, later) = (why, false);
            continue;
        }
        let failed = |what: &str, read: &Read| match read {
            Read::Failed(why) => Some(format!("{what}: {why}")),
            _ => None,
        };
        if let Some(why) = failed("SC", &sc).or_else(|| failed("PQ", &pq)) {
            last = why;
            continue;
        }
        match both_scores(&sc, &pq) {
            Ok(Some(both)) => return combine_scores(both, index + 1),
            Ok(None) => return Err(GUESS.to_owned()),
            Err(why) => (last, later) = (why, false),
        }
    }
    Err(last)
}

const GUESS: &str =
    "a later reply has no braces: the official script would guess a score at random here";

/// Both scores. `None` if one is a guess.
///
/// # Errors
/// Fails if Python raises an error, with the reason.
fn both_scores(sc: &Read, pq: &Read) -> Result<Option<(Number, Number)>, String> {
    let value = |what: &str, read: &Read| match read {
        Read::Score(score) => match least_score(score) {
            Ok(value) => Ok(Some(value)),
            Err(why) => Err(format!("{what}: {why}")),
        },
        Read::Useless(why) => Err(format!("{what}: {why}")),
        Read::Failed(_) | Read::Raised(_) | Read::Guessed => Ok(None),
    };
    let (sc, pq) = (value("SC", sc)?, value("PQ", pq)?);
    let (Some(sc), Some(pq)) = (sc, pq) else {
        return Ok(None);
    };
    let product = sc.value * pq.value;
    if product < 0.0 {
        return Err("the root of a negative number".to_owned());
    }
    let whole = sc.whole && pq.whole && product.is_infinite();
    let beyond = |a: Number, b: Number| a.whole && a.value.is_infinite() && !b.whole;
    if whole || beyond(sc, pq) || beyond(pq, sc) {
        return Err("a whole number beyond a double".to_owned());
    }
    Ok(Some((sc, pq)))
}

fn combine_scores((first, second): (Number, Number), round: usize) -> Result<VieScore, String> {
    let (sc, pq) = (first.value, second.value);
    let overall = (sc * pq).sqrt();
    if sc.is_finite() && pq.is_finite() && overall.is_finite() {
        Ok(VieScore {
            sc,
            pq,
            overall,
            least: sc.min(pq),
            most: first.most.max(second.most),
            round,
        })
    } else {
        Err(format!(
            "SC = {sc}, PQ = {pq}: officially such a score makes every mean {overall}"
        ))
    }
}

/// A Python number.
#[derive(Clone, Copy)]
struct Number {
    value: f64,
    /// An int or a bool.
    whole: bool,
    /// The greatest number of the list whose least number this is.
    most: f64,
}

/// Python's `min(score)`. With NaN, the result depends on the order, as in Python.
fn least_score(score: &Value) -> Result<Number, String> {
    let Value::List(values) = score else {
        return Err("`score` is not a list of numbers".to_owned());
    };
    let mut least: Option<Number> = None;
    let mut most = f64::NEG_INFINITY;
    for value in values {
        let number = match value {
            Value::Bool(flag) => Some((f64::from(u8::from(*flag)), true)),
            // It is infinite if it is too large for a double.
            Value::Int(digits) => digits.parse().ok().map(|value| (value, true)),
            Value::Float(value) => Some((*value, false)),
            _ => None,
        };
        let (value, whole) = number.ok_or("`score` has an element that is not a number")?;
        most = most.max(value);
        let number = Number { value, whole, most };
        if least.is_none_or(|known| number.value < known.value) {
            least = Some(number);
        }
    }
    let least = least.ok_or_else(|| "`score` is an empty list".to_owned())?;
    Ok(Number { most, ..least })
}

/// `mllm_output_to_dict`; in a later round a reply without braces is a guess.
fn read_reply(reply: &str, later: bool) -> Read {
    if reply == "rate_limit_exceeded" {
        return Read::Useless("the reply says `rate_limit_exceeded`".to_owned());
    }
    let inside = if reply.matches(DELIMITER).count() == 2 {
        text_between(
            reply,
            reply.find(DELIMITER).map(|at| at + DELIMITER.len()),
            reply.rfind(DELIMITER),
        )
    } else {
        let (start, end) = (reply.find('{'), reply.rfind('}').map(|at| at + 1));
        if start.is_none() || end.is_none() {
            return if later {
                Read::Guessed
            } else {
                read_bare(reply)
            };
        }
        text_between(reply, start, end)
    };
    match inside {
        Some(inside) => read_object(&strip(inside).replace('\n', "")),
        None => Read::Failed("there is nothing between the delimiters".to_owned()),
    }
}

/// The text between two offsets. It is empty if they are in the wrong order. `None` if they are equal.
fn text_between(reply: &str, start: Option<usize>, end: Option<usize>) -> Option<&str> {
    let (start, end) = (start?, end?);
    (start != end).then(|| reply.get(start..end).unwrap_or_default())
}

/// A first reply without braces: a list of two whole numbers, or one number from 0 to 10.
fn read_bare(reply: &str) -> Read {
    static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\[\d+, ?\d+\]$").ok());
    let list = match (reply.find('['), reply.rfind(']')) {
        (Some(start), Some(end)) => reply.get(start..=end).unwrap_or_default(),
        _ => "",
    };
    if PAIR.as_ref().is_some_and(|pair| pair.is_match(list)) {
        return match loads(list) {
            Some(list) => Read::Score(list),
            None => Read::Raised(format!("the list {list} is not JSON")),
        };
    }
    match int(reply) {
        Some(value) if (0.0..=10.0).contains(&value) => {
            Read::Score(Value::List(vec![Value::Int(value.to_string())]))
        }
        _ => Read::Failed(
            "it has neither an object nor a list of two numbers nor one from 0 to 10".to_owned(),
        ),
    }
}

/// The `score` of a JSON text; where that fails, of the text as the official script repairs it, unchecked.
fn read_object(text: &str) -> Read {
    if let Some(score) = loads(text).as_ref().and_then(|value| value.get("score")) {
        return Read::Score(match score {
            Value::List(_) => score.clone(),
            one => Value::List(vec![one.clone()]),
        });
    }
    match loads(&repair_json(text)) {
        // The script takes `false` for a failure.
        None | Some(Value::Bool(false)) => {
            Read::Failed("its JSON can be neither read nor repaired".to_owned())
        }
        Some(value) => match value.get("score") {
            Some(score) => Read::Score(score.clone()),
            None => Read::Useless("its JSON has no `score`".to_owned()),
        },
    }
}

/// `fix_json`: quotes words before colons, then wraps the values. Numbers get brackets, and everything except
/// true, false and null gets quotes.
fn repair_json(text: &str) -> String {
    static PATTERNS: LazyLock<Option<[Regex; 4]>> = LazyLock::new(|| {
        let compile = |pattern| Regex::new(pattern).ok();
        Some([
            compile(r"(\w+):")?,
            compile(r#"(".*?"):(.*?)(,|\})"#)?,
            compile(r"^-?\d+(\.\d+)?$")?,
            compile(r"^(?i)(true|false|null)$")?,
        ])
    });
    let Some([word, pair, number, constant]) = PATTERNS.as_ref() else {
        return text.to_owned();
    };
    let quoted = word.replace_all(text, "\"$1\":");
    let wrap = |found: &Captures<'_>| {
        let value = strip(&found[2]);
        let value = if number.is_match(value) {
            format!("[{value}]")
        } else if constant.is_match(value) {
            value.to_owned()
        } else {
            format!("\"{value}\"")
        };
        format!("{}: {value}{}", &found[1], &found[3])
    };
    pair.replace_all(&quoted, wrap).into_owned()
}

/// VIEScore from replies that are exactly as asked: a JSON object whose `score` is a list of two numbers from
/// 0 to 10. The first such pair counts.
///
/// # Errors
/// Fails if there is no such pair. The error says what is wrong with the last pair.
pub(super) fn strict(rounds: &[(&str, &str)]) -> Result<VieScore, String> {
    let mut last = "there is no pair of replies".to_owned();
    for (index, (sc, pq)) in rounds.iter().enumerate() {
        match (as_asked(sc), as_asked(pq)) {
            (Ok(sc), Ok(pq)) => return combine_scores((sc, pq), index + 1),
            (Err(why), _) => last = format!("SC: {why}"),
            (_, Err(why)) => last = format!("PQ: {why}"),
        }
    }
    Err(last)
}

fn as_asked(reply: &str) -> Result<Number, String> {
    let inside = match (reply.find('{'), reply.rfind('}')) {
        (Some(start), Some(end)) if start < end => reply.get(start..=end).unwrap_or_default(),
        _ => return Err("it has no JSON object".to_owned()),
    };
    let read =
        loads_once(inside, "score").ok_or("its JSON cannot be read, or has `score` twice")?;
    let Some(Value::List(list)) = read.get("score") else {
        return Err("its JSON has no list `score`".to_owned());
    };
    let number = |value: &Value| {
        let number = match value {
            Value::Int(digits) => digits.parse().ok()?,
            Value::Float(value) => *value,
            _ => return None,
        };
        (0.0..=10.0).contains(&number).then_some(number)
    };
    match list
        .iter()
        .map(number)
        .collect::<Option<Vec<f64>>>()
        .as_deref()
    {
        Some([first, second]) => Ok(Number {
            value: first.min(*second),
            whole: false,
            most: first.max(*second),
        }),
        _ => Err("`score` is not a list of two numbers from 0 to 10".to_owned()),
    }
}

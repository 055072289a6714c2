//! How long a server's model stays available, as the server's list of models says (`shutdown_date`).

use super::settings::{JudgeSettings, Judging};
use crate::cancel::Cancel;
use crate::remote::{Chat, ChatSettings};
use crate::text::count::counted;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde_json::Value;

/// The program warns if the end is at most this many days away.
const NEAR: i64 = 45;

/// The longest wait for a server whose model is only looked up, in seconds.
const LOOK: f64 = 10.0;

/// What a server says about the end of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// The server says nothing about the end.
    Open,
    /// The server gives a text that is not a date.
    Malformed(String),
    /// The last day, and the number of days until then. The number is negative after that day.
    Ends { date: Date, days: i64 },
}

impl Lifetime {
    /// Reads a model's entry; `today` is the day in UTC.
    pub(super) fn read(entry: Option<&Value>, today: Date) -> Self {
        let value = entry.map_or(&Value::Null, |entry| &entry["shutdown_date"]);
        let text = match value {
            Value::Null => return Self::Open,
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let Ok(date) = text.parse::<Date>() else {
            return Self::Malformed(text);
        };
        let span = today.until((Unit::Day, date));
        match span {
            Ok(span) => Self::Ends {
                date,
                days: span.get_days().into(),
            },
            Err(_) => Self::Malformed(text),
        }
    }

    pub(super) fn days(&self) -> Option<i64> {
        match self {
            Self::Ends { days, .. } => Some(*days),
            Self::Open | Self::Malformed(_) => None,
        }
    }

    /// What a reader of the numbers must know. `None` if the end is far away or unknown.
    pub(super) fn note(&self, model: &str) -> Option<String> {
        match self {
            Self::Ends { date, days } if *days < 0 => Some(format!(
                "the judge {model} was to be shut down on {date} and may be answered by another model"
            )),
            Self::Ends { date, days } if *days <= NEAR => Some(format!(
                "the judge {model} is to be shut down on {date}, and cannot be asked again after that"
            )),
            _ => None,
        }
    }
}

/// Today, in UTC.
pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// What is known about a judge on a server before it is asked a question, as lines of text. There are no
/// lines for a judge in this process.
pub(super) fn look(settings: &JudgeSettings, cancel: &Cancel) -> Vec<String> {
    if settings.backend != Judging::Server {
        return Vec::new();
    }
    let model = &settings.server.model;
    if model.is_empty() {
        return vec!["judge: there is no model; set `model` under [observe.judge.server]".into()];
    }
    let quick = ChatSettings {
        timeout_seconds: settings.server.timeout_seconds.min(LOOK),
        ..settings.server.clone()
    };
    let told = |what: &dyn std::fmt::Display| vec![format!("judge {model}: {what}")];
    let chat = match Chat::new(&quick) {
        Ok(chat) => chat,
        Err(what) => return told(&format!("[observe.judge.server]: {what}")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let listed = match runtime {
        Ok(runtime) => runtime.block_on(chat.look_up_model(model, cancel)),
        Err(error) => return told(&error),
    };
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return told(&error),
    };
    let server = chat.server();
    let mut lines = told(&match listed.listed {
        Some(true) => format!("listed by {server}"),
        Some(false) => format!("{server} does not list it"),
        None => format!("{server} lists no models"),
    });
    match Lifetime::read(listed.entry.as_ref(), today()) {
        Lifetime::Open => {}
        Lifetime::Malformed(text) => {
            lines.push(format!("  its `shutdown_date` is not a date: {text:?}"));
        }
        ends @ Lifetime::Ends { date, days } => lines.push(match ends.note(model) {
            Some(note) => format!("  warning: {note} ({})", days_in_words(days)),
            None => format!("  it is to be shut down on {date}, {}", days_in_words(days)),
        }),
    }
    lines
}

/// A number of days from today, in words.
fn days_in_words(days: i64) -> String {
    let count = usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX);
    match days {
        0 => "today".into(),
        1.. => format!("{} from today", counted(count, "day")),
        _ => format!("{} ago", counted(count, "day")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lifetime_until(value: Value) -> Lifetime {
        let today = Date::constant(2026, 11, 30);
        Lifetime::read(Some(&json!({"id": "m", "shutdown_date": value})), today)
    }

    #[test]
    fn days_are_counted_over_the_ends_of_months_and_years() {
        for (date, days) in [
            ("2026-12-10", 10),
            ("2027-01-14", 45),
            ("2027-01-15", 46),
            ("2026-11-30", 0),
            ("2026-11-29", -1),
            ("2028-11-30", 731),
        ] {
            assert_eq!(lifetime_until(json!(date)).days(), Some(days), "{date}");
        }
    }

    #[test]
    fn a_distance_is_singular_for_one_day() {
        let words = [-2, -1, 0, 1, 10].map(days_in_words);
        let expected = [
            "2 days ago",
            "1 day ago",
            "today",
            "1 day from today",
            "10 days from today",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn only_a_near_end_is_told() {
        let note = |value| lifetime_until(value).note("m").unwrap_or_default();
        assert!(note(json!("2027-01-14")).contains("is to be shut down on 2027-01-14"));
        assert!(note(json!("2026-11-30")).contains("is to be shut down"));
        assert!(note(json!("2026-11-01")).contains("may be answered by another model"));
        for silent in [
            json!("2027-01-15"),
            json!(null),
            json!("soon"),
            json!(1_800_000_000),
            json!({"on": "2026-12-01"}),
            json!("2026-02-30"),
        ] {
            assert_eq!(note(silent.clone()), "", "{silent}");
        }
        assert_eq!(
            Lifetime::read(None, Date::constant(2026, 11, 30)),
            Lifetime::Open
        );
        assert_eq!(
            lifetime_until(json!("soon")),
            Lifetime::Malformed("soon".into())
        );
    }
}

//! Which OCR engine reads the texts of a suite's pictures: the choice on the command line and its name in tables.

use crate::commands::failure::Failure;
use crate::config::{Settings, SuiteFile};
use crate::observe;

/// An OCR observer of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// The observer's name.
    pub observer: String,
    /// The engine's name for tables, with its version.
    pub title: String,
}

/// The OCR observers of a suite, in its order. Observers that this version has not are passed over.
///
/// # Errors
/// When an observer's options have mistakes.
pub fn engines(suite: &SuiteFile) -> Result<Vec<Engine>, Failure> {
    let mut engines = Vec::new();
    for observer in &suite.observers {
        let settings = suite.observe.get(observer).cloned().unwrap_or_default();
        if let Some(title) = observe::engine(observer, &settings)? {
            engines.push(Engine {
                observer: observer.clone(),
                title,
            });
        }
    }
    Ok(engines)
}

/// Puts other OCR observers in the place of the suite's own. Options of one that stays are kept.
///
/// # Errors
/// When the suite has none to replace, or one of the others reads no text.
pub fn read_by(suite: &mut SuiteFile, own: &[Engine], others: &[String]) -> Result<(), Failure> {
    let Some(first) = own.first() else {
        return Err(Failure::usage(
            format!(
                "no OCR observer of the suite `{}` can be replaced",
                suite.name
            ),
            match &suite.observers[..] {
                [] => "it has no observers: its rule reads the outputs themselves".into(),
                names => format!("it is looked at by {}", names.join(", ")),
            },
        ));
    };
    for other in others {
        if !readers().contains(&other.as_str()) {
            return Err(Failure::usage(
                format!("`{other}` is no OCR observer"),
                format!("those that read texts: {}", readers().join(", ")),
            ));
        }
    }
    let at = suite
        .observers
        .iter()
        .position(|name| *name == first.observer);
    suite
        .observers
        .retain(|name| !own.iter().any(|engine| engine.observer == *name));
    let at = at.unwrap_or_default().min(suite.observers.len());
    let mut added: Vec<String> = Vec::new();
    for other in others {
        if !added.contains(other) && !suite.observers.contains(other) {
            added.push(other.clone());
        }
    }
    suite.observers.splice(at..at, added);
    let observers = &suite.observers;
    suite.observe.retain(|name, _| observers.contains(name));
    Ok(())
}

fn readers() -> Vec<&'static str> {
    let none = Settings::default();
    let reads = |name: &&str| observe::engine(name, &none).is_ok_and(|engine| engine.is_some());
    observe::NAMES.iter().copied().filter(reads).collect()
}

/// `read by PP-OCRv6 and Qwen2.5-VL`, for a row's name.
pub fn said(engines: &[Engine]) -> String {
    let titles: Vec<&str> = engines.iter().map(|engine| engine.title.as_str()).collect();
    format!("read by {}", titles.join(" and "))
}

/// Settings that say where an engine is found, which its name tells, and how patiently it is asked.
const PLACES: [&str; 12] = [
    "api_key_env",
    "base_url",
    "checkpoint",
    "detection_model",
    "dictionary",
    "max_attempts",
    "model",
    "models",
    "recognition_model",
    "requests_per_minute",
    "runtime",
    "timeout_seconds",
];

/// Whether `observe.OBSERVER.KEY=VALUE` says nothing of how an engine reads.
pub fn is_place(assignment: &str) -> bool {
    let key = assignment.split('=').next().unwrap_or_default();
    key.trim().starts_with("observe.")
        && key
            .rsplit('.')
            .next()
            .is_some_and(|last| PLACES.contains(&last.trim()))
}

/// What the name of a run's folder ends in.
pub fn suffix(engines: &[Engine]) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || c == '.' {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    engines
        .iter()
        .map(|engine| {
            let name: String = engine.title.chars().map(plain).take(40).collect();
            format!("-{}", name.trim_end_matches('-'))
        })
        .collect()
}

//! Which OCR engine reads the texts in a suite's pictures: the choice of the user, and its name in tables.

use super::SessionError;
use crate::config::{Settings, SuiteFile};
use crate::observe;

/// An OCR observer of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcrEngine {
    /// The observer's name.
    pub observer: String,
    /// The engine's name for tables, with its version.
    pub title: String,
}

/// The OCR observers of a suite, in its order. It skips observers that this version does not have.
///
/// # Errors
/// Fails if an observer's options have mistakes.
pub(super) fn ocr_engines(suite: &SuiteFile) -> Result<Vec<OcrEngine>, SessionError> {
    let mut engines = Vec::new();
    for observer in &suite.observers {
        let settings = suite.observe.get(observer).cloned().unwrap_or_default();
        let Some(kind) = observe::find(observer) else {
            continue;
        };
        if let Some(title) = (kind.engine)(&settings)? {
            engines.push(OcrEngine {
                observer: observer.clone(),
                title,
            });
        }
    }
    Ok(engines)
}

/// Replaces the suite's own OCR observers by others. An observer that stays keeps its options.
///
/// # Errors
/// Fails if the suite has none to replace, or one of the others reads no text.
pub(super) fn replace_engines(
    suite: &mut SuiteFile,
    own: &[OcrEngine],
    others: &[String],
) -> Result<(), SessionError> {
    let Some(first) = own.first() else {
        return Err(SessionError::NoEngine {
            suite: suite.name.clone(),
            help: match &suite.observers[..] {
                [] => "it has no observers: its rule reads the outputs themselves".into(),
                names => format!("its observers are {}", names.join(", ")),
            },
        });
    };
    let readers = text_readers();
    if let Some(other) = others
        .iter()
        .find(|other| !readers.contains(&other.as_str()))
    {
        return Err(SessionError::NotAnEngine {
            observer: other.clone(),
            readers: readers.join(", "),
        });
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

/// The observers that read texts.
fn text_readers() -> Vec<&'static str> {
    let none = Settings::default();
    let reads = observe::OBSERVERS
        .iter()
        .filter(|kind| (kind.engine)(&none).is_ok_and(|engine| engine.is_some()));
    reads.map(|kind| kind.name).collect()
}

/// `read by PP-OCRv6 and Qwen2.5-VL`, for a row's name.
pub(super) fn engines_phrase(engines: &[OcrEngine]) -> String {
    let titles: Vec<&str> = engines.iter().map(|engine| engine.title.as_str()).collect();
    format!("read by {}", titles.join(" and "))
}

/// Whether `observe.OBSERVER.KEY=VALUE` says nothing about how an engine reads: it says where the engine is,
/// which its name tells already, or how patiently it is asked.
pub(super) fn is_place_setting(assignment: &str) -> bool {
    let key = assignment.split('=').next().unwrap_or_default();
    let last = key.rsplit('.').next().unwrap_or_default().trim();
    key.trim().starts_with("observe.")
        && observe::OBSERVERS
            .iter()
            .any(|kind| kind.places.contains(&last))
}

/// The end of the name of a run folder.
pub(super) fn run_name_suffix(engines: &[OcrEngine]) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    engines
        .iter()
        .map(|engine| {
            let name: String = engine.title.chars().map(plain).take(40).collect();
            format!("-{}", name.trim_end_matches('-'))
        })
        .collect()
}

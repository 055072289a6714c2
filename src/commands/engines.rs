//! Which OCR engine reads the texts of a suite's pictures: the choice on the command line and its name in tables.

use super::failure::Failure;
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
        let Some(kind) = observe::find(observer) else {
            continue;
        };
        if let Some(title) = (kind.engine)(&settings)? {
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
                names => format!("its observers are {}", names.join(", ")),
            },
        ));
    };
    for other in others {
        if !readers().contains(&other.as_str()) {
            return Err(Failure::usage(
                format!("`{other}` is not an OCR observer"),
                format!("the observers that read texts are {}", readers().join(", ")),
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
    let reads = observe::OBSERVERS
        .iter()
        .filter(|kind| (kind.engine)(&none).is_ok_and(|engine| engine.is_some()));
    reads.map(|kind| kind.name).collect()
}

/// `read by PP-OCRv6 and Qwen2.5-VL`, for a row's name.
pub fn said(engines: &[Engine]) -> String {
    let titles: Vec<&str> = engines.iter().map(|engine| engine.title.as_str()).collect();
    format!("read by {}", titles.join(" and "))
}

/// Whether `observe.OBSERVER.KEY=VALUE` says nothing of how an engine reads: it says where the engine is found, which its name
/// tells, or how patiently it is asked.
pub fn is_place(assignment: &str) -> bool {
    let key = assignment.split('=').next().unwrap_or_default();
    let last = key.rsplit('.').next().unwrap_or_default().trim();
    key.trim().starts_with("observe.")
        && observe::OBSERVERS
            .iter()
            .any(|kind| kind.places.contains(&last))
}

/// What the name of a run's folder ends in.
pub fn suffix(engines: &[Engine]) -> String {
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

//! The library as another program uses it: what the examples do.

#[allow(dead_code, reason = "the test is the main function here")]
#[path = "../../examples/grade_folder.rs"]
mod grade_folder;
#[allow(dead_code, reason = "the test is the main function here")]
#[path = "../../examples/run_suite.rs"]
mod run_suite;

use crate::support::{model, stderr, text_suite, unigauge};
use miette::Diagnostic;
use std::fs;
use std::sync::{Arc, Mutex};
use unigauge::config::Settings;
use unigauge::run::{Event, Listener};
use unigauge::session::{
    GradeOverride, ItemSelection, LooseFiles, RunRequest, Session, SessionError, SessionListener,
    SessionOptions, read_outcomes,
};

#[test]
fn the_example_of_a_suite_prints_its_table() {
    let out = tempfile::tempdir().unwrap();
    let table = run_suite::tables_of("mini-geneval", &["world".into()], out.path()).unwrap();
    assert!(table.contains("Mini-GenEval"), "{table}");
    assert!(
        out.path()
            .join("mini-geneval/world/seed0/summary.json")
            .is_file()
    );
}

#[test]
fn the_example_of_a_folder_scores_what_another_run_made() {
    let out = tempfile::tempdir().unwrap();
    let request = RunRequest {
        select: ItemSelection {
            limit: Some(12),
            ..ItemSelection::default()
        },
        ..RunRequest::new("mini-geneval", out.path()).with_models(["world"])
    };
    let made = Session::default().run(&request).unwrap();
    let pictures = made[0].folder.outputs();
    let run = grade_folder::score_pictures("mini-geneval", &pictures, "theirs", out.path());
    let value =
        |run: &unigauge::session::MadeRun| run.summary.as_ref().unwrap().summary.overall.value;
    assert_eq!(value(&run.unwrap()), value(&made[0]));
}

/// Keeps what it hears.
#[derive(Default, Clone)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Listener for Kept {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

impl SessionListener for Kept {
    fn run_listener(&self, label: &str) -> Box<dyn Listener> {
        self.0.lock().unwrap().push(label.to_owned());
        Box::new(self.clone())
    }

    fn remark(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A run of four questions with the model `echo`.
fn request(dir: &std::path::Path) -> RunRequest {
    let suite = text_suite(dir, 4);
    let echo = model(dir, "echo", "echo", "");
    RunRequest::new(suite.to_str().unwrap(), dir.join("results"))
        .with_models([echo.to_str().unwrap()])
}

#[test]
fn a_listener_hears_the_runs_of_a_session() {
    let dir = tempfile::tempdir().unwrap();
    let kept = Kept::default();
    let session = Session::new(SessionOptions {
        listener: Arc::new(kept.clone()),
        offline: true,
        ..SessionOptions::default()
    });
    let request = request(dir.path());
    let made = session.run(&request).unwrap();
    assert_eq!(made[0].outcome.generated, 4);
    let heard = kept.0.lock().unwrap().clone();
    assert_eq!(heard[0], "questions/echo");
    assert_eq!(heard.last().unwrap(), "Finished");
    let generated = heard.iter().filter(|event| event.starts_with("Generated"));
    assert_eq!(generated.count(), 4);
    // Nothing is left to do the second time.
    let again = session.run(&request).unwrap();
    assert!(again[0].outcome.is_idle());
}

#[test]
fn a_run_is_graded_again_and_read_by_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::default();
    let made = session.run(&request(dir.path())).unwrap();
    let run = made[0].folder.root();
    let (_, graded) = session.grade_run(run, &GradeOverride::default()).unwrap();
    assert_eq!(graded.summary.overall.value, Some(0.5));
    assert_eq!(read_outcomes(run).unwrap().facts.scored, 4);
    let files = LooseFiles {
        suite: dir.path().join("questions.toml").display().to_string(),
        items: run.join("items.jsonl"),
        outputs: Some(run.join("outputs.jsonl")),
        evidence: None,
        model: "loose".into(),
        out: dir.path().join("graded"),
        rule: None,
        options: Settings::default(),
    };
    let loose = session.grade_loose(&files).unwrap();
    assert_eq!(loose.summary.overall.value, Some(0.5));
}

#[test]
fn errors_of_a_session_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::default();
    let without_model = RunRequest::new("longtext", dir.path());
    let error = session.run(&without_model).unwrap_err();
    assert!(matches!(error, SessionError::NoModel { .. }));
    assert!(error.help().unwrap().to_string().contains("--model"));
    let select = ItemSelection {
        only: vec!["q00".into()],
        ..ItemSelection::default()
    };
    let request = RunRequest {
        select,
        ..request(dir.path())
    };
    let error = session.run(&request).unwrap_err();
    assert_eq!(error.to_string(), "there is no item `q00`");
    assert_eq!(error.help().unwrap().to_string(), "did you mean `q0`?");
}

#[test]
fn a_manifest_of_another_version_is_read_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let made = Session::default().run(&request(dir.path())).unwrap();
    let path = made[0].folder.manifest();
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replacen(
        "\"name\": \"questions\"",
        "\"colour\": 1,\n    \"name\": \"questions\"",
        1,
    );
    assert_ne!(text, changed);
    fs::write(&path, &changed).unwrap();
    let run = made[0].folder.root().to_str().unwrap();
    let report = unigauge(dir.path()).args(["report", run]).output().unwrap();
    assert_eq!(report.status.code(), Some(0), "{}", stderr(&report));
    let graded = unigauge(dir.path()).args(["grade", run]).output().unwrap();
    assert_eq!(graded.status.code(), Some(2));
    let message = stderr(&graded);
    assert!(
        message.contains("the suite in the run's manifest cannot be read: unknown field `colour`")
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), changed);
}

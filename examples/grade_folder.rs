//! Scores a folder of pictures that somebody else made, in the official layout of a suite.
//!
//! ```text
//! cargo run --example grade_folder -- mini-geneval their-pictures their-model
//! ```

use std::path::Path;
use unigauge::session::{MadeRun, PictureFolder, PictureRequest, Session, SessionError};

/// Scores the pictures of a model; the run folder is `OUT/SUITE/MODEL/seed0`.
///
/// # Errors
/// Fails as the commands of the program fail; the message says what to do.
#[allow(unreachable_pub)] // A test includes this file.
pub fn score_pictures(
    suite: &str,
    pictures: &Path,
    model: &str,
    out: &Path,
) -> Result<MadeRun, SessionError> {
    let session = Session::default();
    let request = PictureRequest::new(suite, pictures, model, out);
    let folder = PictureFolder::open(&session, &request)?;
    let inventory = folder.inventory();
    println!(
        "{} of {} pictures found",
        inventory.found, inventory.expected
    );
    folder.score(&session)
}

fn main() -> miette::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [suite, pictures, model] = &arguments[..] else {
        miette::bail!("usage: grade_folder SUITE PICTURES MODEL");
    };
    let run = score_pictures(suite, Path::new(pictures), model, Path::new("results"))?;
    if let Some(scored) = run.summary {
        let score = scored.summary.overall.value;
        println!(
            "{}: {score:?}, see {}",
            scored.model_title,
            run.folder.report().display()
        );
    }
    Ok(())
}

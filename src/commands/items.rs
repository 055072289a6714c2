//! `unigauge items`.

use super::cli::ItemsArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::config::{self, SuiteFile};
use crate::exit::Exit;
use crate::print;
use crate::run::{RunError, to_lines};
use crate::session::{ItemSelection, SelectedSuite};
use std::path::Path;

/// Prints the items of a suite.
///
/// # Errors
/// Fails if the suite or its items have mistakes, or it has no official format.
pub(super) fn items(ctx: &Context, args: &ItemsArgs) -> Result<Exit, Failure> {
    let bytes = if args.official {
        let suite = config::suite(&args.suite, Path::new(""))?.definition;
        official(&suite)
            .ok_or_else(|| {
                Failure::usage(
                    format!(
                        "`{}` has no official format that unigauge writes",
                        suite.name
                    ),
                    "leave out `--official` to print the items in the form of unigauge",
                )
            })?
            .into_bytes()
    } else {
        let selected = SelectedSuite::load(
            &ctx.session,
            &args.suite,
            Path::new(""),
            args.items.as_deref(),
            &ItemSelection::from(&args.select),
        )?;
        selected.left_out.iter().for_each(say);
        to_lines(&selected.items).map_err(|error| RunError::Invalid(error.to_string()))?
    };
    print::bytes(&bytes);
    Ok(Exit::Ok)
}

/// The benchmark's own file, where unigauge makes the items itself.
fn official(suite: &SuiteFile) -> Option<String> {
    let generator = suite.items.generator?;
    generator.official.map(|write| write())
}

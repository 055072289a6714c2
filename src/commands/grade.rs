//! `unigauge grade`.

use super::cli::GradeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say_report;
use super::summaries::{exit_of, print_summaries};
use crate::config::Settings;
use crate::exit::Exit;
use crate::session::{GradeOverride, LooseFiles};

/// Grades a run folder again, or loose files.
///
/// # Errors
/// Fails if files are absent or damaged, or the rule's options have mistakes.
pub(super) fn grade(ctx: &Context, args: &GradeArgs) -> Result<Exit, Failure> {
    let options: Vec<String> = args.set.iter().map(|option| quoted(option)).collect();
    let options = Settings::parse("--set", &options.join("\n"))?;
    let summary = match (&args.run, &args.items, &args.suite, &args.out) {
        (Some(run), ..) => {
            let replaced = GradeOverride {
                suite: args.suite.clone(),
                rule: args.rule.clone(),
                options,
            };
            let (folder, summary) = ctx.session.grade_run(run, &replaced)?;
            say_report(&folder);
            summary
        }
        (None, Some(items), Some(suite), Some(out)) => ctx.session.grade_loose(&LooseFiles {
            suite: suite.clone(),
            items: items.clone(),
            outputs: args.outputs.clone(),
            evidence: args.evidence.clone(),
            model: args.name.clone(),
            out: out.clone(),
            rule: args.rule.clone(),
            options,
        })?,
        // The parser of the command line requires one of the two.
        _ => {
            return Err(Failure::usage(
                "nothing to grade",
                "see `unigauge grade --help`",
            ));
        }
    };
    let summaries = [summary];
    print_summaries(ctx, &summaries, &[])?;
    Ok(exit_of(&summaries))
}

/// An option whose value is a bare word, such as `reward=x-omni`, with the word in quotation marks. Others
/// stay as they are.
fn quoted(option: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./".contains(character);
    match option.split_once('=') {
        Some((key, word))
            if Settings::parse("--set", option).is_err()
                && !word.trim().is_empty()
                && word.trim().chars().all(plain) =>
        {
            format!("{key}=\"{}\"", word.trim())
        }
        _ => option.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_needs_no_quotation_marks() {
        assert_eq!(quoted("reward=x-omni"), "reward=\"x-omni\"");
        assert_eq!(quoted("reward = my/own.toml"), "reward =\"my/own.toml\"");
        for same in [
            "threshold=0.4",
            "robust=true",
            "parsing='robust'",
            "list=[1]",
            "odd",
            "a=b c",
        ] {
            assert_eq!(quoted(same), same);
        }
    }
}

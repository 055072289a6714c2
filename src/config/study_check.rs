//! Loading the definition of a study, with the checks that go beyond types.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, check_name, check_plain, find};
use crate::config::metric::Metric;
use crate::config::study_factor::{CostOf, Factor};
use crate::config::study_file::StudyFile;
use crate::text::nearest::nearest;
use std::path::Path;

/// Loads a study by name or by the path of its file; a relative path starts from `from`.
///
/// # Errors
/// Fails if there is no such study or its definition has a mistake.
pub fn study(name: &str, from: &Path) -> Result<Loaded<StudyFile>, ConfigError> {
    let (document, origin) = find(Kind::Study, name, from)?;
    checked(document, origin)
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<StudyFile>, ConfigError> {
    let mut study: StudyFile = document.typed()?;
    check_name(&document, &study.name)?;
    let own = [("models", &study.models), ("suites", &study.suites)];
    for (key, names) in own {
        let may_be_empty = key == "models" && study.factor.is_some();
        names_are_good(&document, &[], key, names, may_be_empty)?;
    }
    for (at, part) in study.more.iter().enumerate() {
        let place = ["more", &at.to_string()];
        names_are_good(&document, &place, "models", &part.models, false)?;
        names_are_good(&document, &place, "suites", &part.suites, false)?;
        if study.factor.is_some() {
            let message = "a study with a factor compares only its levels: leave out `more`";
            return Err(document.mistake(&["more"], message, None));
        }
    }
    if study.repeats == Some(0) {
        return Err(document.mistake(&["repeats"], "`repeats` must be at least 1", None));
    }
    if study.seed.is_some() && !study.seeds.is_empty() {
        let message = "`seed` and `seeds` exclude each other: leave one out";
        return Err(document.mistake(&["seeds"], message, None));
    }
    if let Some(at) =
        (1..study.seeds.len()).find(|at| study.seeds[..*at].contains(&study.seeds[*at]))
    {
        let message = format!("the seed {} appears twice", study.seeds[at]);
        return Err(document.mistake(&["seeds", &at.to_string()], message, None));
    }
    locate_levels(&document, &mut study);
    check_factor(&document, &study)?;
    Ok(Loaded {
        definition: study,
        document,
        origin,
    })
}

/// Checks that a list of names is not empty and has no name twice.
fn names_are_good(
    document: &Document,
    place: &[&str],
    key: &str,
    names: &[String],
    may_be_empty: bool,
) -> Result<(), ConfigError> {
    if names.is_empty() && !may_be_empty {
        let message = format!("a study needs at least one of `{key}`");
        return Err(document.mistake(&[place, &[key]].concat(), message, None));
    }
    match (1..names.len()).find(|index| names[..*index].contains(&names[*index])) {
        Some(index) => {
            let message = format!("`{}` appears twice", names[index]);
            let number = index.to_string();
            let at = [place, &[key, &number]].concat();
            Err(document.mistake(&at, message, None))
        }
        None => Ok(()),
    }
}

/// Makes errors in the levels' options point at their lines.
fn locate_levels(document: &Document, study: &mut StudyFile) {
    let levels = study.factor.iter_mut().flat_map(|f| &mut f.levels);
    for (at, level) in levels.enumerate() {
        let index = at.to_string();
        level.settings = document.settings(&["factor", "levels", &index, "settings"]);
    }
}

/// The checks of a study's factor that go beyond types.
fn check_factor(document: &Document, study: &StudyFile) -> Result<(), ConfigError> {
    let mistake = |path: &[&str], message: &str, help: Option<String>| {
        Err(document.mistake(path, message, help))
    };
    let Some(factor) = &study.factor else {
        let only = [
            ("primary", study.primary.is_some()),
            ("cost", study.cost.is_some()),
            ("curves", !study.curves.is_empty()),
            ("training_seeds", !study.training_seeds.is_empty()),
            ("training_curves", !study.training_curves.is_empty()),
        ];
        return match only.into_iter().find(|(_, there)| *there) {
            Some((key, _)) => mistake(
                &[key],
                &format!("`{key}` requires a `[factor]` in the study"),
                None,
            ),
            None => Ok(()),
        };
    };
    if !study.models.is_empty() {
        let help = "put them into the `models` of a level".to_owned();
        return mistake(
            &["models"],
            "the models of a study with a factor belong to its levels",
            Some(help),
        );
    }
    if !study.engines.is_empty() {
        let message = "a study with a factor uses the OCR engine of the suite";
        return mistake(&["engines"], message, None);
    }
    if let Some(Metric::Groups(by)) = &study.primary {
        let message =
            format!("`{by}=*` means several numbers, but the primary metric must be one number");
        return mistake(&["primary"], &message, None);
    }
    check_levels(document, factor)?;
    check_trainings(document, study, factor)?;
    check_costs(document, study, factor)?;
    check_curves(document, study, factor)
}

fn check_levels(document: &Document, factor: &Factor) -> Result<(), ConfigError> {
    let names: Vec<&str> = factor.levels.iter().map(|l| l.name.as_str()).collect();
    if names.is_empty() {
        let message = "a factor needs at least one level";
        return Err(document.mistake(&["factor", "levels"], message, None));
    }
    let mut models = Vec::new();
    for (at, level) in factor.levels.iter().enumerate() {
        let index = at.to_string();
        let own = ["factor", "levels", &index];
        if level.name.trim().is_empty() {
            return Err(document.mistake(
                &[&own[..], &["name"]].concat(),
                "a level needs a name",
                None,
            ));
        }
        if names[..at].contains(&names[at]) {
            let message = format!("the level `{}` appears twice", level.name);
            return Err(document.mistake(&[&own[..], &["name"]].concat(), message, None));
        }
        if level.models.is_empty() && level.runs.is_empty() {
            let message = format!("the level `{}` has neither `models` nor `runs`", level.name);
            return Err(document.mistake(&own, message, None));
        }
        if level.changes_models() {
            let path = [&own[..], &["name"]].concat();
            check_plain(document, &path, &level.name)?;
            if level.models.is_empty() {
                let message = format!(
                    "the level `{}` changes models, but has no `models`",
                    level.name
                );
                return Err(document.mistake(&own, message, None));
            }
        }
        for (key, list) in [("models", &level.models), ("runs", &level.runs)] {
            // Levels may change one model each in its own way.
            if key == "models" && level.changes_models() {
                continue;
            }
            for (place, name) in list.iter().enumerate() {
                if models.contains(&(key, name)) {
                    let message = format!("`{name}` appears twice in this study");
                    let place = place.to_string();
                    let path = [&own[..], &[key, &place]].concat();
                    return Err(document.mistake(&path, message, None));
                }
                models.push((key, name));
            }
        }
    }
    check_level_name(document, &["factor", "control"], &factor.control, &names)
}

/// Settings of trainings require a level with a training.
fn check_trainings(
    document: &Document,
    study: &StudyFile,
    factor: &Factor,
) -> Result<(), ConfigError> {
    let trained = factor.levels.iter().any(|level| level.training.is_some());
    let said = [
        ("training_seeds", !study.training_seeds.is_empty()),
        ("training_curves", !study.training_curves.is_empty()),
    ];
    if let Some((key, _)) = said.into_iter().find(|(_, there)| *there && !trained) {
        let message = format!("`{key}` requires a level with a `training`");
        return Err(document.mistake(&[key], message, None));
    }
    let seeds = &study.training_seeds;
    if let Some(at) = (1..seeds.len()).find(|at| seeds[..*at].contains(&seeds[*at])) {
        let message = format!("the seed {} appears twice", seeds[at]);
        return Err(document.mistake(&["training_seeds", &at.to_string()], message, None));
    }
    Ok(())
}

/// The error for a name that is not a level.
fn check_level_name(
    document: &Document,
    path: &[&str],
    name: &str,
    levels: &[&str],
) -> Result<(), ConfigError> {
    if levels.contains(&name) {
        return Ok(());
    }
    let near = nearest(name, levels.iter().copied());
    let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let help = format!("{near}the levels are: {}", levels.join(", "));
    Err(document.mistake(path, format!("there is no level `{name}`"), Some(help)))
}

fn check_costs(document: &Document, study: &StudyFile, factor: &Factor) -> Result<(), ConfigError> {
    let measured = study
        .cost
        .as_ref()
        .is_some_and(|cost| cost.of == CostOf::Seconds);
    for (at, level) in factor.levels.iter().enumerate() {
        let Some(cost) = level.cost else { continue };
        let index = at.to_string();
        let path = ["factor", "levels", &index, "cost"];
        if !(cost >= 0.0 && cost.is_finite()) {
            return Err(document.mistake(&path, "`cost` must be a number, 0 or more", None));
        }
        if measured {
            let message = "the cost of the study is measured, so a level cannot have one";
            let help = "leave out `of = \"seconds\"` under `[cost]`, or this number".to_owned();
            return Err(document.mistake(&path, message, Some(help)));
        }
    }
    let given = factor.levels.iter().any(|level| level.cost.is_some());
    if study.cost.is_some() && !measured && !given {
        let help = "set the `cost` of the levels, or measure it: `of = \"seconds\"`".to_owned();
        return Err(document.mistake(&["cost"], "no level has a `cost`", Some(help)));
    }
    Ok(())
}

fn check_curves(
    document: &Document,
    study: &StudyFile,
    factor: &Factor,
) -> Result<(), ConfigError> {
    let names: Vec<&str> = factor.levels.iter().map(|l| l.name.as_str()).collect();
    for (at, curves) in study.curves.iter().enumerate() {
        let index = at.to_string();
        check_level_name(
            document,
            &["curves", &index, "level"],
            &curves.level,
            &names,
        )?;
        for (key, list) in [("files", &curves.files), ("values", &curves.values)] {
            if list.is_empty() {
                let message = format!("`{key}` must not be empty");
                return Err(document.mistake(&["curves", &index, key], message, None));
            }
        }
        for (place, file) in curves.files.iter().enumerate() {
            if !(file.ends_with(".csv") || file.ends_with(".jsonl")) {
                let message = format!("`{file}` is neither a .csv file nor a .jsonl file");
                let place = place.to_string();
                return Err(document.mistake(&["curves", &index, "files", &place], message, None));
            }
        }
        let earlier = &study.curves[..at];
        for (place, value) in curves.values.iter().enumerate() {
            let again = earlier
                .iter()
                .any(|other| other.level == curves.level && other.values.contains(value));
            if again || curves.values[..place].contains(value) {
                let message = format!("the level `{}` already has `{value}`", curves.level);
                let help = "put the files of several seeds into one list of `files`".to_owned();
                let place = place.to_string();
                let path = ["curves", &index, "values", &place];
                return Err(document.mistake(&path, message, Some(help)));
            }
        }
    }
    Ok(())
}

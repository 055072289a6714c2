//! Models without a TOML file: a Python file (`my_model.py`), a function in it (`my_model.py:function`), or a
//! checkpoint of the libraries diffusers and transformers (`diffusers:REPO_OR_FOLDER`). The Python package
//! `unigauge` runs each of them as the program of the generator `command`. Settings can follow the name:
//! `diffusers:REPO_OR_FOLDER,num_inference_steps=28,timeout_seconds=60`.

use super::document::Document;
use super::error::ConfigError;
use super::library::Origin;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The arguments with which Python runs such a model. The name of the model follows them.
pub const RUN_MODEL: [&str; 2] = ["-m", "unigauge._run_model"];

/// The libraries whose checkpoints the package can run.
const LIBRARIES: [&str; 2] = ["diffusers", "transformers"];

/// Settings of the generator `command` that can follow a name.
const TIMES: [&str; 3] = ["timeout_seconds", "startup_timeout_seconds", "restarts"];

/// The setting that limits the requests in a line. The library of a checkpoint is told itself.
const BATCH: &str = "batch";

/// What a name of this kind means.
#[derive(Debug, PartialEq, Eq)]
enum Named<'a> {
    File(&'a str),
    Function(&'a str, &'a str),
    /// A library, and a repository or folder.
    Checkpoint(&'a str, &'a str),
}

impl<'a> Named<'a> {
    /// `None` if the name is none of this kind.
    fn read(name: &'a str) -> Option<Self> {
        if let Some((library, place)) = name.split_once(':')
            && LIBRARIES.contains(&library)
            && !place.is_empty()
        {
            return Some(Self::Checkpoint(library, place));
        }
        if name.ends_with(".py") {
            return Some(Self::File(name));
        }
        let (file, function) = name.rsplit_once(':')?;
        (file.ends_with(".py") && !function.is_empty()).then_some(Self::Function(file, function))
    }
}

/// The definition of the model that a name of this kind means, as a TOML file would have it. `None` for any
/// other name. A relative path starts from `from`.
///
/// # Errors
/// Fails if there is no such file.
pub(super) fn find_python_model(
    name: &str,
    from: &Path,
) -> Option<Result<(Document, Origin), ConfigError>> {
    let (place, settings) = split_settings(name);
    let named = Named::read(place)?;
    Some(
        definition(&named, &settings, from).and_then(|(table, path)| {
            let text = toml::to_string(&table)
                .map_err(|error| ConfigError::new(format!("{name}: {error}"), None))?;
            let document = Document::parse(name, &text)?;
            Ok((document, Origin::File(path)))
        }),
    )
}

/// A name without the settings that follow it, and the settings, each `KEY=VALUE`. A comma within a value
/// stays there unless a further `KEY=` follows it.
fn split_settings(name: &str) -> (&str, Vec<&str>) {
    let is_setting = |&(at, _): &(usize, &str)| {
        let key = name[at + 1..].split_once('=').map(|(key, _)| key);
        key.is_some_and(|key| {
            key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    let mut starts: Vec<usize> = name
        .match_indices(',')
        .filter(is_setting)
        .map(|(at, _)| at)
        .collect();
    starts.push(name.len());
    let settings = starts
        .windows(2)
        .map(|ends| &name[ends[0] + 1..ends[1]])
        .collect();
    (&name[..starts[0]], settings)
}

fn definition(
    named: &Named<'_>,
    given: &[&str],
    from: &Path,
) -> Result<(Table, PathBuf), ConfigError> {
    let (mut name, path, run) = located(named, from);
    let is_file = !matches!(named, Named::Checkpoint(..));
    if is_file && !path.is_file() {
        return Err(ConfigError::new(
            format!("{}: there is no such file", path.display()),
            Some("check the spelling, and check that you are in the right folder".to_owned()),
        ));
    }
    let mut program = vec![python()];
    program.extend(RUN_MODEL.map(str::to_owned));
    program.push(run.clone());
    let mut settings = Table::new();
    for &setting in given {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        if TIMES.contains(&key) || (is_file && key == BATCH) {
            settings.insert(key.into(), number(key, value)?);
        } else if is_file {
            return Err(unknown_setting(&run, key));
        } else {
            // The same checkpoint with other settings is another model.
            name.push_str(&format!(" {setting}"));
            program.push(setting.to_owned());
        }
    }
    settings.insert("program".into(), texts(program));
    if path.exists() {
        settings.insert("sources".into(), texts(vec![path.display().to_string()]));
    }
    // Each further process loads the same weights onto the same device.
    settings.insert("processes".into(), Value::Integer(1));
    let mut table = Table::new();
    table.insert("name".into(), plain(&name).into());
    table.insert("title".into(), name.into());
    table.insert("description".into(), format!("{run}, run by Python").into());
    table.insert("generator".into(), "command".into());
    table.insert("settings".into(), Value::Table(settings));
    Ok((table, path))
}

/// The model's name, where it lies, and the argument by which Python runs it.
fn located(named: &Named<'_>, from: &Path) -> (String, PathBuf, String) {
    match *named {
        Named::File(file) => {
            let path = from.join(file);
            let run = path.display().to_string();
            (stem(file), path, run)
        }
        Named::Function(file, function) => {
            let path = from.join(file);
            let run = format!("{}:{function}", path.display());
            (format!("{}-{function}", stem(file)), path, run)
        }
        Named::Checkpoint(library, place) => {
            let folder = from.join(place);
            let place = if folder.is_dir() {
                folder
            } else {
                place.into()
            };
            let run = format!("{library}:{}", place.display());
            (last_part(&run), place, run)
        }
    }
}

fn number(key: &str, value: &str) -> Result<Value, ConfigError> {
    let whole = value.parse().ok().map(Value::Integer);
    let number = whole.or_else(|| value.parse().ok().map(Value::Float));
    number.ok_or_else(|| {
        ConfigError::new(
            format!("{key}={value}: {value:?} is not a number"),
            Some(format!("write a number, such as {key}=60")),
        )
    })
}

fn unknown_setting(model: &str, key: &str) -> ConfigError {
    ConfigError::new(
        format!("{model}: a Python file has no setting `{key}`"),
        Some(format!(
            "after its name, it takes {} and {BATCH}; write other settings into the file",
            TIMES.join(", ")
        )),
    )
}

/// The Python that runs models: `UNIGAUGE_PYTHON`, or else `python3`.
fn python() -> String {
    let chosen = std::env::var("UNIGAUGE_PYTHON").ok();
    let chosen = chosen.filter(|python| !python.is_empty());
    chosen.unwrap_or_else(|| "python3".to_owned())
}

fn texts(texts: Vec<String>) -> Value {
    Value::Array(texts.into_iter().map(Value::String).collect())
}

fn stem(file: &str) -> String {
    let stem = Path::new(file).file_stem();
    stem.map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// What comes after the last separator.
fn last_part(place: &str) -> String {
    let mut parts = place.trim_end_matches(['/', '\\']).rsplit(['/', '\\', ':']);
    parts.next().unwrap_or_default().to_owned()
}

/// The name as the name of a folder.
fn plain(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = name.trim_start_matches('.').chars().map(plain).collect();
    if name.is_empty() {
        "model".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_python_models_are_told_from_names_and_paths() {
        for (name, read) in [
            ("my_model.py", Some(Named::File("my_model.py"))),
            ("a/b.py", Some(Named::File("a/b.py"))),
            ("a/b.py:draw", Some(Named::Function("a/b.py", "draw"))),
            (r"C:\m.py:f", Some(Named::Function(r"C:\m.py", "f"))),
            ("diffusers:a/b", Some(Named::Checkpoint("diffusers", "a/b"))),
            (
                "transformers:a",
                Some(Named::Checkpoint("transformers", "a")),
            ),
            ("diffusers:", None),
            ("b.py:", None),
            ("typeset", None),
            ("./my-model.toml", None),
            ("a:b", None),
        ] {
            assert_eq!(Named::read(name), read, "{name}");
        }
    }

    #[test]
    fn settings_follow_a_name() {
        for (name, place, settings) in [
            ("diffusers:a/b", "diffusers:a/b", vec![]),
            (
                "diffusers:a/b,steps=4,negative_prompt=dark, blurred,dtype=bfloat16",
                "diffusers:a/b",
                vec!["steps=4", "negative_prompt=dark, blurred", "dtype=bfloat16"],
            ),
            ("a, b.py,batch=2", "a, b.py", vec!["batch=2"]),
            ("a,1=2.py", "a,1=2.py", vec![]),
        ] {
            assert_eq!(split_settings(name), (place, settings), "{name}");
        }
    }

    #[test]
    fn names_become_folders() {
        assert_eq!(stem("x/my model.py"), "my model");
        assert_eq!(plain("my model"), "my-model");
        assert_eq!(plain("..."), "model");
        assert_eq!(last_part("diffusers:stabilityai/sd-turbo/"), "sd-turbo");
        assert_eq!(last_part("diffusers:tiny"), "tiny");
    }
}

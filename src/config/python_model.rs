//! Models without a TOML file: a Python file (`my_model.py`), a function in it (`my_model.py:function`), or a
//! checkpoint of the libraries diffusers and transformers (`diffusers:REPO_OR_FOLDER`). The Python package
//! `unigauge` runs each of them as the program of the generator `command`.

use super::document::Document;
use super::error::ConfigError;
use super::library::Origin;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The arguments with which Python runs such a model. The name of the model follows them.
pub const RUN_MODEL: [&str; 2] = ["-m", "unigauge._run_model"];

/// The libraries whose checkpoints the package can run.
const LIBRARIES: [&str; 2] = ["diffusers", "transformers"];

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
    Some(
        definition(&Named::read(name)?, from).and_then(|(table, path)| {
            let text = toml::to_string(&table)
                .map_err(|error| ConfigError::new(format!("{name}: {error}"), None))?;
            let document = Document::parse(name, &text)?;
            Ok((document, Origin::File(path)))
        }),
    )
}

fn definition(named: &Named<'_>, from: &Path) -> Result<(Table, PathBuf), ConfigError> {
    let (name, path, run) = match *named {
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
    };
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
    fn names_become_folders() {
        assert_eq!(stem("x/my model.py"), "my model");
        assert_eq!(plain("my model"), "my-model");
        assert_eq!(plain("..."), "model");
        assert_eq!(last_part("diffusers:stabilityai/sd-turbo/"), "sd-turbo");
        assert_eq!(last_part("diffusers:tiny"), "tiny");
    }
}

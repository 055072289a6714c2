//! What is in a run folder or below a place in a store, and which of it is copied.

use super::error::SyncError;
use crate::files::{FileError, write_durable_by};
use crate::run::Shard;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// A file or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name from the run folder, with `/`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: SystemTime,
}

/// The leases below a run in a store.
pub(super) const LEASES: &str = "leases";
/// The folder of the pictures.
pub(super) const PICTURES: &str = "outputs/";

/// Whether something of a run folder belongs to the run. Locks, what phases leave to each other, and the
/// scripts for schedulers belong to one machine.
pub(super) fn is_copied(name: &str) -> bool {
    let first = first(name);
    let hidden = name.split('/').any(|part| part.starts_with('.'));
    let scratch = first == "scratch" || first.starts_with("scratch.");
    !(hidden || scratch || first == "jobs" || first == LEASES)
}

/// Whether a file is a journal, which only grows.
pub(super) fn is_journal(name: &str) -> bool {
    let stem = name.strip_suffix(".jsonl").unwrap_or_default();
    let of = |stream: &str| stem == stream || stem.starts_with(&format!("{stream}."));
    of("outputs") || of("evidence")
}

/// Whether something belongs to one shard: `manifest.1-of-2.json`, `judge.1-of-2/replies.jsonl`.
pub(super) fn is_of_a_shard(name: &str) -> bool {
    first(name).contains("-of-")
}

/// Whether something belongs to this shard.
pub(super) fn is_of(shard: Shard, name: &str) -> bool {
    let part = format!(".{}-of-{}", shard.number() + 1, shard.count());
    first(name).ends_with(&part) || first(name).contains(&format!("{part}."))
}

/// Whether something belongs to a shard of the same division.
pub(super) fn is_beside(shard: Shard, name: &str) -> bool {
    let count = format!("-of-{}", shard.count());
    first(name).ends_with(&count) || first(name).contains(&format!("{count}."))
}

/// The file or the folder in the run folder.
fn first(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// The files of a folder that are copied, by their names, except those in folders that `skip` names.
pub(super) fn files(root: &Path, skip: &[&str]) -> Result<Vec<Listed>, SyncError> {
    let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let failed = FileError::of_action("cannot list", &path);
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(SyncError::name(&name.to_string_lossy(), "it is no text"));
            };
            let name = format!("{folder}{name}");
            if !is_copied(&name) {
                continue;
            }
            if entry.file_type().map_err(failed)?.is_dir() {
                let inner = format!("{name}/");
                if !skip.contains(&inner.as_str()) {
                    folders.push(inner);
                }
            } else if let Some(file) = file(root, &name) {
                found.push(file);
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// One file. `None` if there is none.
pub(super) fn file(root: &Path, name: &str) -> Option<Listed> {
    let about = std::fs::metadata(root.join(name)).ok()?;
    about.is_file().then(|| Listed {
        name: name.to_owned(),
        size: about.len(),
        modified: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    })
}

/// Writes a copy of an object, with the object's time: so it is known that both are the same.
pub(super) fn write_copy(path: &Path, bytes: &[u8], modified: SystemTime) -> Result<(), FileError> {
    write_durable_by(path, |file| {
        file.write_all(bytes)?;
        file.set_modified(modified)
    })
}

/// The path of an object in a folder.
///
/// # Errors
/// Fails if the name would lead out of the folder.
pub(super) fn path_in(root: &Path, name: &str) -> Result<PathBuf, SyncError> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if name.is_empty() || name.contains('\\') || !Path::new(name).components().all(plain) {
        return Err(SyncError::name(name, "it would lead out of the folder"));
    }
    Ok(root.join(name))
}

/// What is listed, by name.
pub(super) fn by_name(listed: Vec<Listed>) -> BTreeMap<String, Listed> {
    listed
        .into_iter()
        .map(|one| (one.name.clone(), one))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_one_machine_is_not_copied() {
        for name in [
            "outputs/a.png",
            "manifest.1-of-2.json",
            "report/index.html",
            "beat.1-of-2.json",
        ] {
            assert!(is_copied(name), "{name}");
        }
        for name in [
            ".lock.1-of-2",
            "outputs/.partial-x",
            "scratch/a",
            "scratch.1-of-2/a",
            "jobs/shards.sbatch",
            "leases/whole",
        ] {
            assert!(!is_copied(name), "{name}");
        }
        for name in ["outputs.jsonl", "evidence.2-of-3.jsonl"] {
            assert!(is_journal(name), "{name}");
            assert_eq!(is_of_a_shard(name), name.contains("-of-"));
        }
        for name in [
            "items.jsonl",
            "grades.jsonl",
            "outputs/x.jsonl",
            "outputsx.jsonl",
        ] {
            assert!(!is_journal(name), "{name}");
        }
    }

    #[test]
    fn files_of_shards_are_told_apart() {
        let shard: Shard = "1/2".parse().unwrap();
        for name in [
            "outputs.1-of-2.jsonl",
            "manifest.1-of-2.json",
            "judge.1-of-2/replies.jsonl",
        ] {
            assert!(
                is_of(shard, name) && is_beside(shard, name) && is_of_a_shard(name),
                "{name}"
            );
        }
        for name in ["outputs.2-of-2.jsonl", "judge.2-of-2/replies.jsonl"] {
            assert!(!is_of(shard, name) && is_beside(shard, name), "{name}");
        }
        for name in [
            "outputs.11-of-2.jsonl",
            "outputs.1-of-20.jsonl",
            "judge/1-of-2",
            "manifest.json",
        ] {
            assert!(!is_of(shard, name), "{name}");
        }
        assert!(!is_beside(shard, "outputs.1-of-20.jsonl") && !is_of_a_shard("judge/1-of-2"));
    }

    #[test]
    fn no_object_leads_out_of_the_folder() {
        let root = Path::new("run");
        assert_eq!(path_in(root, "a/b").unwrap(), root.join("a/b"));
        for name in ["", "../a", "a/../../b", "/etc/passwd", "a\\..\\b"] {
            assert!(path_in(root, name).is_err(), "{name}");
        }
    }
}

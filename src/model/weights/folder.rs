//! Finds the files of a folder that are its weights.

use super::header;
use crate::model::count::counted;
use crate::model::{ModelError, Result, read_config};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The weights of a folder.
pub(super) enum Found {
    Safetensors(Vec<PathBuf>),
    /// One torch pickle.
    Pickle(PathBuf),
    /// Torch pickles with an index.
    Pickles(Vec<PathBuf>),
}

#[derive(serde::Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The names of a single file of weights in different libraries.
const SINGLE: [&str; 3] = [
    "diffusion_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_model.safetensors",
];

/// The name of a single torch pickle in transformers.
const PICKLE: &str = "pytorch_model.bin";

/// The name of the configuration of an adapter in PEFT.
const ADAPTER: &str = "adapter_config.json";

/// Whether a file's name is that of an index of safetensors shards.
pub(super) fn is_index(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.contains(".safetensors.index.") && name.ends_with(".json"))
}

/// Whether a file's name is that of a torch pickle.
pub(super) fn is_pickle(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("pt" | "pth" | "bin" | "ckpt"))
}

/// Finds the weights of a folder: a safetensors index with its shards, or the one safetensors file there is,
/// or an index of torch pickles with its shards, or the one torch pickle.
///
/// # Errors
/// Fails if there are no weights, if there are several files without an index, or if a shard is missing.
pub(super) fn find(folder: &Path) -> Result<Found> {
    let entries = std::fs::read_dir(folder).map_err(|error| ModelError::io(folder, &error))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let ends = |end: &'static str| names.iter().find(move |name| name.ends_with(end));
    if let Some(index) = ends(".safetensors.index.json") {
        return Ok(Found::Safetensors(shards(folder, &folder.join(index))?));
    }
    // The file of an adapter is never the weights next to it.
    let own = |name: &&String| name.ends_with(".safetensors") && !name.starts_with("adapter_");
    let single = SINGLE.iter().find(|name| names.iter().any(|n| n == *name));
    let others: Vec<&String> = names.iter().filter(own).collect();
    let found = match (single, &others[..]) {
        (Some(name), _) => Found::Safetensors(vec![folder.join(name)]),
        (None, [one]) => Found::Safetensors(vec![folder.join(one)]),
        (None, []) => pickled(folder, &names)?,
        (None, many) => return Err(several(folder, many)),
    };
    if names.iter().any(|name| name == ADAPTER) {
        Err(adapter(
            folder,
            "there is an adapter (LoRA) next to the weights",
        ))
    } else {
        Ok(found)
    }
}

/// The error for several files without an index, such as variants without the plain file.
fn several(folder: &Path, files: &[&String]) -> ModelError {
    let names: Vec<&str> = files.iter().map(|name| name.as_str()).collect();
    let is_variant = |name: &&&String| {
        let plain = SINGLE
            .iter()
            .filter_map(|name| name.strip_suffix(".safetensors"));
        let middle = plain.filter_map(|own| {
            let rest = name.strip_prefix(own)?.strip_prefix('.')?;
            rest.strip_suffix(".safetensors")
        });
        let mut variants = middle.filter(|variant| !variant.contains("-of-"));
        variants.next().is_some()
    };
    let variants = files.iter().filter(is_variant).count() == files.len();
    let help = if variants {
        "these are variants: name one with `variant`, or fetch the plain file as well"
    } else {
        "fetch `*.safetensors.index.json` as well"
    };
    ModelError::file(
        folder,
        format!(
            "there are {} safetensors files, but no index: {}",
            files.len(),
            names.join(", ")
        ),
        help,
    )
}

/// The error for an adapter in place of weights.
pub(super) fn adapter(path: &Path, what: &str) -> ModelError {
    ModelError::file(
        path,
        format!("{what}, and adapters are not supported"),
        "merge it into its base model and give the folder of the merged weights (PEFT: `merge_and_unload`, then \
         `save_pretrained`)",
    )
}

/// The torch pickles of a folder without safetensors.
fn pickled(folder: &Path, names: &[String]) -> Result<Found> {
    let ends = |end: &'static str| names.iter().find(move |name| name.ends_with(end));
    if let Some(index) = ends(".bin.index.json") {
        return Ok(Found::Pickles(shards(folder, &folder.join(index))?));
    }
    let pickle = |name: &&String| is_pickle(Path::new(name)) && !name.starts_with("adapter_");
    let pickles: Vec<&String> = names.iter().filter(pickle).collect();
    let published = pickles.iter().find(|name| **name == PICKLE);
    let has = |name: &str| names.iter().any(|own| own == name);
    match (published, &pickles[..]) {
        (Some(one), _) | (None, [one]) => Ok(Found::Pickle(folder.join(one))),
        _ if has(ADAPTER) || names.iter().any(|name| name.starts_with("adapter_model")) => Err(
            adapter(folder, "this is an adapter (LoRA) without its weights"),
        ),
        _ if names.iter().any(|name| header::is_gguf(name)) => Err(header::gguf(folder)),
        _ if has("snapshots") => Err(ModelError::file(
            folder,
            "this is the root of a repository in the hub's cache",
            "give the folder of a snapshot, below `snapshots/`",
        )),
        _ => Err(ModelError::file(
            folder,
            "there is no safetensors file",
            "give the folder of the published weights, with all their shards",
        )),
    }
}

/// The files of an index.
///
/// # Errors
/// Fails if the index cannot be read or a shard is missing.
pub(super) fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    let Index { weight_map } = read_config(index)?;
    let shards: BTreeSet<&String> = weight_map.values().collect();
    let absent: Vec<&str> = shards
        .iter()
        .filter(|name| !folder.join(name).is_file())
        .map(|name| name.as_str())
        .collect();
    if !absent.is_empty() {
        return Err(ModelError::file(
            index,
            format!(
                "{} of {} {} missing: {}",
                absent.len(),
                counted(shards.len(), "shard"),
                if absent.len() == 1 { "is" } else { "are" },
                absent.join(", ")
            ),
            "fetch the missing shards into the same folder",
        ));
    }
    Ok(shards.iter().map(|name| folder.join(name)).collect())
}

//! Torch pickles in zip form: finds the dictionary with the weights.

use super::state_dict::{Place, choose, may_hold_weights};
use candle_core::pickle::{Object, PthTensors, Stack};
use candle_core::{Error, Result, bail};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use zip::ZipArchive;

/// Deepest nesting of dictionaries that is searched.
const DEPTH: usize = 4;

/// Opens the weights of a pickle, at its top level or below one key.
///
/// # Errors
/// Fails if the file is not a torch pickle in zip form, or if it is not clear which of its dictionaries has
/// the weights.
pub(super) fn open(path: &Path) -> Result<PthTensors> {
    let mut places = Vec::new();
    collect(&top_level(path)?, &mut Vec::new(), &mut places);
    let keys = choose(places).map_err(Error::msg)?.unwrap_or_default();
    match &keys[..] {
        [] => PthTensors::new(path, None),
        [key] => PthTensors::new(path, Some(key)),
        keys => bail!(
            "its weights are nested too deep, under `{}`",
            keys.join(".")
        ),
    }
}

/// The value that the pickle builds.
fn top_level(path: &Path) -> Result<Object> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(Error::wrap)?;
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .collect();
    let Some(name) = names.iter().find(|name| name.ends_with("data.pkl")) else {
        bail!("it contains no data.pkl");
    };
    let file = archive.by_name(name).map_err(Error::wrap)?;
    let mut stack = Stack::empty();
    stack.read_loop(&mut BufReader::new(file))?;
    let object = stack.finalize()?;
    Ok(match object {
        // The attributes of a scripted module.
        Object::Build { callable, args } if is_module(&callable) => *args,
        object => object,
    })
}

fn is_module(callable: &Object) -> bool {
    let Object::Reduce { callable, .. } = callable else {
        return false;
    };
    matches!(&**callable, Object::Class { module_name, class_name } if module_name == "__torch__" && class_name == "Module")
}

/// Every dictionary of tensors, with the keys that lead to it.
fn collect(object: &Object, keys: &mut Vec<String>, places: &mut Vec<Place>) {
    let Object::Dict(entries) = object else {
        return;
    };
    let entries = || {
        entries.iter().filter_map(|(key, value)| match key {
            Object::Unicode(key) => Some((key, value)),
            _ => None,
        })
    };
    let count = entries().filter(|(_, value)| is_tensor(value)).count();
    if count > 0 {
        places.push((keys.clone(), count));
    }
    for (key, value) in entries().filter(|(key, _)| may_hold_weights(key)) {
        if keys.len() < DEPTH {
            keys.push(key.clone());
            collect(value, keys, places);
            keys.pop();
        }
    }
}

fn is_tensor(object: &Object) -> bool {
    let Object::Reduce { callable, .. } = object else {
        return false;
    };
    matches!(&**callable, Object::Class { class_name, .. } if class_name.starts_with("_rebuild_"))
}

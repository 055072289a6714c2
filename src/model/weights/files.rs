//! Published weight files: safetensors, one or sharded with an index, memory-mapped; torch pickles where there is
//! nothing else. Tensors in memory can stand in their place.

use super::legacy::Legacy;
use super::{Asked, Source};
use crate::model::{ModelError, Result, read_config};
use candle_core::pickle::PthTensors;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The weight files of one checkpoint folder.
pub struct Files {
    path: PathBuf,
    store: Store,
    dims: BTreeMap<String, Vec<usize>>,
}

enum Store {
    Safetensors(MmapedSafetensors),
    Pickle(PthTensors),
    Legacy(Legacy),
    /// Pickles that an index joins.
    Shards(Vec<Files>),
    /// No files at all.
    Made(BTreeMap<String, Tensor>),
}

#[derive(serde::Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The names that libraries give to a single file of weights.
const SINGLE: [&str; 3] = [
    "diffusion_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_model.safetensors",
];

/// The name that transformers gives to a single torch pickle.
const PICKLE: &str = "pytorch_model.bin";

/// Where a pickle that holds more keeps the weights.
const STATE_DICT: [&str; 3] = ["state_dict", "model", "module"];

fn is_pickle(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("pt" | "pth" | "bin"))
}

/// The files that an index names.
fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
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
                "{} of {} shards are absent: {}",
                absent.len(),
                shards.len(),
                absent.join(", ")
            ),
            "fetch the missing shards into the same folder",
        ));
    }
    Ok(shards.iter().map(|name| folder.join(name)).collect())
}

fn pickles(names: &[String]) -> Vec<&String> {
    let names = names.iter();
    names.filter(|name| is_pickle(Path::new(name))).collect()
}

impl Files {
    /// Opens the weights of a folder: a safetensors index with its shards, or the one safetensors file there is, or
    /// an index of torch pickles with its shards, or the one torch pickle.
    ///
    /// # Errors
    /// When there are none, a shard is missing, or a file is truncated or no safetensors.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.is_file() {
            return Self::open_file(folder);
        }
        let entries = std::fs::read_dir(folder).map_err(|error| ModelError::io(folder, &error))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        if let Some(index) = names
            .iter()
            .find(|name| name.ends_with(".safetensors.index.json"))
        {
            return Self::safetensors(folder, &shards(folder, &folder.join(index))?);
        }
        let single = SINGLE.iter().find(|name| names.iter().any(|n| n == *name));
        let others: Vec<&String> = names
            .iter()
            .filter(|name| name.ends_with(".safetensors"))
            .collect();
        match (single, &others[..]) {
            (Some(name), _) => Self::safetensors(folder, &[folder.join(name)]),
            (None, [one]) => Self::safetensors(folder, &[folder.join(one)]),
            (None, []) => Self::pickled(folder, &names),
            (None, many) => Err(ModelError::file(
                folder,
                format!(
                    "{} safetensors files and no index that joins them",
                    many.len()
                ),
                "fetch `*.safetensors.index.json` too",
            )),
        }
    }

    /// The torch pickles of a folder without safetensors.
    fn pickled(folder: &Path, names: &[String]) -> Result<Self> {
        let index = names.iter().find(|name| name.ends_with(".bin.index.json"));
        if let Some(index) = index {
            return Self::joined(folder, &shards(folder, &folder.join(index))?);
        }
        let pickles = pickles(names);
        let published = pickles.iter().find(|name| **name == PICKLE);
        match (published, &pickles[..]) {
            (Some(one), _) | (None, [one]) => Self::open_file(&folder.join(one)),
            _ => Err(ModelError::file(
                folder,
                "there is no safetensors file",
                "name the folder that holds the published weights, with all their shards",
            )),
        }
    }

    fn joined(folder: &Path, paths: &[PathBuf]) -> Result<Self> {
        let shards: Vec<Self> = (paths.iter())
            .map(|path| Self::pickle(path, None))
            .collect::<Result<_>>()?;
        let dims = shards.iter().flat_map(|shard| shard.dims.clone());
        Ok(Self {
            path: folder.into(),
            dims: dims.collect(),
            store: Store::Shards(shards),
        })
    }

    /// Opens one file: safetensors, or a torch pickle (`.pt`, `.pth`, `.bin`) whose top level is the state dict, or, in
    /// zip form, holds it under one of the usual names.
    ///
    /// # Errors
    /// When it cannot be read as its name says.
    pub fn open_file(path: &Path) -> Result<Self> {
        if !is_pickle(path) {
            return Self::safetensors(path, &[path.to_owned()]);
        }
        if Legacy::is(path) {
            return Self::legacy(path);
        }
        let files = Self::pickle(path, None)?;
        if !files.dims.is_empty() {
            return Ok(files);
        }
        let inner = STATE_DICT.iter().map(|key| Self::pickle(path, Some(key)));
        let inner = inner.filter_map(Result::ok);
        Ok(inner
            .into_iter()
            .find(|inner| !inner.dims.is_empty())
            .unwrap_or(files))
    }

    fn legacy(path: &Path) -> Result<Self> {
        let legacy = Legacy::open(path).map_err(|error| {
            ModelError::file(
                path,
                format!("cannot be read as a torch pickle of before version 1.6: {error}"),
                "fetch it again if it was cut short; torch's own `torch.load` and `torch.save` make the newer form of it",
            )
        })?;
        Ok(Self {
            path: path.into(),
            dims: legacy.dims(),
            store: Store::Legacy(legacy),
        })
    }

    /// Opens a torch pickle; `key` names the state dict inside its top level.
    ///
    /// # Errors
    /// When it is no torch pickle in zip form.
    pub fn pickle(path: &Path, key: Option<&str>) -> Result<Self> {
        std::fs::File::open(path).map_err(|error| ModelError::io(path, &error))?;
        let pickle = PthTensors::new(path, key).map_err(|error| {
            ModelError::file(
                path,
                format!("cannot be read as a torch pickle: {error}"),
                "it must be the zip form that torch writes since version 1.6; fetch it again if it was cut short",
            )
        })?;
        let infos = pickle.tensor_infos().iter();
        let dims = infos
            .map(|(name, info)| (name.clone(), info.layout.shape().dims().to_vec()))
            .collect();
        Ok(Self {
            path: path.into(),
            store: Store::Pickle(pickle),
            dims,
        })
    }

    /// Tensors in memory, as if they were stored; `path` is what messages name.
    pub fn made(path: &Path, tensors: BTreeMap<String, Tensor>) -> Self {
        let dims = tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.dims().to_vec()));
        Self {
            path: path.into(),
            dims: dims.collect(),
            store: Store::Made(tensors),
        }
    }

    /// A tensor as it is stored, in main memory.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be read.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        self.load(name, &Device::Cpu)
    }

    fn safetensors(path: &Path, files: &[PathBuf]) -> Result<Self> {
        for file in files {
            check_header(file)?;
        }
        // SAFETY: the files are read-only weights; changing them while the program runs is outside its contract.
        let mapped = unsafe { MmapedSafetensors::multi(files) }.map_err(|error| {
            ModelError::file(path, error.to_string(), "fetch the weights again")
        })?;
        let views = mapped.tensors();
        let dims = views
            .iter()
            .map(|(name, view)| (name.clone(), view.shape().to_vec()))
            .collect();
        drop(views);
        Ok(Self {
            path: path.into(),
            store: Store::Safetensors(mapped),
            dims,
        })
    }

    /// The folder or file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all stored tensors with their shapes.
    pub fn tensors(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.dims
    }

    /// One line for every tensor that is asked for and not stored as asked.
    fn compare(&self, asked: &[Asked]) -> Vec<String> {
        asked
            .iter()
            .filter_map(|tensor| match self.dims.get(&tensor.name) {
                None => Some(format!("missing: {} {:?}", tensor.name, tensor.shape)),
                Some(stored) if *stored != tensor.shape => Some(format!(
                    "shape: {} is {stored:?}, and the configuration makes it {:?}",
                    tensor.name, tensor.shape
                )),
                Some(_) => None,
            })
            .collect()
    }

    /// Checks that everything that is asked for is stored as asked.
    ///
    /// # Errors
    /// [`ModelError::Weights`] with every missing and mis-shaped tensor at once.
    pub fn require(&self, asked: &[Asked]) -> Result<()> {
        let problems = self.compare(asked);
        if problems.is_empty() {
            return Ok(());
        }
        Err(ModelError::Weights {
            path: self.path.clone(),
            problems,
        })
    }

    fn load(&self, name: &str, device: &Device) -> Result<Tensor> {
        let missing = || ModelError::Weights {
            path: self.path.clone(),
            problems: vec![format!("missing: {name}")],
        };
        match &self.store {
            Store::Safetensors(mapped) if self.dims.contains_key(name) => {
                Ok(mapped.load(name, device)?)
            }
            Store::Safetensors(_) => Err(missing()),
            Store::Shards(shards) => {
                let shard = shards.iter().find(|shard| shard.dims.contains_key(name));
                shard.ok_or_else(missing)?.load(name, device)
            }
            Store::Made(tensors) => {
                let tensor = tensors.get(name).ok_or_else(missing)?;
                Ok(tensor.to_device(device)?)
            }
            Store::Legacy(legacy) => {
                let tensor = legacy.get(name)?.ok_or_else(missing)?;
                Ok(tensor.to_device(device)?)
            }
            Store::Pickle(pickle) => {
                let tensor = pickle.get(name)?.ok_or_else(missing)?;
                Ok(tensor.to_device(device)?)
            }
        }
    }
}

impl Source for Files {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let tensor = self.load(name, device)?;
        if tensor.shape() != shape {
            return Err(ModelError::Weights {
                path: self.path.clone(),
                problems: self.compare(&[Asked {
                    name: name.into(),
                    shape: shape.dims().into(),
                }]),
            });
        }
        if !tensor.dtype().is_float() {
            return Err(ModelError::Weights {
                path: self.path.clone(),
                problems: vec![format!(
                    "dtype: {name} is {:?}, not a float",
                    tensor.dtype()
                )],
            });
        }
        finite(name, &tensor)?;
        Ok(tensor.to_dtype(dtype)?)
    }

    fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.dims.get(name).cloned()
    }
}

/// A NaN or infinity anywhere makes the sum of absolute values one, too.
fn finite(name: &str, tensor: &Tensor) -> Result<()> {
    if tensor.elem_count() == 0 {
        return Ok(());
    }
    let flat = tensor.flatten_all()?;
    // In pieces: a sum of many f16 can overflow, and a copy in f32 of a large tensor is large.
    const PIECE: usize = 1 << 22;
    let mut start = 0;
    while start < flat.elem_count() {
        let length = PIECE.min(flat.elem_count() - start);
        let sum = flat
            .narrow(0, start, length)?
            .to_dtype(DType::F32)?
            .abs()?
            .sum_all()?;
        if !sum.to_scalar::<f32>()?.is_finite() {
            return Err(ModelError::NotFinite {
                tensor: name.into(),
            });
        }
        start += length;
    }
    Ok(())
}

/// Compares a safetensors header with the file's length, so that a file cut short is named as such.
fn check_header(path: &Path) -> Result<()> {
    use std::io::Read;
    let cut = |message: String| {
        ModelError::file(
            path,
            message,
            "the download was cut short or is another file: fetch it again",
        )
    };
    let mut file = std::fs::File::open(path).map_err(|error| ModelError::io(path, &error))?;
    let length = file
        .metadata()
        .map_err(|error| ModelError::io(path, &error))?
        .len();
    let mut size = [0; 8];
    file.read_exact(&mut size)
        .map_err(|_| cut(format!("{length} bytes are too few for a safetensors file")))?;
    let header = u64::from_le_bytes(size);
    if header > 100_000_000 || header.saturating_add(8) > length {
        return Err(cut(format!(
            "not a whole safetensors file: a header of {header} bytes in a file of {length}"
        )));
    }
    let mut bytes = vec![0; header as usize];
    file.read_exact(&mut bytes)
        .map_err(|error| ModelError::io(path, &error))?;
    let header_json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes)
        .map_err(|error| cut(format!("the safetensors header is not JSON: {error}")))?;
    let end = header_json
        .values()
        .filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64())
        .max()
        .unwrap_or(0);
    if header + 8 + end > length {
        return Err(cut(format!(
            "truncated: the header promises {} bytes, the file has {length}",
            header + 8 + end
        )));
    }
    Ok(())
}

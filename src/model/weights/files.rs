//! Published weight files: memory-mapped safetensors, one file or shards with an index, or else torch
//! pickles. Tensors in memory can replace them.
//!
//! A network requests plain names and receives plain numbers. The prefixes of training wrappers are removed
//! from the names, and quantised weights are multiplied by their scales, one at a time when they are
//! requested.

use super::folder::{self, Found};
use super::legacy::Legacy;
use super::quantised::Quantised;
use super::store::Store;
use super::stored::Stored;
use super::{Asked, Source, header, names, quantisation, zipped};
use crate::model::count::counted;
use crate::model::{ModelError, Result};
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The weight files of one checkpoint folder.
pub struct Files {
    path: PathBuf,
    opened: Arc<Opened>,
    /// The prefix of all names in the files: empty, or a prefix with its dot.
    place: String,
    dims: BTreeMap<String, Vec<usize>>,
    checked: Option<Checked>,
}

/// What a check of the files reads, without returning tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Names, shapes, number formats and lengths.
    Headers,
    /// All numbers as well.
    Numbers,
}

/// What is known of the files apart from the numbers.
struct Opened {
    store: Store,
    /// The names in the files, by plain names.
    names: BTreeMap<String, String>,
    tensors: BTreeMap<String, Stored>,
    quantised: Quantised,
}

/// The largest number of lines of a message about tensors.
const LINES: usize = 20;

impl Files {
    /// Opens the weights of a folder: a safetensors index with its shards, or the one safetensors file there
    /// is, or an index of torch pickles with its shards, or the one torch pickle.
    ///
    /// # Errors
    /// Fails if there are no weights, if a shard is missing, or if a file is truncated or not safetensors.
    /// Also fails if the weights are an adapter, or are quantised in an unsupported way.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_file() {
            return Self::open_file(path);
        }
        let store = match folder::find(path)? {
            Found::Safetensors(files) => safetensors(path, &files)?,
            Found::Pickle(file) => return Self::from_store(&file, pickle(&file)?, path),
            Found::Pickles(files) => {
                let shards = files.iter().map(|file| pickle(file));
                Store::Shards(shards.collect::<Result<_>>()?)
            }
        };
        Self::from_store(path, store, path)
    }

    /// Opens one file: safetensors, an index of safetensors shards, or a torch pickle (`.pt`, `.pth`, `.bin`,
    /// `.ckpt`) whose top level is the state dict, or has it under a key.
    ///
    /// # Errors
    /// Fails if it cannot be read as its name says, and when [`Self::open`] fails.
    pub fn open_file(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(path);
        let store = if folder::is_pickle(path) {
            pickle(path)?
        } else if folder::is_index(path) {
            safetensors(path, &folder::shards(folder, path)?)?
        } else {
            safetensors(path, &[path.to_owned()])?
        };
        Self::from_store(path, store, folder)
    }

    /// Tensors in memory, as if they were stored. `path` is their name in messages.
    pub fn made(path: &Path, tensors: BTreeMap<String, Tensor>) -> Self {
        let store = Store::Made(tensors);
        let tensors = store.tensors();
        let names = tensors.keys().map(|name| (name.clone(), name.clone()));
        let opened = Opened {
            names: names.collect(),
            tensors,
            store,
            quantised: Quantised::default(),
        };
        Self::below_prefix(path, Arc::new(opened), "")
    }

    /// Opened files, whose configurations are in `folder`.
    fn from_store(path: &Path, store: Store, folder: &Path) -> Result<Self> {
        let stored = store.tensors();
        let names = names::unwrapped(stored.keys());
        let plain = names.iter().filter_map(|(plain, name)| {
            let stored = stored.get(name)?;
            Some((plain.clone(), stored.clone()))
        });
        let tensors: BTreeMap<String, Stored> = plain.collect();
        if let Some(name) = tensors.keys().find(|name| names::is_adapter(name)) {
            let count = tensors.keys().filter(|name| names::is_adapter(name));
            let (own, all) = (count.count(), tensors.len());
            let what = format!(
                "{own} of {} belong to an adapter (LoRA), such as `{name}`",
                counted(all, "tensor")
            );
            return Err(folder::adapter(path, &what));
        }
        let told = quantisation::read(folder)?;
        let quantised = Quantised::find(&tensors, told.as_ref()).map_err(|why| {
            ModelError::file(
                path,
                format!("these weights are quantised in an unsupported way: {why}"),
                "give the checkpoint before quantisation, or one in FP8 with scales next to the weights (per tensor, \
                 row or block)",
            )
        })?;
        let opened = Opened {
            store,
            names,
            tensors,
            quantised,
        };
        Ok(Self::below_prefix(path, Arc::new(opened), ""))
    }

    /// The tensors below a prefix in opened files.
    fn below_prefix(path: &Path, opened: Arc<Opened>, place: &str) -> Self {
        let own = opened.tensors.iter().filter_map(|(name, stored)| {
            let below = name.strip_prefix(place)?;
            let network = !opened.quantised.aside.contains(name);
            network.then(|| (below.to_owned(), stored.dims.clone()))
        });
        Self {
            path: path.into(),
            dims: own.collect(),
            place: place.to_owned(),
            checked: None,
            opened,
        }
    }

    /// The same files for a check: after the check, the returned tensors have the right shapes but no
    /// numbers.
    #[must_use]
    pub fn checked(&self, how: Checked) -> Arc<Self> {
        Arc::new(Self {
            checked: Some(how),
            ..Self::below_prefix(&self.path, self.opened.clone(), &self.place)
        })
    }

    /// The prefixes that all tensors have and below which all of `wanted` are stored. If the names are right
    /// without a prefix, it is only the empty one.
    fn common_prefixes(&self, wanted: &[&str]) -> Vec<String> {
        if wanted.is_empty() || wanted.iter().any(|name| self.dims.contains_key(*name)) {
            return Vec::new();
        }
        let mut places = names::common_places(self.dims.keys());
        let has = |place: &str, name: &str| self.dims.contains_key(&format!("{place}{name}"));
        places.retain(|place| wanted.iter().all(|name| has(place, name)));
        places
    }

    /// Whether all of these are stored, either directly or below a prefix that all names have.
    pub fn holds(&self, wanted: &[&str]) -> bool {
        wanted.iter().all(|name| self.dims.contains_key(*name))
            || self.common_prefixes(wanted).len() == 1
    }

    /// The files for these requested names: without the common prefix of all stored names, if there is one
    /// and nothing else prevents it.
    #[must_use]
    pub fn for_names(self: &Arc<Self>, wanted: &[&str]) -> Arc<Self> {
        match &self.common_prefixes(wanted)[..] {
            [place] => {
                let place = format!("{}{place}", self.place);
                Arc::new(Self {
                    checked: self.checked,
                    ..Self::below_prefix(&self.path, self.opened.clone(), &place)
                })
            }
            _ => self.clone(),
        }
    }

    /// The same as [`Self::for_names`] for the tensors that a network requires.
    #[must_use]
    pub fn below_asked(self: &Arc<Self>, asked: &[Asked]) -> Arc<Self> {
        let wanted: Vec<&str> = asked.iter().map(|asked| asked.name.as_str()).collect();
        self.for_names(&wanted)
    }

    /// A tensor in main memory: as it is stored, or multiplied by its scales in f32 if it is quantised.
    ///
    /// # Errors
    /// Fails if there is no tensor with this name, or if it cannot be read.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        self.load(name, &Device::Cpu)
    }

    /// The folder or file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all tensors with their shapes, without the scales of quantised weights.
    pub fn tensors(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.dims
    }

    /// The record of a tensor in the files, and its plain name without a prefix.
    fn stored(&self, name: &str) -> Option<(String, &Stored)> {
        self.dims.get(name)?;
        let whole = format!("{}{name}", self.place);
        let stored = self.opened.tensors.get(&whole)?;
        Some((whole, stored))
    }

    /// One line for every requested tensor that is missing or different.
    fn compare(&self, asked: &[Asked]) -> Vec<String> {
        asked
            .iter()
            .filter_map(|tensor| match self.stored(&tensor.name) {
                None => Some(format!("missing: {} {:?}", tensor.name, tensor.shape)),
                Some((_, stored)) if stored.dims != tensor.shape => Some(format!(
                    "shape: {} is {:?}, but the configuration requires {:?}",
                    tensor.name, stored.dims, tensor.shape
                )),
                Some((_, stored)) if !stored.is_float() => Some(format!(
                    "dtype: {} is {}, but only plain floats are supported",
                    tensor.name, stored.dtype
                )),
                Some(_) => None,
            })
            .collect()
    }

    /// Checks that every requested tensor is stored with the requested shape.
    ///
    /// # Errors
    /// Fails with [`ModelError::Weights`], which lists all missing and mis-shaped tensors, or has one
    /// sentence if nothing fits.
    pub fn require(&self, asked: &[Asked]) -> Result<()> {
        let mut problems = self.compare(asked);
        if problems.is_empty() {
            return Ok(());
        }
        if let Some(first) = asked.first()
            && asked
                .iter()
                .all(|asked| !self.dims.contains_key(&asked.name))
        {
            return Err(self.unlike(&first.name, asked.len()));
        }
        let more = problems.len().saturating_sub(LINES);
        problems.truncate(LINES);
        if more > 0 {
            problems.push(format!("and {more} more"));
        }
        Err(ModelError::Weights {
            path: self.path.clone(),
            problems,
        })
    }

    /// Why none of the requested tensors is here. `name` is one of them.
    fn unlike(&self, name: &str, asked: usize) -> ModelError {
        let stored = self.dims.len();
        let message = match (
            self.dims.keys().next(),
            names::common_places(self.dims.keys()).pop(),
        ) {
            (None, _) => {
                format!("it contains no tensors; the network requires {asked}, such as `{name}`")
            }
            (Some(_), Some(place)) if stored > 1 => format!(
                "all {stored} names in it begin with `{place}`; the network requires {asked} others, such as `{name}`"
            ),
            (Some(one), _) => format!(
                "it contains another network: {} such as `{one}`, and none of the {asked} required ones, such as \
                 `{name}`",
                counted(stored, "tensor")
            ),
        };
        ModelError::file(
            &self.path,
            message,
            "give the weights that belong to this configuration, in the layout that their authors publish",
        )
    }

    fn load(&self, name: &str, device: &Device) -> Result<Tensor> {
        let missing = || ModelError::Weights {
            path: self.path.clone(),
            problems: vec![format!("missing: {name}")],
        };
        let Opened {
            store,
            names,
            quantised,
            ..
        } = &*self.opened;
        let (whole, stored) = self.stored(name).ok_or_else(missing)?;
        let of = |plain: &str| names.get(plain).ok_or_else(missing);
        let own = of(&whole)?;
        if !stored.is_eight_bits() {
            return store.load(own, device)?.ok_or_else(missing);
        }
        let mut numbers = store.numbers(own)?.ok_or_else(missing)?;
        if let Some(scale) = quantised.scales.get(&whole) {
            let scales = store.numbers(of(&scale.name)?)?.ok_or_else(missing)?;
            scale.apply(&mut numbers, &scales);
        }
        Ok(Tensor::from_vec(numbers, stored.dims.as_slice(), device)?)
    }
}

impl Source for Files {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let problems = self.compare(&[Asked {
            name: name.into(),
            shape: shape.dims().into(),
        }]);
        if !problems.is_empty() {
            return Err(ModelError::Weights {
                path: self.path.clone(),
                problems,
            });
        }
        if self.checked != Some(Checked::Headers) {
            let tensor = self.load(name, device)?;
            finite(name, &tensor)?;
            if self.checked.is_none() {
                return Ok(tensor.to_dtype(dtype)?);
            }
        }
        Ok(Tensor::zeros((), dtype, device)?.broadcast_as(shape)?)
    }

    fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.dims.get(name).cloned()
    }
}

fn safetensors(path: &Path, files: &[PathBuf]) -> Result<Store> {
    for file in files {
        header::check(file)?;
    }
    // SAFETY: the files are read-only weights; changing them while the program runs is outside its contract.
    let mapped = unsafe { MmapedSafetensors::multi(files) }
        .map_err(|error| ModelError::file(path, error.to_string(), "fetch the weights again"))?;
    Ok(Store::Safetensors(mapped))
}

/// Opens a torch pickle of either form.
fn pickle(path: &Path) -> Result<Store> {
    std::fs::File::open(path).map_err(|error| ModelError::io(path, &error))?;
    let refused = |form: &str, error: candle_core::Error, help: &str| {
        ModelError::file(
            path,
            format!("cannot be read as a torch pickle{form}: {error}"),
            help,
        )
    };
    if Legacy::is(path) {
        return Legacy::open(path).map(Store::Legacy).map_err(|error| {
            let help = "fetch it again if it was truncated; `torch.load` and `torch.save` convert its state dict to the newer \
                        form";
            refused(" of before version 1.6", error, help)
        });
    }
    zipped::open(path).map(Store::Pickle).map_err(|error| {
        let help = "it must contain one state dict in the zip form that torch writes since version 1.6; fetch it again if \
                    it was truncated";
        refused("", error, help)
    })
}

/// A NaN or an infinity anywhere makes the sum of absolute values NaN or infinite too.
fn finite(name: &str, tensor: &Tensor) -> Result<()> {
    if tensor.elem_count() == 0 {
        return Ok(());
    }
    let flat = tensor.flatten_all()?;
    // The sum is computed in pieces: a sum of many f16 can overflow, and a copy of a large tensor in f32 is
    // large.
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

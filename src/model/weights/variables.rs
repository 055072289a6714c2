//! Tensors that training changes. They are created when a network requests them, with the initial values of
//! PyTorch's layers.

use super::{Files, Source, Weights};
use crate::model::noise::{Generator, randn};
use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Shape, Tensor, Var};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Initial standard deviation of tables of vectors.
const TABLE: f32 = 0.02;

/// The parameters of networks by name. The seed and its own name determine the initial value of each,
/// regardless of the order of requests.
pub struct Variables {
    seed: u64,
    device: Device,
    /// Files with initial values, each with its place in the tree of names.
    base: Vec<(String, Arc<Files>)>,
    /// The names that are trained.
    trainable: Vec<String>,
    vars: Mutex<BTreeMap<String, Var>>,
    fixed: Mutex<BTreeMap<String, Tensor>>,
}

impl Variables {
    /// Parameters that are all trained, with initial values from the seed.
    pub fn new(seed: u64, device: Device) -> Arc<Self> {
        Self::from_base(seed, device, Vec::new(), vec!["*".into()])
    }

    /// Parameters whose initial values are stored in `base`, each file at its place in the tree of names
    /// (`""` is its root). The first file that has a name gives its value. Parameters whose names match a
    /// pattern of `trainable` are trained. In a pattern, `*` matches any characters.
    pub fn from_base(
        seed: u64,
        device: Device,
        base: Vec<(String, Arc<Files>)>,
        trainable: Vec<String>,
    ) -> Arc<Self> {
        Arc::new(Self {
            seed,
            device,
            base,
            trainable,
            vars: Mutex::default(),
            fixed: Mutex::default(),
        })
    }

    /// The tensors that are not trained, by name.
    pub fn fixed(&self) -> BTreeMap<String, Tensor> {
        self.fixed
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
            .clone()
    }

    /// The files that contain a name, and the name in them.
    fn stored<'a>(&'a self, name: &'a str) -> Option<(&'a Arc<Files>, &'a str)> {
        self.base.iter().find_map(|(place, files)| {
            let own = match place.as_str() {
                "" => name,
                place => name.strip_prefix(place)?.strip_prefix('.')?,
            };
            files.tensors().contains_key(own).then_some((files, own))
        })
    }

    /// The weights from which a network is built.
    pub fn weights(self: &Arc<Self>) -> Weights {
        Weights::new(self.clone(), DType::F32, &self.device)
    }

    /// All parameters, by name.
    pub fn by_name(&self) -> BTreeMap<String, Var> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Var>> {
        self.vars.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    /// The initial values of a parameter. Matrices, kernels and their biases are uniform within one over the
    /// root of the number of inputs. Gains and layer scales are 1, and other biases are 0. Other vectors and
    /// tables of vectors are normal with the standard deviation 0.02.
    fn first(&self, name: &str, shape: &Shape, sibling: Option<&Var>) -> Vec<f32> {
        let (count, dims) = (shape.elem_count(), shape.dims());
        let (place, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        let inputs = |dims: &[usize]| dims[1..].iter().product::<usize>().max(1);
        let mut generator = self.generator(name);
        let mut within = |inputs: usize| {
            let bound = 1.0 / (inputs as f64).sqrt();
            let uniform = (0..count).map(|_| ((2.0 * generator.uniform() - 1.0) * bound) as f32);
            uniform.collect()
        };
        match (leaf, dims) {
            ("weight" | "lambda1", [_]) => vec![1.0; count],
            ("weight", [_, _, ..]) if !place.contains("embed_tokens") => within(inputs(dims)),
            ("bias", _) => match sibling.map(|weight| weight.dims()) {
                Some(weight @ [_, _, ..]) => within(inputs(weight)),
                _ => vec![0.0; count],
            },
            _ => {
                let normal = randn(&mut self.generator(name), count, DType::F32);
                normal.into_iter().map(|x| TABLE * x).collect()
            }
        }
    }

    fn generator(&self, name: &str) -> Generator {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(name);
        let hash = hash.finalize();
        Generator::new(u64::from(u32::from_le_bytes([
            hash[0], hash[1], hash[2], hash[3],
        ])))
    }
}

impl Source for Variables {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let mut vars = self.lock();
        let var = match vars.get(name) {
            Some(var) => var.clone(),
            None => {
                let begin = match self.stored(name) {
                    Some((files, own)) => files.get(own, shape, DType::F32, device)?,
                    None => {
                        let weight = name
                            .strip_suffix("bias")
                            .map(|place| format!("{place}weight"));
                        let sibling = weight.and_then(|weight| vars.get(&weight).cloned());
                        let values = self.first(name, shape, sibling.as_ref());
                        Tensor::from_vec(values, shape, device)?
                    }
                };
                let trained = self.trainable.iter();
                if !trained.into_iter().any(|pattern| matches(pattern, name)) {
                    let mut fixed = self.fixed.lock().unwrap_or_else(|lock| lock.into_inner());
                    let tensor = fixed.entry(name.to_owned()).or_insert(begin);
                    return Ok(tensor.to_dtype(dtype)?);
                }
                let var = Var::from_tensor(&begin)?;
                vars.insert(name.to_owned(), var.clone());
                var
            }
        };
        if var.shape() != shape {
            return Err(ModelError::Input(format!(
                "{name} is requested with the shapes {shape:?} and {:?}",
                var.shape()
            )));
        }
        match dtype {
            DType::F32 => Ok(var.as_tensor().clone()),
            other => Ok(var.to_dtype(other)?),
        }
    }

    fn dims(&self, name: &str) -> Option<Vec<usize>> {
        let stored = || {
            let (files, own) = self.stored(name)?;
            files.tensors().get(own).cloned()
        };
        let var = self.lock().get(name).map(|var| var.dims().to_vec());
        var.or_else(stored)
    }
}

/// Whether a name fits a pattern, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(start) else {
        return false;
    };
    // The part after the star may begin anywhere.
    (0..=name.len())
        .filter(|&at| name.is_char_boundary(at))
        .any(|at| matches(rest, &name[at..]))
}

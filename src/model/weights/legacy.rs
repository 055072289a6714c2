//! Torch pickles of versions before 1.6: four pickles (magic number, version, machine and state dict), the
//! list of storages, and then for each storage its count and its numbers.

use super::state_dict::{Place, choose, may_hold_weights};
use super::stored::Stored;
use super::unpickle::{Value, unpickle};
use candle_core::{DType, Device, Result, Tensor, bail};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The pickled magic number at the start of such a file.
const MAGIC: [u8; 15] = [
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
];

/// An opened file.
pub(super) struct Legacy {
    path: PathBuf,
    tensors: BTreeMap<String, Entry>,
}

struct Entry {
    dtype: DType,
    shape: Vec<usize>,
    /// Offset from the start of the file, in bytes.
    start: u64,
}

/// A tensor in the description of the pickle.
struct Described {
    storage: String,
    dtype: DType,
    /// Number of values before its first one.
    offset: usize,
    shape: Vec<usize>,
}

impl Legacy {
    /// Whether the file begins like such a pickle.
    pub(super) fn is(path: &Path) -> bool {
        let mut start = [0; MAGIC.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == MAGIC
    }

    /// Reads the places of the tensors of the state dict, which is at the top level or below keys.
    ///
    /// # Errors
    /// Fails if the file is truncated, or contains anything but tensors without gaps, or several state dicts.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut reader = BufReader::new(File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        reader.read_exact(&mut magic)?;
        // The version and the machine.
        unpickle(&mut reader)?;
        unpickle(&mut reader)?;
        let top = unpickle(&mut reader)?;
        if !matches!(top, Value::Dict(_)) {
            bail!("its top level is not a state dict");
        }
        let mut sizes = HashMap::new();
        all_storages(&top, &mut sizes);
        let described = state_dict(top)?;
        let starts = storages(&mut reader, &sizes)?;
        let length = reader.get_ref().metadata()?.len();
        let mut tensors = BTreeMap::new();
        for (name, tensor) in described {
            let Some(entry) = storage_entry(&tensor, &starts, length) else {
                bail!("the numbers of `{name}` are not in the file, which was truncated");
            };
            tensors.insert(name, entry);
        }
        Ok(Self {
            path: path.into(),
            tensors,
        })
    }

    /// Names, shapes and number formats.
    pub(super) fn tensors(&self) -> BTreeMap<String, Stored> {
        let stored = self.tensors.iter().map(|(name, entry)| {
            let (dims, dtype) = (entry.shape.clone(), entry.dtype.into());
            (name.clone(), Stored { dims, dtype })
        });
        stored.collect()
    }

    /// The tensor with this name, on the CPU. `None` if there is none.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub(super) fn get(&self, name: &str) -> Result<Option<Tensor>> {
        let Some(entry) = self.tensors.get(name) else {
            return Ok(None);
        };
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.start))?;
        let count: usize = entry.shape.iter().product();
        let mut bytes = vec![0; count * entry.dtype.size_in_bytes()];
        file.read_exact(&mut bytes)?;
        Tensor::from_raw_buffer(&bytes, entry.dtype, &entry.shape, &Device::Cpu).map(Some)
    }
}

/// The tensors of the weights' dictionary.
fn state_dict(mut top: Value) -> Result<BTreeMap<String, Described>> {
    let mut places = Vec::new();
    collect(&top, &mut Vec::new(), &mut places);
    let keys = choose(places).map_err(candle_core::Error::msg)?;
    for key in keys.unwrap_or_default() {
        let Value::Dict(entries) = top else {
            bail!("`{key}` is not a dictionary");
        };
        let named = |name: &Value| matches!(name, Value::Text(name) if *name == key);
        let inner = entries.into_iter().find(|(name, _)| named(name));
        top = inner.map_or(Value::Other, |(_, value)| value);
    }
    let Value::Dict(entries) = top else {
        return Ok(BTreeMap::new());
    };
    let mut described = BTreeMap::new();
    for (name, value) in entries {
        if let (Value::Text(name), Some(tensor)) = (name, describe(value)?) {
            described.insert(name, tensor);
        }
    }
    Ok(described)
}

/// Every dictionary of tensors, with the keys that lead to it.
fn collect(value: &Value, keys: &mut Vec<String>, places: &mut Vec<Place>) {
    let Value::Dict(entries) = value else {
        return;
    };
    let tensor =
        |value: &Value| matches!(value, Value::Call(name, _) if name.contains("_rebuild_"));
    let named = |name: &Value| matches!(name, Value::Text(_));
    let count = entries
        .iter()
        .filter(|(name, value)| named(name) && tensor(value))
        .count();
    if count > 0 {
        places.push((keys.clone(), count));
    }
    for (name, value) in entries {
        if let Value::Text(name) = name
            && may_hold_weights(name)
        {
            keys.push(name.clone());
            collect(value, keys, places);
            keys.pop();
        }
    }
}

/// The size in bytes of a number, for every storage that is mentioned.
fn all_storages(value: &Value, sizes: &mut HashMap<String, usize>) {
    match value {
        Value::List(values) | Value::Tuple(values) | Value::Call(_, values) => {
            values.iter().for_each(|value| all_storages(value, sizes));
        }
        Value::Dict(entries) => {
            for (key, value) in entries {
                all_storages(key, sizes);
                all_storages(value, sizes);
            }
        }
        Value::Persistent(storage) => {
            if let [_, Value::Global(class), Value::Text(key), ..] = &storage[..]
                && let Some(size) = bytes_of(class)
            {
                sizes.insert(key.clone(), size);
            }
        }
        Value::Text(_) | Value::Number(_) | Value::Global(_) | Value::Other => {}
    }
}

/// The name of a storage's class, without its module.
fn class_name(class: &str) -> &str {
    class.rsplit([' ', '.']).next().unwrap_or(class)
}

/// The size in bytes of a number in a storage of this class.
fn bytes_of(class: &str) -> Option<usize> {
    Some(match class_name(class) {
        "DoubleStorage" | "LongStorage" | "ComplexFloatStorage" => 8,
        "FloatStorage" | "IntStorage" => 4,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
        _ => return None,
    })
}

/// The place of a tensor, if all of it is in the file.
fn storage_entry(tensor: &Described, starts: &HashMap<String, u64>, length: u64) -> Option<Entry> {
    let size = tensor.dtype.size_in_bytes();
    let count = tensor
        .shape
        .iter()
        .try_fold(1usize, |all, side| all.checked_mul(*side))?;
    let bytes = |numbers: usize| u64::try_from(numbers.checked_mul(size)?).ok();
    let start = starts
        .get(&tensor.storage)?
        .checked_add(bytes(tensor.offset)?)?;
    (start.checked_add(bytes(count)?)? <= length).then(|| Entry {
        dtype: tensor.dtype,
        shape: tensor.shape.clone(),
        start,
    })
}

/// A tensor or parameter of the state dict. `None` for anything else.
fn describe(value: Value) -> Result<Option<Described>> {
    let Value::Call(name, mut arguments) = value else {
        return Ok(None);
    };
    if name == "torch._utils _rebuild_parameter" && !arguments.is_empty() {
        return describe(arguments.swap_remove(0));
    }
    if name != "torch._utils _rebuild_tensor_v2" {
        return Ok(None);
    }
    let [
        Value::Persistent(storage),
        Value::Number(offset),
        Value::Tuple(shape),
        Value::Tuple(stride),
        ..,
    ] = &arguments[..]
    else {
        bail!("a tensor is described in an unknown way");
    };
    let [_, Value::Global(class), Value::Text(key), ..] = &storage[..] else {
        bail!("a storage is named in an unknown way");
    };
    let (Some(shape), Some(stride)) = (sizes(shape), sizes(stride)) else {
        bail!("the shape of a tensor is not a list of sizes");
    };
    if !without_gaps(&shape, &stride) {
        bail!("a tensor is stored with gaps");
    }
    let dtype = match class_name(class) {
        "FloatStorage" => DType::F32,
        "DoubleStorage" => DType::F64,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "LongStorage" => DType::I64,
        "IntStorage" => DType::I32,
        "ByteStorage" => DType::U8,
        _ => bail!("the numbers have an unknown type: {class}"),
    };
    Ok(Some(Described {
        storage: key.clone(),
        dtype,
        offset: usize::try_from(*offset).unwrap_or(usize::MAX),
        shape,
    }))
}

fn sizes(values: &[Value]) -> Option<Vec<usize>> {
    let size = |value: &Value| match value {
        Value::Number(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    values.iter().map(size).collect()
}

/// Whether the values are contiguous, row by row. The step of an axis of length 1 does not matter.
fn without_gaps(shape: &[usize], stride: &[usize]) -> bool {
    let mut step = 1usize;
    shape.len() == stride.len()
        && shape.iter().zip(stride).rev().all(|(side, stride)| {
            let fits = *side == 1 || *stride == step;
            step = step.saturating_mul(*side);
            fits
        })
}

/// The offset of the numbers of each storage.
fn storages<R: BufRead + Seek>(
    reader: &mut R,
    sizes: &HashMap<String, usize>,
) -> Result<HashMap<String, u64>> {
    let Value::List(keys) = unpickle(reader)? else {
        bail!("the list of storages is missing");
    };
    let mut starts = HashMap::new();
    for key in keys {
        let Value::Text(key) = key else {
            bail!("a storage has no name");
        };
        let mut count = [0; 8];
        reader.read_exact(&mut count)?;
        let start = reader.stream_position()?;
        let Some(size) = sizes.get(&key) else {
            bail!("the storage {key} does not belong to a readable tensor");
        };
        let bytes = u64::from_le_bytes(count).checked_mul(*size as u64);
        let Some(end) = bytes.and_then(|bytes| start.checked_add(bytes)) else {
            bail!("the storage {key} is impossibly large");
        };
        reader.seek(SeekFrom::Start(end))?;
        starts.insert(key, start);
    }
    Ok(starts)
}

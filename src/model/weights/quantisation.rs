//! What the configurations next to weights say about their quantisation.

use crate::model::{ModelError, Result};
use serde_json::Value;
use std::path::Path;

/// Methods whose weights are 8-bit floats with scales.
const READ: [&str; 4] = ["fp8", "fbgemm_fp8", "compressed-tensors", "modelopt"];

/// Files that some tools write next to a configuration, with the method that each describes if it names none
/// itself.
const BESIDE: [(&str, &str); 3] = [
    ("hf_quant_config.json", "modelopt"),
    ("quantize_config.json", "gptq"),
    ("quant_config.json", "awq"),
];

/// A supported quantisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Quantisation {
    /// The file and the method, for messages.
    pub said: String,
    /// Numbers of rows and columns that share a scale, if they are known.
    pub block: Option<[usize; 2]>,
}

/// What the configurations in a folder say. `None` if they say nothing.
///
/// # Errors
/// Fails if they name an unsupported method.
pub(super) fn read(folder: &Path) -> Result<Option<Quantisation>> {
    let mut found = None;
    for (name, method) in std::iter::once(("config.json", "")).chain(BESIDE) {
        let path = folder.join(name);
        // Files that are not JSON are reported by the code that needs them.
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let Ok(config) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        let mut told = Vec::new();
        match method {
            "" => collect(&config, &mut told),
            _ => told.push(&config),
        }
        for told in told {
            found = Some(judge(&path, method, told)?);
        }
    }
    Ok(found)
}

/// The quantisations in a configuration, at any depth, since some concern one part of a model.
fn collect<'a>(config: &'a Value, told: &mut Vec<&'a Value>) {
    let Value::Object(fields) = config else {
        return;
    };
    for (key, value) in fields {
        match key.as_str() {
            "quantization_config" | "compression_config" if is_filled(value) => told.push(value),
            _ => collect(value, told),
        }
    }
}

fn is_filled(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

/// Checks that a described quantisation is supported. `method` is used if the description names none.
fn judge(path: &Path, method: &str, told: &Value) -> Result<Quantisation> {
    let word = |value: &Value| value.as_str().map(str::to_lowercase);
    let method = word(&told["quant_method"])
        .or_else(|| word(&told["quantization"]["quant_method"]))
        .unwrap_or_else(|| method.to_owned());
    let said = format!("{}: quantisation `{method}`", path.display());
    let refused = |why: String| {
        ModelError::file(
            path,
            format!("these weights are quantised in an unsupported way: {why}"),
            "give the checkpoint before quantisation, or one in FP8 with scales (per tensor, row or block)",
        )
    };
    if !READ.contains(&method.as_str()) {
        return Err(refused(match method.as_str() {
            "" => "`quantization_config` has no `quant_method`".into(),
            method => format!("`quant_method` is `{method}`"),
        }));
    }
    let algorithms = [&told["quant_algo"], &told["quantization"]["quant_algo"]];
    for algorithm in algorithms.into_iter().filter_map(word) {
        if !matches!(
            algorithm.as_str(),
            "fp8" | "fp8_pb_wo" | "fp8_per_channel_per_token"
        ) {
            return Err(refused(format!("`quant_algo` is `{algorithm}`")));
        }
    }
    let sparse = word(&told["sparsity_config"]["format"]).filter(|format| format != "dense");
    if let Some(format) = sparse {
        return Err(refused(format!("`sparsity_config.format` is `{format}`")));
    }
    if is_filled(&told["transform_config"]["config_groups"]) {
        return Err(refused("`transform_config` rotates the weights".into()));
    }
    Ok(Quantisation {
        said,
        block: block(told).map_err(refused)?,
    })
}

/// The block of a description. Weights with another number format are an error.
fn block(told: &Value) -> Result<Option<[usize; 2]>, String> {
    let pair = |value: &Value| -> Option<[usize; 2]> { serde_json::from_value(value.clone()).ok() };
    if let Some(block) = pair(&told["weight_block_size"]) {
        return Ok(Some(block));
    }
    let groups = told["config_groups"].as_object();
    let mut found = None;
    for (name, group) in groups.into_iter().flatten() {
        let weights = &group["weights"];
        if weights.is_null() {
            continue;
        }
        let (kind, bits) = (&weights["type"], &weights["num_bits"]);
        if kind.as_str() != Some("float") || bits.as_u64() != Some(8) {
            return Err(format!(
                "`config_groups.{name}.weights` are {kind} of {bits} bits"
            ));
        }
        let own = match weights["strategy"].as_str() {
            Some("block") => pair(&weights["block_structure"]),
            Some("group") => weights["group_size"]
                .as_u64()
                .and_then(|size| Some([1, usize::try_from(size).ok()?])),
            _ => continue,
        };
        if found.is_some_and(|found| found != own) {
            return Err("its groups have blocks of several sizes".into());
        }
        found = Some(own);
    }
    Ok(found.flatten())
}

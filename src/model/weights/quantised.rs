//! Finds the stored tensors that are quantised weights and their scales, and refuses unsupported packings.

use super::quantisation::Quantisation;
use super::scale::Scale;
use super::stored::Stored;
use std::collections::{BTreeMap, BTreeSet};

/// Parts of names that only packed weights have, with the packing.
const PACKED: [(&str, &str); 24] = [
    ("qweight", "GPTQ or AWQ"),
    ("qzeros", "GPTQ or AWQ"),
    ("g_idx", "GPTQ"),
    ("qscales", "integers with scales"),
    ("scales", "integers with scales"),
    ("absmax", "bitsandbytes"),
    ("quant_map", "bitsandbytes"),
    ("nested_absmax", "bitsandbytes"),
    ("nested_quant_map", "bitsandbytes"),
    ("quant_state", "bitsandbytes"),
    ("SCB", "bitsandbytes in eight bits"),
    ("weight_format", "bitsandbytes in eight bits"),
    ("weight_packed", "packed weights of compressed-tensors"),
    ("weight_zero_point", "integers with zero points"),
    ("weight_global_scale", "NVFP4"),
    ("weight_scale_2", "NVFP4"),
    ("bitmask", "sparse weights"),
    ("W_q", "HQQ"),
    ("codebooks", "AQLM"),
    ("wscales", "SVDQuant"),
    ("trellis", "EXL3"),
    ("q_weight", "EXL2"),
    ("_data", "Quanto"),
    ("_scale", "Quanto"),
];

/// Scales of activations and of cached keys and values. They quantise numbers while a network runs, which the
/// networks here do not do. Nothing is lost without them.
const ACTIVATIONS: [&str; 8] = [
    "input_scale",
    "scale_input",
    "input_scale_ub",
    "input_scale_inv",
    "output_scale",
    "scale_output",
    "k_scale",
    "v_scale",
];

/// Tensors that only mark others as scaled FP8, as in files of ComfyUI.
const MARKS: [&str; 2] = ["scaled_fp8", "comfy_quant"];

/// The quantised weights among stored tensors.
#[derive(Debug, Default)]
pub(super) struct Quantised {
    /// The scales, by the weight to which they belong.
    pub scales: BTreeMap<String, Scale>,
    /// Tensors that belong to the quantisation and not to a network.
    pub aside: BTreeSet<String>,
}

type Tensors = BTreeMap<String, Stored>;

impl Quantised {
    /// Finds the scales among stored tensors. `told` is the quantisation in the configuration.
    ///
    /// # Errors
    /// Fails with one sentence if weights are packed in an unsupported way, if scales do not fit a weight, or
    /// if a quantised weight has no scale.
    pub(super) fn find(tensors: &Tensors, told: Option<&Quantisation>) -> Result<Self, String> {
        if let Some((name, packing)) = tensors.keys().find_map(|name| Some((name, packed(name)?))) {
            return Err(format!("`{name}` belongs to {packing}"));
        }
        let mut found = Self::default();
        let mut marked = false;
        for (name, stored) in tensors {
            let (_, leaf) = split(name);
            if MARKS.contains(&leaf) {
                marked |= leaf == "scaled_fp8";
                found.aside.insert(name.clone());
            } else if ACTIVATIONS.contains(&leaf) {
                found.aside.insert(name.clone());
            } else if let Some(owner) = owner(name, tensors) {
                let scale = fitted(&owner, (name.as_str(), stored), tensors, told)?;
                if let Some(other) = found.scales.insert(owner.clone(), scale) {
                    return Err(format!(
                        "`{}` and `{name}` both scale `{owner}`",
                        other.name
                    ));
                }
                found.aside.insert(name.clone());
            } else if is_unread_scale(name, stored, tensors) {
                return Err(format!(
                    "`{name}` looks like a scale, but it does not belong to a known quantisation"
                ));
            }
        }
        // A file with ComfyUI's marks leaves out scales of 1.
        if (told.is_some() || !found.scales.is_empty()) && !marked {
            found.check_complete(tensors, told)?;
        }
        Ok(found)
    }

    /// Checks that every quantised matrix has its scale.
    fn check_complete(&self, tensors: &Tensors, told: Option<&Quantisation>) -> Result<(), String> {
        let lacking = |(name, stored): &(&String, &Stored)| {
            stored.is_eight_bits()
                && stored.dims.len() > 1
                && !self.scales.contains_key(*name)
                && !self.aside.contains(*name)
        };
        let mut lacking = tensors.iter().filter(lacking).map(|(name, _)| name);
        let Some(first) = lacking.next() else {
            return Ok(());
        };
        let why = match told {
            Some(told) => told.said.clone(),
            None => "other weights in these files have one".into(),
        };
        let (one, more) = (tensors[first].dtype, lacking.count());
        let more = match more {
            0 => String::new(),
            1 => ", and one more has none".into(),
            more => format!(", and {more} more have none"),
        };
        Err(format!("`{first}` is {one} and has no scale{more}: {why}"))
    }
}

/// The last part of a name, and the part before it.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

/// The tensor with this last part at the same place.
fn sibling_name(stem: &str, leaf: &str) -> String {
    match stem {
        "" => leaf.to_owned(),
        stem => format!("{stem}.{leaf}"),
    }
}

/// The packing that a name implies.
fn packed(name: &str) -> Option<&'static str> {
    let known = |part: &str| PACKED.iter().find(|(packed, _)| *packed == part);
    if let Some((_, packing)) = name.split('.').find_map(known) {
        return Some(*packing);
    }
    let (_, leaf) = split(name);
    (leaf.ends_with("_blocks") || leaf.ends_with("_scales")).then_some("MXFP4")
}

/// The weight whose scale a name implies: `x_scale_inv` and `x_scale` belong to `x`, `scale_x` to the `x`
/// next to it.
fn owner(name: &str, tensors: &Tensors) -> Option<String> {
    let (stem, leaf) = split(name);
    if let Some(owner) = name.strip_suffix("_scale_inv") {
        return Some(owner.to_owned());
    }
    if let Some(owner) = name.strip_suffix("_scale") {
        return (leaf == "weight_scale" || tensors.contains_key(owner)).then(|| owner.to_owned());
    }
    let owner = sibling_name(stem, leaf.strip_prefix("scale_")?);
    (leaf == "scale_weight" || tensors.contains_key(&owner)).then_some(owner)
}

/// The scale for the weight to which it belongs.
fn fitted(
    owner: &str,
    (name, scales): (&str, &Stored),
    tensors: &Tensors,
    told: Option<&Quantisation>,
) -> Result<Scale, String> {
    let Some(weight) = tensors.get(owner) else {
        return Err(format!(
            "`{name}` is the scale of `{owner}`, which does not exist"
        ));
    };
    if !weight.is_eight_bits() {
        return Err(format!(
            "`{name}` is the scale of `{owner}`, but that is {} instead of FP8",
            weight.dtype
        ));
    }
    let block = told.and_then(|told| told.block);
    Scale::fit(weight, name, scales, block).ok_or_else(|| {
        let of = match block {
            Some([high, wide]) => format!("blocks of {high} × {wide}"),
            None => "all, of rows or of blocks of a known size".into(),
        };
        format!(
            "`{name}` ({} of shape {:?}) cannot be the scales of {of} of `{owner}`, of shape {:?}",
            scales.dtype, scales.dims, weight.dims
        )
    })
}

/// The parts of words in the name of a scale.
const CALLED: [&str; 4] = ["scale", "scaling", "absmax", "amax"];

/// Whether a tensor with the name of a scale is next to a weight that is not a plain float.
fn is_unread_scale(name: &str, scale: &Stored, tensors: &Tensors) -> bool {
    let (stem, leaf) = split(name);
    let leaf = leaf.to_lowercase();
    // The factor of similarities belongs to the network.
    if leaf.starts_with("logit_") || !CALLED.iter().any(|word| leaf.contains(word)) {
        return false;
    }
    let packed = |weight: &Stored| weight.is_eight_bits() || !weight.is_float();
    let of = |owner: &str| tensors.get(owner).is_some_and(packed);
    // Either `x.weight` next to `x.scale`, or `x.weight.scale`.
    if of(&sibling_name(stem, "weight")) || of(stem) {
        return true;
    }
    // Any 8-bit matrix at the same place, with any name. A plain cast casts its scales too.
    let same_place = |(other, weight): (&String, &Stored)| {
        split(other).0 == stem && weight.is_eight_bits() && weight.dims.len() > 1
    };
    !scale.is_eight_bits() && tensors.iter().any(same_place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::Dtype;

    fn why(tensors: &[(&str, Dtype, &[usize])]) -> Option<String> {
        let stored = tensors.iter().map(|(name, dtype, dims)| {
            let (dims, dtype) = (dims.to_vec(), *dtype);
            ((*name).to_owned(), Stored { dims, dtype })
        });
        Quantised::find(&stored.collect(), None).err()
    }

    #[test]
    fn a_scale_by_any_name_beside_a_matrix_of_eight_bits_is_not_passed_over() {
        let matrix = ("a.in_proj_weight", Dtype::F8_E4M3, &[4, 2][..]);
        for name in ["a.in_proj_scale", "a.scaling_factor", "a.w_amax", "a.Scale"] {
            let why = why(&[matrix, (name, Dtype::F32, &[])]);
            assert!(why.unwrap().contains(name), "{name}");
        }
        // Tensors of the network itself: the factor of similarities, a scale at another place, and a plain
        // cast.
        for (name, dtype) in [
            ("a.logit_scale", Dtype::F32),
            ("a.norm.scale", Dtype::F32),
            ("a.layer_scale", Dtype::F8_E4M3),
        ] {
            assert_eq!(why(&[matrix, (name, dtype, &[2])]), None, "{name}");
        }
        assert_eq!(
            why(&[("a.w", Dtype::F16, &[4, 2]), ("a.scale", Dtype::F32, &[4])]),
            None
        );
    }
}

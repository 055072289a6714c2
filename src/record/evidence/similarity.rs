//! The similarity of an edited picture to its input, its target and its captions, as networks measure it.

use crate::record::Object;
use serde::Serialize;
use serde_json::Value;

/// The key of the measures that could not be taken.
const ABSENT: &str = "absent";

/// A cosine, −1 to 1. Null if one of the vectors has no length, such as the change between two equal
/// pictures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Similarity(pub Option<f64>);

/// The measures of one edit. A measure that was not asked for, or for which the item has no data, is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Similarities {
    /// Output and input, by CLIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_i: Option<Similarity>,
    /// Output and target, by CLIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_i_target: Option<Similarity>,
    /// Output and its caption, by CLIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_t: Option<Similarity>,
    /// The change from input to output, and the change between their captions, by CLIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_dir: Option<Similarity>,
    /// The output, black outside the mask, and its caption, by CLIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_t_inside: Option<Similarity>,
    /// Output and input, by DINO.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dino: Option<Similarity>,
    /// Output and target, by DINO.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dino_target: Option<Similarity>,
    /// LPIPS of output and input, a distance from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lpips: Option<f64>,
    /// LPIPS of output and target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lpips_target: Option<f64>,
    /// LPIPS of output and input, both black inside the mask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lpips_zeroed: Option<f64>,
    /// The network behind LPIPS: `alex`, `vgg` or `squeeze`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lpips_net: Option<&'static str>,
    /// PIE-Bench's structure distance of output and input, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structure: Option<f64>,
    /// The measures that could not be taken, with the reasons.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub absent: Object,
}

impl Similarities {
    /// The key that shows evidence with measures that could not be taken.
    pub const ABSENT: &'static str = ABSENT;
}

/// Why a measure could not be taken. The reason for `lpips` also counts for `lpips_target`.
pub fn why_absent<'a>(evidence: &'a Value, measure: &str) -> Option<&'a str> {
    let absent = evidence.get(ABSENT)?.as_object()?;
    let (_, why) = absent
        .iter()
        .find(|(name, _)| measure.starts_with(name.as_str()))?;
    why.as_str()
}

#[cfg(test)]
mod tests {
    use super::super::written;
    use super::*;

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let near = Some(Similarity(Some(0.5)));
        let mut seen = Similarities {
            clip_i: near,
            clip_i_target: near,
            clip_t: near,
            clip_dir: Some(Similarity(None)),
            clip_t_inside: near,
            dino: near,
            dino_target: near,
            lpips: Some(0.25),
            lpips_target: Some(0.25),
            lpips_zeroed: Some(0.25),
            lpips_net: Some("alex"),
            structure: Some(0.0),
            absent: Object::new(),
        };
        assert_eq!(
            written(&seen).unwrap().to_string(),
            r#"{"clip_i":0.5,"clip_i_target":0.5,"clip_t":0.5,"clip_dir":null,"clip_t_inside":0.5,"dino":0.5,"dino_target":0.5,"lpips":0.25,"lpips_target":0.25,"lpips_zeroed":0.25,"lpips_net":"alex","structure":0.0}"#
        );
        seen = Similarities {
            absent: Object::from_iter([("lpips".to_owned(), "no weights".into())]),
            ..Similarities::default()
        };
        let value = written(&seen).unwrap();
        assert_eq!(value.to_string(), r#"{"absent":{"lpips":"no weights"}}"#);
        assert_eq!(why_absent(&value, "lpips_target"), Some("no weights"));
        assert_eq!(why_absent(&value, "dino"), None);
    }
}

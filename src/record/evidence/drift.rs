//! The text of a picture before and after an edit.

use serde::{Deserialize, Serialize};

/// What is written in the input and in the output of an edit, read by the same engine at the same size.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftReading {
    /// The lines of the input.
    pub source: Vec<ReadLine>,
    /// The lines of the output.
    pub after: Vec<ReadLine>,
    /// Width of the input, in pixels, whose size both pictures have.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    /// Whether the output was resized to it.
    pub resized: bool,
    /// The box of the region that was to be edited: left, top, right and bottom, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<[f64; 4]>,
    /// The edit itself. Absent if the item has no target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<EditSeen>,
}

impl DriftReading {
    /// The key that shows this kind.
    pub const KEY: &'static str = "source";
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadLine {
    /// Its characters.
    pub text: String,
    /// Left, top, right and bottom, in pixels.
    #[serde(rename = "box")]
    pub bbox: [f64; 4],
    /// Whether the line of the input meets the region that was to be edited, or is next to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_edit: bool,
}

/// Whether the edit was done, by pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EditSeen {
    /// The intersection over union of the pixels that changed inside the region, and of those that should.
    pub iou: f64,
    /// The distance of the mean colours of output and target over the pixels that should change, in 8-bit
    /// values.
    pub color: f64,
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let seen = DriftReading {
            source: vec![ReadLine {
                text: "AB".into(),
                bbox: [1.0, 2.0, 3.0, 4.0],
                in_edit: true,
            }],
            width: 8,
            height: 4,
            edited: Some([0.0; 4]),
            edit: Some(EditSeen {
                iou: 0.5,
                color: 3.0,
            }),
            ..DriftReading::default()
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"source":[{"text":"AB","box":[1.0,2.0,3.0,4.0],"in_edit":true}],"after":[],"width":8,"height":4,"resized":false,"edited":[0.0,0.0,0.0,0.0],"edit":{"iou":0.5,"color":3.0}}"#
        );
        assert_eq!(read::<DriftReading>(&value), seen);
    }
}

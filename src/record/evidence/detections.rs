//! `detections`: the objects that a detector finds in a picture.

use super::field::{Field, Text};
use crate::record::Object;
use serde::{Deserialize, Serialize};

/// All objects of a picture. `B` is a box: four numbers, as in [`Detection::bbox`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Detections<'a, B = [f64; 4]> {
    /// Width of the picture that the boxes are in, in pixels.
    #[serde(skip_deserializing)]
    pub width: u32,
    /// Its height, in pixels.
    #[serde(skip_deserializing)]
    pub height: u32,
    /// Whether the output was resized to that size. Absent if the detector sees pictures as they are.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub resized: Option<bool>,
    /// The objects, in the detector's order.
    #[serde(borrow, default)]
    pub detections: Field<Vec<Field<Detection<'a, B>>>>,
    /// The number of parts of the picture that resemble no object. Absent if the detector does not count
    /// them.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<usize>,
    /// The words that the letters among the objects form. Absent if the detector reads none.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<'a>>,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(expecting = "a detected object")]
pub struct Detection<'a, B = [f64; 4]> {
    /// The name of its class.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub class: Field<Text<'a>>,
    /// The confidence of the detector, 0 to 1.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub score: Field<f64>,
    /// Left, top, right and bottom, in pixels.
    #[serde(default, rename = "box", skip_serializing_if = "Field::is_absent")]
    pub bbox: Field<B>,
    /// Its colour, if it was asked for.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub color: Field<Text<'a>>,
    /// 100 times the cosine of each colour, by its name.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub color_scores: Option<Object>,
    /// Intersection over union with the shape that the class has in the miniature world, 0 to 1.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<f64>,
}

impl Detections<'_> {
    /// The key that shows this kind.
    pub const KEY: &'static str = "detections";
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let dog = Detection {
            class: Text::from("dog").into(),
            score: 0.9.into(),
            bbox: [1, 2, 30, 40].into(),
            color: Text::from("red").into(),
            color_scores: Some(Object::from_iter([("red".to_owned(), json!(27.5))])),
            overlap: None,
        };
        let cup = Detection {
            class: Text::from("cup").into(),
            score: 1.0.into(),
            bbox: [0, 0, 5, 5].into(),
            overlap: Some(0.5),
            ..Detection::default()
        };
        let seen = Detections {
            width: 64,
            height: 48,
            resized: Some(false),
            detections: vec![dog.into(), cup.into()].into(),
            unknown: Some(0),
            text: Some("AB".into()),
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"width":64,"height":48,"resized":false,"detections":[{"class":"dog","score":0.9,"box":[1,2,30,40],"color":"red","color_scores":{"red":27.5}},{"class":"cup","score":1.0,"box":[0,0,5,5],"overlap":0.5}],"unknown":0,"text":"AB"}"#
        );
        let again: Detections<'_> = read(&value);
        let objects = again.detections.required("detections").unwrap();
        assert_eq!(objects[0].get().unwrap().color.text(), "red");
        assert_eq!(
            objects[1].get().unwrap().bbox,
            Field::Given([0.0, 0.0, 5.0, 5.0])
        );
        assert!(objects[1].get().unwrap().color.is_absent());
    }

    #[test]
    fn evidence_of_others_may_lack_keys_or_hold_others() {
        let value = json!({"width": "wide", "detections": [{"class": "dog", "extra": 1}, 7]});
        let seen: Detections<'_> = read(&value);
        let objects = seen.detections.required("detections").unwrap();
        assert!(objects[0].get().unwrap().score.is_absent());
        assert_eq!(
            objects[1],
            Field::Wrong("invalid type: integer `7`, expected a detected object".into())
        );
        let list = json!([1]);
        assert!(read::<Detections<'_>>(&list).detections.is_absent());
    }
}

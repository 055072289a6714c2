//! The OpenCV operations that prepared the training data of vision models, reproduced so closely that a
//! network sees the same pixels.
//!
//! Pictures are RGB here, where OpenCV users write BGR. Every operation treats the channels alike, so only
//! the code that fills the input of a network must swap them.

mod canny;
mod contour;
mod grey;
mod morphology;
mod rect;
mod resize;
mod warp;

pub use canny::{Channels, canny};
pub use contour::borders;
pub use grey::grey;
pub use morphology::{Element, close, dilate, erode};
pub use rect::{RotatedRect, min_area_rect};
pub use resize::resize_linear;
pub use warp::crop_quad;

#[cfg(test)]
mod tests {
    //! Against OpenCV itself: tests/golden/ppocr/cv.py.

    use super::*;
    use image::RgbImage;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../tests/golden/ppocr/cv.json")).unwrap()
    }

    fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn picture(value: &Value) -> RgbImage {
        let pixels = read(&value["pixels"]);
        RgbImage::from_raw(read(&value["width"]), read(&value["height"]), pixels).unwrap()
    }

    /// Corners sorted, so that it does not matter which comes first.
    fn sorted(mut corners: [[f32; 2]; 4]) -> [[f32; 2]; 4] {
        corners.sort_by(|a, b| {
            let rounded = |p: &[f32; 2]| p.map(|v| (v * 10.0).round());
            rounded(a).partial_cmp(&rounded(b)).unwrap()
        });
        corners
    }

    #[test]
    fn resizing_is_bit_exact() {
        let golden = golden();
        let source = picture(&golden["picture"]);
        let cases = golden["resized"].as_array().unwrap();
        assert_eq!(cases.len(), 5);
        for expected in cases {
            let expected = picture(expected);
            let resized = resize_linear(&source, expected.width(), expected.height());
            assert_eq!(resized, expected);
        }
    }

    #[test]
    fn straightened_crops_are_within_one_grey_level() {
        let golden = golden();
        let source = picture(&golden["smooth"]);
        let cases = golden["crops"].as_array().unwrap();
        assert_eq!(cases.len(), 3);
        for case in cases {
            let expected = picture(case);
            let (width, height) = expected.dimensions();
            let cut = crop_quad(&source, read(&case["quad"]), width, height).unwrap();
            assert_eq!(cut.dimensions(), expected.dimensions());
            let apart = cut.as_raw().iter().zip(expected.as_raw());
            let differing = apart.clone().filter(|(a, b)| a != b).count();
            assert!(apart.clone().all(|(a, b)| a.abs_diff(*b) <= 1));
            assert!(differing * 100 <= expected.as_raw().len(), "{differing}");
        }
    }

    #[test]
    fn a_quadrilateral_without_area_gives_no_crop() {
        let source = RgbImage::new(20, 20);
        let flat = [[2.0, 2.0], [9.0, 2.0], [12.0, 2.0], [5.0, 2.0]];
        assert_eq!(crop_quad(&source, flat, 10, 4), None);
    }

    #[test]
    fn borders_come_in_the_same_order_with_the_same_points() {
        let golden = golden();
        let cells: Vec<u8> = read(&golden["bitmap"]["cells"]);
        let width = read(&golden["bitmap"]["width"]);
        let expected: Vec<Vec<[i32; 2]>> = golden["contours"]
            .as_array()
            .unwrap()
            .iter()
            .map(|contour| read(&contour["points"]))
            .collect();
        assert_eq!(borders(&cells, width), expected);
    }

    #[test]
    fn least_rectangles_agree() {
        let golden = golden();
        let contours = golden["contours"].as_array().unwrap();
        assert_eq!(contours.len(), 8);
        for contour in contours {
            let points: Vec<[i32; 2]> = read(&contour["points"]);
            let rect = min_area_rect(&points);
            let side: f32 = read(&contour["shorter_side"]);
            assert!((rect.shorter_side() - side).abs() < 1e-3, "{contour}");
            let (ours, theirs) = (sorted(rect.corners()), sorted(read(&contour["corners"])));
            for (a, b) in ours.iter().flatten().zip(theirs.iter().flatten()) {
                assert!((a - b).abs() < 1e-3, "{ours:?} {theirs:?}");
            }
        }
    }

    #[test]
    fn the_rectangle_of_nothing_is_empty() {
        assert_eq!(min_area_rect(&[]).size, [0.0; 2]);
        assert_eq!(min_area_rect(&[[3, 4], [3, 4]]).center, [3.0, 4.0]);
    }
}

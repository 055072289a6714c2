//! Weights of edited regions beside OpenCV's and Pillow's: tests/golden/train/region.py says what the numbers
//! are.

use base64::Engine as _;
use image::{GrayImage, RgbImage};
use serde_json::Value;
use std::path::Path;
use unigauge::train::region::{Region, RegionError, RegionSettings, WeightFunction, weights};

fn numbers(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn bits(mask: impl Iterator<Item = bool>) -> String {
    let mask: Vec<bool> = mask.collect();
    let byte = |bits: &[bool]| {
        (0..8).fold(0, |byte, at| {
            byte << 1 | u8::from(bits.get(at) == Some(&true))
        })
    };
    mask.chunks(8)
        .map(|bits| format!("{:02x}", byte(bits)))
        .collect()
}

fn white(mask: &GrayImage) -> String {
    bits(mask.pixels().map(|pixel| pixel[0] == 255))
}

#[test]
fn regions_and_weights_equal_opencvs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/train/region.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let pictures = golden["pictures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|picture| {
            let bytes = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap());
            image::load_from_memory(&bytes.unwrap()).unwrap().to_rgb8()
        });
    let pictures: Vec<RgbImage> = pictures.collect();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!((pictures.len(), cases.len()), (73, 54));
    for (number, case) in cases.iter().enumerate() {
        let title = format!("{number}: {}", case["title"]);
        let target = &pictures[case["target"].as_u64().unwrap() as usize];
        let references = numbers(&case["references"]).into_iter();
        let references: Vec<RgbImage> = references
            .map(|number| pictures[number as usize].clone())
            .collect();
        let settings: RegionSettings = serde_json::from_value(case["settings"].clone()).unwrap();
        let region = match (
            Region::new(target, &references, &settings),
            case["error"].as_str(),
        ) {
            (Ok(region), None) => region,
            (Err(RegionError::Nothing), Some("nothing")) => continue,
            (Err(RegionError::TooSmall { .. }), Some("too small")) => continue,
            (got, want) => panic!("{title}: {got:?} and {want:?}"),
        };
        assert_eq!(
            white(&region.mask),
            case["mask"].as_str().unwrap(),
            "{title}"
        );
        let grid = numbers(&case["grid"]);
        assert_eq!(
            [region.pooled.width(), region.pooled.height()],
            grid[..],
            "{title}"
        );
        assert_eq!(
            white(&region.pooled),
            case["pooled"].as_str().unwrap(),
            "{title}"
        );
        let weight = case["weight"].as_f64().unwrap();
        assert_eq!(region.weight, weight, "{title}");
        // On its own grid and on another one.
        for (grid, mask) in [("grid", "pooled"), ("other_grid", "other")] {
            let grid = numbers(&case[grid]);
            let got = weights(target, &references, [grid[0], grid[1]], &settings).unwrap();
            assert_eq!(got.len() as u32, grid[0] * grid[1], "{title}");
            assert!(
                got.iter().all(|got| *got == 1.0 || *got == weight as f32),
                "{title}"
            );
            if weight != 1.0 {
                let heavy = got.iter().map(|weight| *weight != 1.0);
                assert_eq!(bits(heavy), case[mask].as_str().unwrap(), "{title}");
            }
        }
    }
}

/// Values of the paper's functions: a white corner of 1, 1/2, 1/4, 1/16 and 1/64 of the picture.
#[test]
fn weights_follow_the_size_of_the_region() {
    let before = RgbImage::new(32, 32);
    let weight = |[columns, rows]: [u32; 2], function| {
        let settings = RegionSettings {
            pool: 4,
            pooled_kernel: 1,
            function,
            ..RegionSettings::default()
        };
        let mut after = before.clone();
        for (x, y, pixel) in after.enumerate_pixels_mut() {
            if x < columns && y < rows {
                pixel.0 = [255; 3];
            }
        }
        let all = weights(&after, std::slice::from_ref(&before), [8, 8], &settings).unwrap();
        assert!(all.iter().all(|weight| *weight == 1.0 || *weight == all[0]));
        all[0]
    };
    let sides = [[32, 32], [32, 16], [16, 16], [8, 8], [4, 4]];
    let log = sides.map(|sides| weight(sides, WeightFunction::Log));
    assert_eq!(log, [1.0, 2.0, 3.0, 5.0, 7.0]);
    let exp = sides.map(|sides| weight(sides, WeightFunction::Exp));
    assert_eq!(exp, [1.0, 1.332_572, 2.0, 8.0, 128.0]);
    let none = sides.map(|sides| weight(sides, WeightFunction::None));
    assert_eq!(none, [1.0; 5]);
}

#[test]
fn what_does_not_fit_is_named() {
    let picture = RgbImage::new(32, 24);
    let told = |references: &[RgbImage], settings: RegionSettings| {
        weights(&picture, references, [4, 3], &settings)
            .unwrap_err()
            .to_string()
    };
    let even = RegionSettings {
        kernel: 4,
        ..RegionSettings::default()
    };
    assert!(told(&[], even).contains("kernel of 4"));
    let large = RegionSettings {
        pool: 25,
        ..RegionSettings::default()
    };
    assert!(told(&[], large).contains("no cell of 25 × 25"));
    let other = [RgbImage::new(24, 32)];
    let message = told(&other, RegionSettings::default());
    assert!(
        message.contains("(24, 32)") && message.contains("(32, 24)"),
        "{message}"
    );
}

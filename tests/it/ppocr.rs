//! The PP-OCR observer against the Python package rapidocr-onnxruntime 1.4.4 (tests/golden/ppocr/make.py),
//! and on pictures and files that are not as they should be.

use crate::support::{ocr_models, ocr_v6_models};
use image::{Rgb, RgbImage};
use miette::Diagnostic;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use unigauge::hub::{Hub, HubOptions};
use unigauge::observe::ppocr::{Execution, PpOcr, PpOcrError, PpOcrModels, PpOcrSettings};
use unigauge::observe::{Noted, ObserveError, Observer, Subject};
use unigauge::record::{Item, Output};

/// The package's tolerance in the issue: same lines, scores within this.
const SCORE_TOLERANCE: f64 = 0.02;
/// Corners may differ by this many pixels.
const CORNER_TOLERANCE: f64 = 2.0;

fn observer(settings: PpOcrSettings) -> Option<PpOcr> {
    Some(PpOcr::load(&ocr_models()?, settings).expect("models load"))
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ppocr")
}

fn picture(name: &str) -> RgbImage {
    image::open(golden().join(name)).unwrap().into_rgb8()
}

fn look_at(observer: &PpOcr, pictures: &[Option<&RgbImage>]) -> Vec<Result<Value, ObserveError>> {
    let item: Item =
        serde_json::from_str(r#"{"item": "1", "task": "text-to-image", "prompt": ""}"#).unwrap();
    let output: Output =
        serde_json::from_str(r#"{"item": "1", "repeat": 0, "seed": 0, "kind": "image"}"#).unwrap();
    let noted = Noted::default();
    let subjects: Vec<Subject> = pictures
        .iter()
        .map(|image| Subject {
            item: &item,
            base: std::path::Path::new(""),
            output: &output,
            image: *image,
            file: None,
            noted: &noted,
        })
        .collect();
    observer.observe(&subjects)
}

fn read(observer: &PpOcr, image: &RgbImage) -> Value {
    look_at(observer, &[Some(image)])
        .remove(0)
        .expect("evidence")
}

fn texts(evidence: &Value) -> Vec<&str> {
    let lines = evidence["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line["text"].as_str().unwrap())
        .collect()
}

/// Compares what is read on the pictures with what the package read on them.
fn agrees(observer: &PpOcr, expected: &str) {
    let expected: Value =
        serde_json::from_slice(&fs::read(golden().join(expected)).unwrap()).unwrap();
    let expected = expected.as_object().unwrap();
    assert!(expected.len() >= 12);
    for (name, lines) in expected {
        let evidence = read(observer, &picture(name));
        let lines = lines.as_array().unwrap();
        let wanted: Vec<&str> = lines.iter().map(|l| l["text"].as_str().unwrap()).collect();
        assert_eq!(texts(&evidence), wanted, "{name}");
        assert_eq!(evidence["text"], wanted.join("\n"), "{name}");
        for (ours, theirs) in evidence["lines"].as_array().unwrap().iter().zip(lines) {
            let score = |line: &Value| line["score"].as_f64().unwrap();
            let apart = (score(ours) - score(theirs)).abs();
            assert!(apart <= SCORE_TOLERANCE, "{name}: {ours} {theirs}");
            let corners = |line: &Value| -> Vec<f64> {
                let polygon = line["polygon"].as_array().unwrap();
                polygon
                    .iter()
                    .flat_map(|point| point.as_array().unwrap())
                    .map(|value| value.as_f64().unwrap())
                    .collect()
            };
            let (ours, theirs) = (corners(ours), corners(theirs));
            assert_eq!(ours.len(), 8);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= CORNER_TOLERANCE;
            assert!(
                ours.iter().zip(&theirs).all(near),
                "{name}: {ours:?} {theirs:?}"
            );
        }
    }
}

#[test]
fn reads_the_lines_that_the_python_package_reads() {
    if let Some(observer) = observer(PpOcrSettings::default()) {
        agrees(&observer, "expected.json");
        let evidence = read(&observer, &picture("clean.png"));
        assert_eq!(evidence["engine"], "PP-OCRv4");
    }
}

/// Against rapidocr 3.10.0 (tests/golden/ppocr/make_v6.py).
#[test]
fn pp_ocrv6_reads_the_lines_that_the_python_package_reads() {
    if let Some(models) = ocr_v6_models() {
        let observer = PpOcr::load(&models, v6()).expect("models load");
        agrees(&observer, "expected_v6.json");
        let evidence = read(&observer, &picture("clean.png"));
        assert_eq!(evidence["engine"], "PP-OCRv6");
    }
}

fn v6() -> PpOcrSettings {
    PpOcrSettings {
        models: "v6".into(),
        ..PpOcrSettings::default()
    }
}

/// A folder as a user would fill it with PP-OCRv5: other file names, and the characters in a list beside the
/// models.
#[test]
fn models_of_the_users_own_folder_read_as_well() {
    let (Some(models), Ok(hub)) = (ocr_models(), Hub::new(HubOptions::default())) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let put = |from: &Path, name: &str| fs::copy(from, folder.path().join(name)).unwrap();
    put(&models.detection, "my_PP-OCRv5_det.onnx");
    put(&models.recognition, "latin_PP-OCRv5_rec.onnx");
    let settings = PpOcrSettings {
        models: folder.path().display().to_string(),
        ..PpOcrSettings::default()
    };
    let load = |settings: &PpOcrSettings| {
        let models = PpOcrModels::from_settings(settings, &hub).unwrap().unwrap();
        PpOcr::load(&models, settings.clone())
    };
    let evidence = read(&load(&settings).unwrap(), &picture("clean.png"));
    assert_eq!(evidence["engine"], "PP-OCRv5 (latin_PP-OCRv5_rec)");
    assert_eq!(texts(&evidence), ["HelloWorld2026", "OPENDAILY", "right"]);

    // A list goes over the one inside the model, and must have as many characters.
    let list = |count: usize| (0..count).map(|_| "x\n").collect::<String>();
    fs::write(folder.path().join("keys.txt"), list(6623)).unwrap();
    let evidence = read(&load(&settings).unwrap(), &picture("small.png"));
    assert_eq!(texts(&evidence), ["x".repeat(9), "x".repeat(4)]);
    fs::write(folder.path().join("keys.txt"), list(95)).unwrap();
    let error = load(&settings).err().expect("an error").to_string();
    assert!(
        error.contains("keys.txt: it has 95 characters, but the model distinguishes 6623"),
        "{error}"
    );
    let own = PpOcrSettings {
        dictionary: Some("nowhere/list.txt".into()),
        ..settings
    };
    let error = load(&own).err().expect("an error").to_string();
    assert!(error.contains("nowhere/list.txt"), "{error}");
}

#[test]
fn models_that_are_not_there_are_named_with_what_could_be() {
    let hub = Hub::new(HubOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let of = |models: &str| {
        let settings = PpOcrSettings {
            models: models.into(),
            ..PpOcrSettings::default()
        };
        let error = PpOcrModels::from_settings(&settings, &hub).expect_err("an error");
        format!("{error} | {}", error.help().expect("help"))
    };
    let said = of("v5");
    assert!(
        said.contains("models = \"v5\"") || said.contains("`models` = \"v5\""),
        "{said}"
    );
    assert!(
        said.contains("there is no such folder") && said.contains("PP-OCRv5"),
        "{said}"
    );
    let empty = of(&folder.path().display().to_string());
    assert!(
        empty.contains("no .onnx file with `rec` in its name"),
        "{empty}"
    );
    fs::write(folder.path().join("a_rec.onnx"), "").unwrap();
    fs::write(folder.path().join("b_rec.onnx"), "").unwrap();
    let two = of(&folder.path().display().to_string());
    assert!(
        two.contains("a_rec.onnx") && two.contains("b_rec.onnx"),
        "{two}"
    );
}

/// The fetched library runs on the CPU only.
#[test]
fn a_gpu_that_the_library_cannot_use_is_an_error_with_a_remedy() {
    let Some(models) = ocr_models() else {
        return;
    };
    let settings = PpOcrSettings {
        execution: Execution::Cuda,
        ..PpOcrSettings::default()
    };
    let error = PpOcr::load(&models, settings).err().expect("an error");
    assert!(matches!(error, PpOcrError::Execution { .. }), "{error}");
    let help = error.help().expect("help").to_string();
    assert!(help.contains("runtime"), "{help}");
}

#[test]
fn the_same_whatever_the_batch_and_the_threads() {
    let Some(one) = observer(PpOcrSettings::default()) else {
        return;
    };
    let two = observer(PpOcrSettings {
        threads: 2,
        ..PpOcrSettings::default()
    })
    .unwrap();
    let pictures = ["clean.png", "chinese.png", "rotated.png"].map(picture);
    let alone: Vec<Value> = pictures.iter().map(|image| read(&one, image)).collect();
    let together: Vec<Value> = look_at(&one, &pictures.each_ref().map(Some))
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(alone, together);
    assert_eq!(one.identity(), two.identity());
    let at_once: Vec<Value> = std::thread::scope(|scope| {
        let workers = pictures
            .each_ref()
            .map(|image| scope.spawn(|| read(&two, image)));
        workers.map(|worker| worker.join().unwrap()).into()
    });
    for (a, b) in alone.iter().zip(&at_once) {
        assert_eq!(texts(a), texts(b));
    }
}

#[test]
fn the_direction_check_can_be_left_out() {
    let settings = PpOcrSettings {
        direction: false,
        ..PpOcrSettings::default()
    };
    let Some(observer) = observer(settings) else {
        return;
    };
    // The picture has nine lines; the direction network loses five of them.
    assert_eq!(texts(&read(&observer, &picture("dense.png"))).len(), 9);
}

#[test]
fn odd_pictures_give_no_lines_and_no_panic() {
    let Some(observer) = observer(PpOcrSettings::default()) else {
        return;
    };
    for (width, height) in [
        (1, 1),
        (30, 4000),
        (4000, 30),
        (1, 3000),
        (3000, 1),
        (29, 31),
    ] {
        let image = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        let evidence = read(&observer, &image);
        assert_eq!(texts(&evidence), Vec::<&str>::new(), "{width}×{height}");
        assert_eq!(evidence["text"], "");
    }
    let black = RgbImage::new(640, 480);
    assert_eq!(texts(&read(&observer, &black)), Vec::<&str>::new());
}

#[test]
fn text_in_a_huge_picture_is_found_where_it_stands() {
    let Some(observer) = observer(PpOcrSettings::default()) else {
        return;
    };
    let small = picture("clean.png");
    let (left, top) = (3000, 2000);
    let enlarged =
        image::imageops::resize(&small, 2048, 2048, image::imageops::FilterType::Triangle);
    let mut huge = RgbImage::from_pixel(6000, 4500, Rgb([255; 3]));
    image::imageops::replace(&mut huge, &enlarged, left, top);
    let evidence = read(&observer, &huge);
    assert_eq!(texts(&evidence).len(), 3, "{evidence}");
    let corner = &evidence["lines"][0]["polygon"][0];
    // "Hello World 2026" is drawn at (50, 60) of the small picture, four times enlarged here.
    let x = corner[0].as_f64().unwrap() - left as f64;
    let y = corner[1].as_f64().unwrap() - top as f64;
    assert!((150.0..=230.0).contains(&x), "{x}");
    assert!((200.0..=320.0).contains(&y), "{y}");
}

#[test]
fn an_output_without_a_picture_is_an_error_of_that_output_only() {
    let Some(observer) = observer(PpOcrSettings::default()) else {
        return;
    };
    let image = picture("small.png");
    let seen = look_at(&observer, &[None, Some(&image)]);
    assert_eq!(seen[0].as_ref().unwrap_err().kind, "image");
    assert_eq!(texts(seen[1].as_ref().unwrap()), ["tinylabel", "no.7"]);
}

#[test]
fn a_broken_model_is_named_with_its_remedy() {
    let Some(models) = ocr_models() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("det.onnx");
    let whole = fs::read(&models.detection).unwrap();
    let load = |detection: PathBuf| {
        let models = PpOcrModels {
            detection,
            ..models.clone()
        };
        PpOcr::load(&models, PpOcrSettings::default())
    };
    for bytes in [&b""[..], b"not a model", &whole[..whole.len() / 2]] {
        fs::write(&broken, bytes).unwrap();
        let error = load(broken.clone()).err().expect("an error");
        assert!(matches!(error, PpOcrError::Model { .. }), "{error}");
        assert!(error.to_string().contains("det.onnx"), "{error}");
        let help = error.help().expect("help").to_string();
        assert!(help.contains("unigauge fetch ppocr-v4"), "{help}");
    }
    let error = load(folder.path().join("absent.onnx"))
        .err()
        .expect("an error");
    assert!(
        error.to_string().contains("there is no such file"),
        "{error}"
    );
    // A model that is fine but not a recogniser.
    let swapped = PpOcrModels {
        recognition: models.direction.clone(),
        ..models.clone()
    };
    let error = PpOcr::load(&swapped, PpOcrSettings::default())
        .err()
        .expect("an error");
    assert!(error.to_string().contains("list of characters"), "{error}");
}

#[test]
fn senseless_settings_are_refused_by_name() {
    let absent = PpOcrModels {
        engine: "e".into(),
        dictionary: None,
        detection: "d".into(),
        direction: "c".into(),
        recognition: "r".into(),
        runtime: "libonnxruntime.so".into(),
    };
    let cases = [
        ("text_score = 1.5", "text_score"),
        ("recognition_batch = 0", "recognition_batch"),
        ("limit_side_len = 100000", "limit_side_len"),
        ("unclip_ratio = nan", "unclip_ratio"),
    ];
    for (toml, name) in cases {
        let settings: PpOcrSettings = toml::from_str(toml).unwrap();
        let error = PpOcr::load(&absent, settings).err().expect("an error");
        assert!(error.to_string().contains(name), "{error}");
    }
    let unknown = toml::from_str::<PpOcrSettings>("text_scores = 0.5").unwrap_err();
    assert!(unknown.to_string().contains("text_scores"), "{unknown}");
}

#[test]
fn a_missing_runtime_is_named_with_its_remedy() {
    let models = PpOcrModels {
        engine: "e".into(),
        dictionary: None,
        detection: "d".into(),
        direction: "c".into(),
        recognition: "r".into(),
        runtime: "nowhere/libonnxruntime.so".into(),
    };
    let error = PpOcr::load(&models, PpOcrSettings::default())
        .err()
        .expect("an error");
    assert!(
        error.to_string().contains("nowhere/libonnxruntime.so"),
        "{error}"
    );
    assert!(
        error
            .help()
            .unwrap()
            .to_string()
            .contains("unigauge fetch ppocr-v4")
    );
}

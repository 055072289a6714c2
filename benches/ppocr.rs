//! Pages per second of the PP-OCR observer on a folder of pictures.
//!
//! `cargo bench --bench ppocr -- MODELS PICTURES [ROUNDS] [WORKERS]` prints one line a round; with `ROUNDS` =
//! `read` it prints what was read, as JSON, instead. benches/ppocr.py runs it in turn with the Python
//! package.

use rayon::prelude::*;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::time::Instant;
use unigauge::observe::ppocr::{PpOcr, PpOcrModels, PpOcrSettings};
use unigauge::observe::{Noted, Observer, Subject};
use unigauge::record::{Item, Output};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [models, pictures, rest @ ..] = arguments.as_slice() else {
        println!("skipped: give a folder of models and a folder of pictures");
        return;
    };
    let workers = rest.get(1).and_then(|n| n.parse().ok());
    let workers =
        workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build_global()
        .expect("thread pool");
    let settings = PpOcrSettings::default();
    let observer = PpOcr::load(&models_in(Path::new(models)), settings).expect("models");
    let files = files_in(Path::new(pictures), &["png", "jpg"]);

    if rest.first().is_some_and(|word| word == "read") {
        let read: Map<String, Value> = files
            .par_iter()
            .map(|file| (name(file), look(&observer, file)["lines"].clone()))
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
        println!("{}", Value::Object(read));
        return;
    }
    let rounds = rest.first().and_then(|n| n.parse().ok()).unwrap_or(3);
    look(&observer, &files[0]);
    for _ in 0..rounds {
        let start = Instant::now();
        files.par_iter().with_max_len(1).for_each(|file| {
            look(&observer, file);
        });
        let seconds = start.elapsed().as_secs_f64();
        println!("{:.4} pages/s", files.len() as f64 / seconds);
    }
}

fn look(observer: &PpOcr, file: &Path) -> Value {
    let image = image::open(file).expect("picture").into_rgb8();
    let (item, output): (Item, Output) = (
        serde_json::from_str(r#"{"item":"1","task":"text-to-image","prompt":""}"#).expect("item"),
        serde_json::from_str(r#"{"item":"1","repeat":0,"seed":0,"kind":"image"}"#).expect("output"),
    );
    let noted = Noted::default();
    let subject = Subject {
        item: &item,
        base: Path::new("."),
        output: &output,
        image: Some(&image),
        file: Some(file),
        noted: &noted,
    };
    observer.observe(&[subject]).remove(0).expect("evidence")
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn files_in(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|e| extensions.iter().any(|x| e == *x))
        })
        .collect();
    files.sort();
    files
}

fn models_in(folder: &Path) -> PpOcrModels {
    let runtime = std::fs::read_dir(folder)
        .expect("models")
        .map(|entry| entry.expect("entry").path())
        .find(|path| name(path).starts_with("libonnxruntime"))
        .expect("libonnxruntime in the folder of models");
    PpOcrModels {
        engine: "PP-OCRv4".into(),
        dictionary: None,
        detection: folder.join("ch_PP-OCRv4_det_infer.onnx"),
        direction: folder.join("ch_ppocr_mobile_v2.0_cls_infer.onnx"),
        recognition: folder.join("ch_PP-OCRv4_rec_infer.onnx"),
        runtime,
    }
}

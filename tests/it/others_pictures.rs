//! Pictures that others made, found under the names that their programs and systems write, and behind the
//! links that caches of a model hub are made of.

use crate::loose::report;
use crate::support::{lines, stderr, unigauge};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap()
}

fn observed(dir: &Path, suite: &str, images: &Path, more: &[&str]) -> Output {
    let images = images.to_str().unwrap();
    let arguments = [
        "observe", "--suite", suite, "--images", images, "--name", "n", "--out", "results",
    ];
    let mut command = unigauge(dir);
    command.args(arguments).args(more).output().unwrap()
}

#[test]
fn extensions_are_those_that_people_write() {
    let dir = report("extensions");
    let more = [
        "--items",
        "items.jsonl",
        "--set",
        "items.image_folder=\".\"",
    ];
    let output = observed(dir.path(), "preservation", Path::new("out"), &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("out: 3 of 3 pictures found"));
    let run = dir.path().join("results/preservation/n/seed0");
    let grades = lines(&run.join("grades.jsonl"));
    // PSNR in dB, 100 for equal pictures. The source of the JPEG is what another decoder makes of it: most
    // numbers of 8 bits are equal, some differ by one.
    for (item, least) in [("drawing", 100.0), ("photo", 45.0), ("scan", 100.0)] {
        let grade = grades.iter().find(|grade| grade["item"] == item).unwrap();
        let score = grade["score"].as_f64().unwrap();
        assert!(score >= least, "{item}: {score}");
    }
    assert_eq!(grades.len(), 3);
}

/// A suite of pictures with these ids.
fn suite(dir: &Path, layout: &str, repeats: u32, ids: &[&str]) {
    let items = ids
        .iter()
        .map(|id| json!({"id": id, "prompt": "a boat"}).to_string() + "\n");
    fs::write(dir.join("items.jsonl"), items.collect::<String>()).unwrap();
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nlayout = \"{layout}\"\n\
         repeats = {repeats}\nobservers = [\"quality\"]\n\n[items]\nfile = \"items.jsonl\"\n\n[grade]\n\
         rule = \"measure\"\n\n[grade.options]\nkey = \"brightness\"\n"
    );
    fs::write(dir.join("own.toml"), text).unwrap();
}

/// Writes a PNG of one grey, whatever its name is.
fn put(path: PathBuf, grey: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(8, 8, Rgb([grey; 3]));
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    fs::write(path, bytes.into_inner()).unwrap();
}

/// The files that the outputs of a run were taken from; null where one failed.
fn sources(dir: &Path) -> Vec<Value> {
    let mut outputs = lines(&dir.join("results/own/n/seed0/outputs.jsonl"));
    outputs.sort_by_key(|output| {
        let item = output["item"].as_str().map(str::to_owned);
        (item, output["repeat"].as_u64())
    });
    outputs
        .iter()
        .map(|output| output["source"].clone())
        .collect()
}

#[test]
fn every_layout_takes_capitals_and_rare_extensions() {
    for (layout, name) in [
        ("flat", "a_0.JPEG"),
        ("flat", "a.jfif"),
        ("geneval", "a/samples/00000.TIF"),
        ("imgedit", "a.Tiff"),
        ("dpg", "a.JPE"),
        ("oneig", "a.WEBP"),
        ("oneig", "a-0-b.Png"),
        ("longtext", "a_1.GIF"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        suite(dir.path(), layout, 1, &["a"]);
        put(dir.path().join("pictures").join(name), 90);
        let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{layout} {name}: {}",
            stderr(&output)
        );
        assert_eq!(sources(dir.path()), [name], "{layout}");
    }
    // What is no picture that can be read is named.
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), "flat", 1, &["a"]);
    put(dir.path().join("pictures/a_0.HEIC"), 90);
    let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
    assert_eq!(output.status.code(), Some(5));
    let said = stderr(&output);
    assert!(said.contains("1 missing: a.png (a_0.HEIC exists"), "{said}");
}

#[test]
fn two_files_for_one_output_deserve_a_word() {
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), "flat", 1, &["a", "b"]);
    for (name, grey) in [("a.png", 10), ("a.PNG", 200), ("a.jpg", 250), ("b.PNG", 20)] {
        put(dir.path().join("pictures").join(name), grey);
    }
    let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("2 of 2 pictures found"), "{said}");
    assert!(
        said.contains(
            "2 skipped: a.PNG next to a.png, which is used, a.jpg next to a.png, which is used"
        ),
        "{said}"
    );
    assert!(!said.contains("not asked for"), "{said}");
    let told = summary(&dir.path().join("results/own/n/seed0"))["notes"].to_string();
    assert!(
        told.contains("1 of 2 outputs: several pictures have the output's name"),
        "{told}"
    );

    // GenEval's samples are told apart by their numbers: 0 and 1, and not 0, 0 and 1.
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), "geneval", 2, &["00000"]);
    for name in ["00000.png", "00000.jpg", "00001.PNG"] {
        put(dir.path().join("pictures/00000/samples").join(name), 10);
    }
    let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        sources(dir.path()),
        ["00000/samples/00000.png", "00000/samples/00001.PNG"]
    );

    // One file for two outputs, too: `a_1.png` is the second of `a` and the first of `a_1`.
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), "flat", 2, &["a", "a_1"]);
    for name in ["a_0.png", "a_1.png", "a_1_1.png"] {
        put(dir.path().join("pictures").join(name), 10);
    }
    let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
    let said = stderr(&output);
    assert!(
        said.contains("1 taken more than once: a_1.png of a and a_1"),
        "{said}"
    );
}

#[test]
fn composed_and_decomposed_names_are_the_same() {
    // The report's name, with its accents behind the letters as macOS writes them.
    let dir = report("wording");
    let decomposed = "cre\u{300}me bru\u{302}le\u{301}e_0.png";
    fs::create_dir(dir.path().join("nfd")).unwrap();
    fs::copy(
        dir.path().join("square.png"),
        dir.path().join("nfd").join(decomposed),
    )
    .unwrap();
    let output = observed(dir.path(), "./names.toml", Path::new("nfd"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("nfd: 1 of 1 picture found"));

    // The other way round, in Korean, and in the name of a folder.
    for (layout, id, name) in [
        ("flat", "cafe\u{301}", "caf\u{e9}_0.PNG"),
        ("flat", "\u{ac00}", "\u{1100}\u{1161}.png"),
        ("flat", "\u{1100}\u{1161}", "\u{ac00}_0.tif"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        suite(dir.path(), layout, 1, &[id]);
        put(dir.path().join("pictures").join(name), 90);
        let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
        assert_eq!(output.status.code(), Some(0), "{id}: {}", stderr(&output));
        assert_eq!(sources(dir.path()), [name]);
    }

    // Of two files, each item takes the one that is spelled as its id is.
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), "flat", 1, &["caf\u{e9}", "cafe\u{301}"]);
    put(dir.path().join("pictures/caf\u{e9}_0.png"), 10);
    put(dir.path().join("pictures/cafe\u{301}_0.png"), 20);
    let output = observed(dir.path(), "./own.toml", Path::new("pictures"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        sources(dir.path()),
        ["cafe\u{301}_0.png", "caf\u{e9}_0.png"]
    );
}

#[test]
fn input_images_of_items_are_found_under_either_spelling() {
    let dir = tempfile::tempdir().unwrap();
    let names = [
        "e\u{301}te\u{301}/plage e\u{301}.png",
        "\u{e9}t\u{e9}/plage \u{e9}.png",
    ];
    put(dir.path().join(names[0]), 90);
    suite(dir.path(), "flat", 1, &[]);
    let suite = fs::read_to_string(dir.path().join("own.toml")).unwrap();
    let suite = suite.replace("text-to-image", "edit");
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    let turns = json!([{"prompt": "p", "images": [names[1]], "text": "t"}]);
    let item = json!({"id": "a", "prompt": "p", "images": [names[1]], "history": turns});
    fs::write(dir.path().join("items.jsonl"), format!("{item}\n")).unwrap();
    let output = unigauge(dir.path())
        .args(["items", "./own.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let item: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(item["images"], json!([names[0]]));
    assert_eq!(item["history"][0]["images"], json!([names[0]]));
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    const REVISION: &str = "5f3c0d6a9b7e41208c5d2e6f7a8b9c0d1e2f3a4b";

    /// A repository in a hub's cache: eight pictures as blobs, and links to them.
    fn repository(dir: &Path) -> PathBuf {
        let repository = dir.join("hub/models--lab--drawings");
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), REVISION).unwrap();
        for (prompt, k) in (0..8).map(|at| (at / 4, at % 4)) {
            let blob = format!("blob{prompt}{k}");
            put(repository.join("blobs").join(&blob), 40 * k as u8);
            let samples = repository.join(format!("snapshots/{REVISION}/{prompt:05}/samples"));
            fs::create_dir_all(&samples).unwrap();
            let to = Path::new("../../../../blobs").join(&blob);
            symlink(to, samples.join(format!("{k:05}.png"))).unwrap();
        }
        repository
    }

    #[test]
    fn links_of_a_hub_s_cache_are_followed_into_its_blobs() {
        let dir = report("hub-cache-links");
        let repository = repository(dir.path());
        let snapshot = repository.join("snapshots").join(REVISION);
        // The snapshot, and the whole repository, whose `refs/main` names it.
        for images in [&snapshot, &repository] {
            let output = observed(dir.path(), "./suite.toml", images, &[]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            assert!(stderr(&output).contains("8 of 8 pictures found"));
            let found = summary(&dir.path().join("results/drawings/n/seed0"));
            assert_eq!(found["scored"], 8);
            fs::remove_dir_all(dir.path().join("results")).unwrap();
        }
    }

    #[test]
    fn other_links_are_refused_at_the_inventory_with_the_way_out() {
        let dir = report("hub-cache-links");
        let repository = repository(dir.path());
        let snapshot = repository.join("snapshots").join(REVISION);
        let samples = snapshot.join("00000/samples");
        let relink = |name: &str, to: &Path| {
            fs::remove_file(samples.join(name)).unwrap();
            symlink(to, samples.join(name)).unwrap();
        };
        put(dir.path().join("secret.png"), 1);
        let other = dir.path().join("hub/models--lab--other/blobs/x");
        put(other.clone(), 2);
        relink("00000.png", &dir.path().join("secret.png"));
        relink("00001.png", &other);
        relink("00002.png", &repository.join("blobs/gone"));
        let output = observed(dir.path(), "./suite.toml", &snapshot, &[]);
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("5 of 8 pictures found"), "{said}");
        assert!(
            said.contains("1 missing:") && said.contains("gone, which does not exist"),
            "{said}"
        );
        assert!(
            said.contains("2 refused:") && said.contains("--follow-links"),
            "{said}"
        );
        let found = summary(&dir.path().join("results/drawings/n/seed0"));
        assert_eq!((&found["scored"], &found["failed"]), (&json!(5), &json!(3)));

        fs::remove_dir_all(dir.path().join("results")).unwrap();
        let output = observed(dir.path(), "./suite.toml", &snapshot, &["--follow-links"]);
        assert!(stderr(&output).contains("7 of 8 pictures found"));
        let found = summary(&dir.path().join("results/drawings/n/seed0"));
        assert_eq!((&found["scored"], &found["failed"]), (&json!(7), &json!(1)));
    }

    #[test]
    fn a_folder_that_only_looks_like_a_cache_has_no_blobs_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        suite(dir.path(), "flat", 1, &["a"]);
        put(dir.path().join("pictures/blobs/x"), 1);
        fs::create_dir_all(dir.path().join("pictures/snapshots/1")).unwrap();
        symlink(
            "../../blobs/x",
            dir.path().join("pictures/snapshots/1/a.png"),
        )
        .unwrap();
        let images = dir.path().join("pictures/snapshots/1");
        let output = observed(dir.path(), "./own.toml", &images, &[]);
        assert_eq!(output.status.code(), Some(5));
        assert!(stderr(&output).contains("0 of 1 picture found"));
    }

    #[test]
    fn a_data_set_in_a_hub_s_cache_has_its_input_images_behind_links() {
        let dir = tempfile::tempdir().unwrap();
        suite(dir.path(), "flat", 1, &[]);
        let repository = dir.path().join("datasets--lab--edits");
        put(repository.join("blobs/x"), 1);
        let snapshot = repository.join("snapshots/1");
        fs::create_dir_all(snapshot.join("images")).unwrap();
        let item = json!({"id": "a", "prompt": "p", "images": ["images/a.png"]});
        fs::write(repository.join("blobs/items"), format!("{item}\n")).unwrap();
        symlink("../../blobs/items", snapshot.join("items.jsonl")).unwrap();
        symlink("../../../blobs/x", snapshot.join("images/a.png")).unwrap();
        let suite = fs::read_to_string(dir.path().join("own.toml")).unwrap();
        let file = "datasets--lab--edits/snapshots/1/items.jsonl";
        let suite = suite
            .replace("items.jsonl", file)
            .replace("text-to-image", "edit");
        fs::write(dir.path().join("own.toml"), suite).unwrap();
        let items = || {
            unigauge(dir.path())
                .args(["items", "./own.toml"])
                .output()
                .unwrap()
        };
        let output = items();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        put(dir.path().join("secret.png"), 1);
        fs::remove_file(snapshot.join("images/a.png")).unwrap();
        symlink(dir.path().join("secret.png"), snapshot.join("images/a.png")).unwrap();
        let output = items();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("allow_outside = true"));
    }
}

#[test]
fn a_tilde_is_the_home_folder() {
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), "flat", 1, &["a"]);
    put(dir.path().join("home/pictures/a.png"), 1);
    fs::rename(
        dir.path().join("items.jsonl"),
        dir.path().join("home/items.jsonl"),
    )
    .unwrap();
    let suite = fs::read_to_string(dir.path().join("own.toml")).unwrap();
    fs::write(
        dir.path().join("own.toml"),
        suite.replace("items.jsonl", "~/items.jsonl"),
    )
    .unwrap();
    let arguments = [
        "observe",
        "--suite",
        "./own.toml",
        "--images",
        "~/pictures",
        "--out",
        "results",
    ];
    let mut command = unigauge(dir.path());
    let home = dir.path().join("home");
    let output = command.env("HOME", home).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

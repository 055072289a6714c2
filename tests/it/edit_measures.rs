//! Measures of edits: the arithmetic beside the Python references, the observers and the rule as a user runs
//! them.

use crate::support::{lines, stderr, unigauge};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use unigauge::image::cv::{Element, erode};
use unigauge::image::edit::{
    Change, ChangeSettings, Mask, SSIM_RADIUS, differences, log_weight, pool, ssim,
};
use unigauge::image::quality::Quality;

fn golden(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/edit");
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The random numbers of tests/golden/edit/make.py.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The pictures of tests/golden/edit/make.py.
fn pair(seed: u64) -> [RgbImage; 2] {
    let mut n = Numbers(seed);
    let [width, height] = [60, 60].map(|limit| 16 + n.below(limit));
    let [slope_x, slope_y, start, grain] = [9, 9, 256, 40].map(|limit| n.below(limit));
    let [left, top] = [width, height].map(|limit| n.below(limit));
    let right = left + 1 + n.below(width);
    let bottom = top + 1 + n.below(height);
    let colour = [256; 3].map(|limit| n.below(limit));
    let drift = n.below(24);
    let mut before = RgbImage::new(width as u32, height as u32);
    let mut after = before.clone();
    for y in 0..height {
        for x in 0..width {
            for (c, plain) in colour.into_iter().enumerate() {
                let slope = x * slope_x + y * slope_y + start + 37 * c as u64;
                let mut value = (slope / 2 + n.below(grain + 1)) % 256;
                before.get_pixel_mut(x as u32, y as u32).0[c] = value as u8;
                if (left..right).contains(&x) && (top..bottom).contains(&y) {
                    value = plain;
                }
                let moved = value as i64 + n.below(2 * drift + 1) as i64 - drift as i64;
                after.get_pixel_mut(x as u32, y as u32).0[c] = moved.clamp(0, 255) as u8;
            }
        }
    }
    [before, after]
}

fn assert_near(what: &str, got: Option<f64>, want: &Value) {
    match (got, want.as_f64()) {
        (Some(got), Some(want)) => {
            let allowed = 1e-6 * want.abs().max(1.0);
            assert!((got - want).abs() <= allowed, "{what}: {got} {want}");
        }
        (None, None) => {}
        _ => panic!("{what}: {got:?} {want}"),
    }
}

/// scikit-image, torchmetrics, OpenCV and numpy on 50 pairs.
#[test]
fn measures_are_those_of_the_python_references() {
    let expected = golden("expected.json");
    let expected = expected.as_array().unwrap();
    assert_eq!(expected.len(), 50);
    for (seed, want) in expected.iter().enumerate() {
        let [before, after] = pair(seed as u64);
        let settings = ChangeSettings {
            kernel: Some(3 + seed % 8),
            ..ChangeSettings::default()
        };
        let change = Change::between(&before, &after, &settings);
        let cells = pool(&change.main, settings.cell);
        let counts = [
            ("all", change.all.count()),
            ("components", change.components),
            ("main", change.main.count()),
            ("cells", cells.count()),
        ];
        for (key, count) in counts {
            assert_eq!(json!(count), want["change"][key], "{seed}: {key}");
        }
        assert_near("weight", log_weight(&cells), &want["change"]["log_weight"]);

        let [outside, inside] = differences(&before, &after, &change.main);
        let whole = inside + outside;
        let windows = |mask: &Mask| erode(mask, &Element::square(SSIM_RADIUS));
        let all = Mask::from_fn(change.main.width(), change.main.height(), |_, _| true);
        let centres = [
            &all,
            &windows(&change.main),
            &windows(&change.main.inverted()),
        ];
        let similar = ssim(&before, &after, &centres);
        for (place, (key, difference)) in
            [("whole", whole), ("inside", inside), ("outside", outside)]
                .into_iter()
                .enumerate()
        {
            let of = |measure: &str| format!("{seed}: {key} {measure}");
            assert_near(&of("l1"), difference.l1(), &want[key]["l1"]);
            assert_near(&of("l2"), difference.l2(), &want[key]["l2"]);
            assert_near(&of("psnr"), difference.psnr(), &want[key]["psnr"]);
            assert_near(&of("ssim"), similar[place], &want[key]["ssim"]);
        }
        assert_near("psnr", whole.psnr(), &want["torchmetrics"]["psnr"]);
        assert_near("ssim", similar[0], &want["torchmetrics"]["ssim"]);
        if let Some(quality) = want["quality"].as_object() {
            let got = json!(Quality::measure(&after).unwrap());
            for (key, want) in quality {
                assert_near(&format!("{seed}: {key}"), got[key].as_f64(), want);
            }
        }
    }
}

/// A rectangle of the mask procedure's test pictures: rows, columns (half open) and colour.
type Box = ([u32; 2], [u32; 2], [u8; 3]);
/// Name, size, rectangles, the steps' counts of pixels, and the weight.
type Case<'a> = (&'a str, [u32; 2], &'a [Box], [usize; 4], Option<f64>);

/// Computed with OpenCV and Pillow from the steps of UniWorld-V1's `get_mask.py`, kernel 5.
#[test]
fn the_mask_procedure_gives_its_published_steps() {
    let grey = |value: u8| [value; 3];
    let cases: [Case; 7] = [
        (
            "A",
            [64, 64],
            &[
                ([10, 30], [12, 40], grey(40)),
                ([18, 20], [20, 22], grey(0)),
                ([50, 53], [50, 53], grey(40)),
            ],
            [569, 2, 560, 12],
            Some(2.752_072),
        ),
        (
            "B",
            [64, 64],
            &[([0, 9], [0, 9], grey(18))],
            [81, 1, 81, 4],
            Some(5.0),
        ),
        (
            "C",
            [64, 64],
            &[([0, 9], [0, 9], grey(17))],
            [0, 0, 0, 0],
            None,
        ),
        (
            "D",
            [70, 75],
            &[
                ([10, 30], [5, 25], grey(200)),
                ([10, 30], [28, 48], grey(200)),
                ([60, 70], [66, 75], grey(200)),
            ],
            [944, 2, 854, 18],
            Some(2.584_962),
        ),
        (
            "E",
            [64, 64],
            &[([5, 25], [5, 25], [60, 0, 0])],
            [400, 1, 400, 16],
            Some(3.0),
        ),
        (
            "F",
            [64, 64],
            &[([5, 25], [5, 25], [0, 0, 150])],
            [0, 0, 0, 0],
            None,
        ),
        (
            "G",
            [128, 128],
            &[([0, 8], [0, 8], grey(255)), ([0, 8], [32, 40], grey(255))],
            [128, 2, 128, 2],
            Some(8.0),
        ),
    ];
    let settings = ChangeSettings {
        kernel: Some(5),
        ..ChangeSettings::default()
    };
    for (name, [height, width], boxes, counts, weight) in cases {
        let black = RgbImage::new(width, height);
        let mut drawn = black.clone();
        for (rows, columns, colour) in boxes {
            for y in rows[0]..rows[1] {
                for x in columns[0]..columns[1] {
                    drawn.put_pixel(x, y, Rgb(*colour));
                }
            }
        }
        let change = Change::between(&black, &drawn, &settings);
        let cells = pool(&change.main, 8);
        let got = [
            change.all.count(),
            change.components,
            change.main.count(),
            cells.count(),
        ];
        assert_eq!(got, counts, "{name}");
        assert_near(name, log_weight(&cells), &json!(weight));
    }
}

/// A folder with items, their pictures in `in/`, and outputs in `out/`.
struct Edits {
    dir: tempfile::TempDir,
    items: Vec<Value>,
}

impl Edits {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        Self {
            dir,
            items: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An item with its input and output; `more` are further fields.
    fn add(&mut self, id: &str, input: &RgbImage, output: &RgbImage, more: Value) {
        input.save(self.path(&format!("in/{id}.png"))).unwrap();
        output.save(self.path(&format!("out/{id}_0.png"))).unwrap();
        let mut item = json!({"id": id, "prompt": "edit it", "images": [format!("{id}.png")]});
        let more = more.as_object().cloned().unwrap_or_default();
        item.as_object_mut().unwrap().extend(more);
        self.items.push(item);
    }

    fn observe(&self, suite: &str) -> Output {
        let text: String = self.items.iter().map(|item| format!("{item}\n")).collect();
        fs::write(self.path("in/items.jsonl"), text).unwrap();
        unigauge(self.dir.path())
            .args(["observe", "--suite", suite, "--items", "in/items.jsonl"])
            .args(["--images", "out", "--device", "cpu"])
            .output()
            .unwrap()
    }

    fn records(&self, suite: &str, file: &str) -> Vec<Value> {
        lines(&self.path(&format!("results/{suite}/folder/seed0/{file}")))
    }

    /// The last record of an item.
    fn record(&self, suite: &str, file: &str, id: &str) -> Value {
        let records = self.records(suite, file);
        records.into_iter().rfind(|r| r["item"] == id).unwrap()
    }
}

fn photo() -> RgbImage {
    RgbImage::from_fn(96, 64, |x, y| {
        Rgb([(x * 2) as u8, (y * 3) as u8, ((x + y) % 64) as u8])
    })
}

/// The picture with a white box.
fn boxed(image: &RgbImage, left: u32, top: u32, side: u32) -> RgbImage {
    let mut image = image.clone();
    for y in top..top + side {
        for x in left..left + side {
            image.put_pixel(x, y, Rgb([255; 3]));
        }
    }
    image
}

#[test]
fn preservation_tells_an_edit_that_stays_inside_from_one_that_leaks() {
    let mut edits = Edits::new();
    let mask = boxed(&RgbImage::new(96, 64), 16, 16, 24);
    mask.save(edits.path("in/mask.png")).unwrap();
    let wanted = boxed(&photo(), 16, 16, 24);
    wanted.save(edits.path("in/wanted.png")).unwrap();
    let masked = || json!({"mask": "mask.png"});
    edits.add("inside", &photo(), &wanted, masked());
    edits.add("leaks", &photo(), &boxed(&wanted, 60, 30, 16), masked());
    edits.add("nothing", &photo(), &photo(), masked());
    edits.add("target", &photo(), &wanted, json!({"target": "wanted.png"}));
    edits.add("no-region", &photo(), &wanted, json!({}));
    let output = edits.observe("preservation");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));

    let grade = |id: &str| edits.record("preservation", "grades.jsonl", id);
    let seen = |id: &str| edits.record("preservation", "evidence.jsonl", id)["evidence"].clone();
    assert_eq!(grade("inside")["score"], 100.0);
    assert_eq!(grade("nothing")["score"], 100.0);
    assert_eq!(grade("nothing")["parts"]["noop"], 1.0);
    assert_eq!(grade("inside")["parts"]["noop"], 0.0);
    assert_eq!(grade("target")["score"], 100.0);
    assert_eq!(seen("target")["region"], "target");
    assert_eq!(seen("target")["target"]["l1"], 0.0);

    // 16² white pixels of 96 · 64, a frame of one pixel around the mask (kernel 3) not counted.
    let outside = 96.0 * 64.0 - (24.0 * 24.0 + 4.0 * 24.0);
    let lost: f64 = (30..46)
        .flat_map(|y| (60..76).map(move |x| (x, y)))
        .flat_map(|(x, y)| [2 * x, 3 * y, (x + y) % 64])
        .map(|value| f64::from(255 - value).powi(2))
        .sum();
    let psnr = -10.0 * (lost / (3.0 * outside) / (255.0 * 255.0)).log10();
    let score = grade("leaks")["score"].as_f64().unwrap();
    assert!((score - psnr).abs() < 1e-9, "{score} {psnr}");
    let leak = grade("leaks")["parts"]["leak"].as_f64().unwrap();
    assert!((leak - 256.0 / outside).abs() < 1e-9, "{leak}");
    assert_eq!(grade("inside")["parts"]["iou"], 1.0);
    assert_eq!(seen("leaks")["region"], "annotation");
    assert!(seen("leaks")["zeroed"]["psnr"].as_f64().unwrap() > score);

    let without = grade("no-region");
    let why = without["unscored"].as_str().unwrap();
    assert!(why.contains("`mask` or `target`"), "{why}");
    assert_eq!(seen("no-region")["region"], "output");
}

#[test]
fn pictures_of_every_kind_are_compared_or_refused_with_a_reason() {
    let mut edits = Edits::new();
    let masked = json!({"mask": [0, 1]});
    edits.add("larger", &photo(), &RgbImage::new(200, 100), masked.clone());
    edits.add(
        "dot",
        &RgbImage::new(1, 1),
        &RgbImage::from_pixel(1, 1, Rgb([9; 3])),
        json!({}),
    );
    edits.add("broken-input", &photo(), &photo(), json!({}));
    edits.add("grey", &photo(), &photo(), masked.clone());
    edits.add("alpha", &photo(), &photo(), masked.clone());
    edits.add(
        "bad-mask",
        &photo(),
        &photo(),
        json!({"mask": [6000, 1000]}),
    );
    edits.add("odd-mask", &photo(), &photo(), json!({"mask": {"a": 1}}));
    edits.add("no-input", &photo(), &photo(), json!({"images": []}));
    edits.add(
        "gone-target",
        &photo(),
        &photo(),
        json!({"target": "absent.png"}),
    );
    let grey = image::GrayImage::from_pixel(96, 64, image::Luma([100]));
    grey.save(edits.path("out/grey_0.png")).unwrap();
    let clear = image::RgbaImage::from_pixel(96, 64, image::Rgba([0, 0, 0, 0]));
    clear.save(edits.path("out/alpha_0.png")).unwrap();
    let bytes = fs::read(edits.path("in/broken-input.png")).unwrap();
    fs::write(edits.path("in/broken-input.png"), &bytes[..bytes.len() / 2]).unwrap();
    let output = edits.observe("preservation");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));

    let record = |id: &str| edits.record("preservation", "evidence.jsonl", id);
    let larger = &record("larger")["evidence"];
    assert_eq!(
        (&larger["width"], &larger["resized"]),
        (&json!(96), &json!(true))
    );
    let dot = &record("dot")["evidence"];
    assert_eq!(
        (dot["l1"].as_f64(), &dot["ssim"]),
        (Some(9.0 / 255.0), &Value::Null)
    );
    assert_eq!(record("grey")["evidence"]["resized"], false);
    // Transparency is laid on white.
    let l1 = record("alpha")["evidence"]["l1"].as_f64().unwrap();
    let mean: f64 = photo()
        .iter()
        .map(|value| 255.0 - f64::from(*value))
        .sum::<f64>()
        / (3.0 * 96.0 * 64.0)
        / 255.0;
    assert!((l1 - mean).abs() < 1e-9, "{l1} {mean}");
    for (id, words) in [
        ("broken-input", "the input picture"),
        ("bad-mask", "beyond the 96x64 pixels"),
        ("odd-mask", "the path of a picture or a list"),
        ("no-input", "this item has none"),
        ("gone-target", "no such file"),
    ] {
        let message = record(id)["error"]["message"].to_string();
        assert!(message.contains(words), "{id}: {message}");
    }
}

#[test]
fn another_input_picture_makes_the_evidence_anew_from_any_folder() {
    let mut edits = Edits::new();
    edits.add("a", &photo(), &photo(), json!({"mask": [0, 1]}));
    edits.add("b", &photo(), &photo(), json!({"mask": [0, 1]}));
    assert_eq!(edits.observe("preservation").status.code(), Some(0));
    let again = |edits: &Edits| {
        let elsewhere = tempfile::tempdir().unwrap();
        let output = unigauge(elsewhere.path())
            .arg("observe")
            .arg(edits.path("results/preservation/folder/seed0"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(again(&edits).contains("0 observations made"));
    boxed(&photo(), 0, 0, 30)
        .save(edits.path("in/a.png"))
        .unwrap();
    assert!(again(&edits).contains("1 observation made"));
    let seen = edits.record("preservation", "evidence.jsonl", "a");
    assert!(seen["evidence"]["edit_fraction"].as_f64().unwrap() > 0.1);
}

#[test]
fn a_suite_without_items_of_its_own_says_what_a_line_holds() {
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["items", "preservation"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("--items FILE") && said.contains("\"mask\""),
        "{said}"
    );
}

#[test]
fn settings_out_of_range_are_named() {
    let mut edits = Edits::new();
    edits.add("a", &photo(), &photo(), json!({}));
    assert_eq!(edits.observe("preservation").status.code(), Some(5));
    for (set, words) in [
        ("observe.edit-pixels.threshold=0", "`threshold` is 0"),
        (
            "observe.edit-pixels.component_share=2.0",
            "`component_share` is 2",
        ),
        ("observe.edit-pixels.kernel=0", "`kernel` is 0"),
        (
            "grade.psnr_cap=-1.0",
            "`psnr_cap` of grading rule edit-measures is -1",
        ),
    ] {
        let output = unigauge(edits.dir.path())
            .args([
                "observe",
                "--suite",
                "preservation",
                "--items",
                "in/items.jsonl",
            ])
            .args(["--images", "out", "--set", set])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{set}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(words),
            "{set}: {}",
            stderr(&output)
        );
    }
}

/// tests/golden/edit/similarity.py says where the numbers come from.
#[test]
fn similarities_are_those_of_the_python_references() {
    let golden = golden("similarity.json");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let open = |n: u32| {
        let path = tests.join(format!("detector/images/{n}.png"));
        image::open(path).unwrap().to_rgb8()
    };
    let (input, target, output) = (open(0), open(1), open(2));
    let mut edits = Edits::new();
    target.save(edits.path("in/target.png")).unwrap();
    let corners: [u32; 4] = serde_json::from_value(golden["box"].clone()).unwrap();
    let [left, top, right, bottom] = corners;
    let mask = RgbImage::from_fn(input.width(), input.height(), |x, y| {
        let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
        Rgb([if inside { 255 } else { 0 }; 3])
    });
    mask.save(edits.path("in/mask.png")).unwrap();
    let mut more = golden["captions"].clone();
    more["target"] = "target.png".into();
    more["mask"] = "mask.png".into();
    edits.add("a", &input, &output, more);
    let suite = |lpips: &str| {
        let vit = tests.join("parity/vit/checkpoint");
        let text = format!(
            "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"edit\"\nobservers = [\"edit-similarity\"]\n\n\
             [items]\nfile = \"in/items.jsonl\"\n\n[grade]\nrule = \"edit-measures\"\noptions = {{ measure = \"lpips\" }}\n\n\
             [observe.edit-similarity]\nmeasures = [\"clip\", \"dino\", \"lpips\", \"structure\"]\nclip = {:?}\ndino = {vit:?}\n\
             structure = {vit:?}\n{lpips}",
            tests.join("detector/clip")
        );
        fs::write(edits.path("own.toml"), text).unwrap();
    };
    let lpips = tests.join("parity/lpips_alex/checkpoint");
    suite(&format!(
        "lpips_trunk = {:?}\nlpips_linear = {:?}\n",
        lpips.join("trunk.safetensors"),
        lpips.join("linear.pth")
    ));
    let done = edits.observe("own.toml");
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let seen = edits.record("own", "evidence.jsonl", "a")["evidence"].clone();
    let expected = golden["expected"].as_object().unwrap();
    assert_eq!(expected.len(), 11);
    for (key, want) in expected {
        let (got, want) = (seen[key].as_f64().unwrap(), want.as_f64().unwrap());
        assert!((got - want).abs() < 1e-4, "{key}: {got} {want}");
    }
    assert!(seen.get("absent").is_none(), "{seen}");

    // Without its weights LPIPS is left out, and said to be.
    suite("");
    let cache = tempfile::tempdir().unwrap();
    let done = unigauge(edits.dir.path())
        .env("UNIGAUGE_CACHE", cache.path())
        .env_remove("UNIGAUGE_DATA")
        .args([
            "observe", "--suite", "own.toml", "--images", "out", "--device", "cpu",
        ])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(5), "{}", stderr(&done));
    let seen = edits.record("own", "evidence.jsonl", "a")["evidence"].clone();
    assert!(
        seen.get("lpips").is_none() && seen["clip_i"].is_number(),
        "{seen}"
    );
    assert!(
        seen["absent"]["lpips"]
            .to_string()
            .contains("unigauge fetch lpips")
    );
    let grade = edits.record("own", "grades.jsonl", "a");
    let why = grade["unscored"].as_str().unwrap();
    assert!(why.contains("`lpips` was not measured"), "{why}");
}

#[test]
fn quality_is_a_measure_of_any_picture() {
    let mut edits = Edits::new();
    let [_, picture] = pair(5);
    edits.add("a", &photo(), &picture, json!({}));
    edits.add("dot", &photo(), &RgbImage::new(1, 1), json!({}));
    let suite = |options: &str| {
        let text = format!(
            "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"edit\"\nobservers = [\"quality\"]\n\n\
             [items]\nfile = \"in/items.jsonl\"\n\n[grade]\nrule = \"measure\"\noptions = {{ key = \"sharpness\" }}\n{options}"
        );
        fs::write(edits.path("own.toml"), text).unwrap();
    };
    suite("");
    let done = edits.observe("own.toml");
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let seen = edits.record("own", "evidence.jsonl", "a")["evidence"].clone();
    let expected = golden("expected.json")[5]["quality"].clone();
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 10);
    for (key, want) in expected {
        assert_near(key, seen[key].as_f64(), want);
    }
    let grade = edits.record("own", "grades.jsonl", "a");
    assert_eq!(grade["score"], seen["sharpness"]);
    let dot = edits.record("own", "evidence.jsonl", "dot")["evidence"].clone();
    assert_eq!(
        (&dot["noise"], &dot["sharpness"]),
        (&Value::Null, &json!(0.0))
    );

    suite("\n[observe.quality]\nshort_side = 32\n");
    assert_eq!(edits.observe("own.toml").status.code(), Some(0));
    let seen = edits.record("own", "evidence.jsonl", "a")["evidence"].clone();
    let short = seen["width"].as_u64().min(seen["height"].as_u64());
    assert_eq!(short, Some(32));
}

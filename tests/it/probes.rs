//! The probes as a user runs them: noise, text beside an edit, and drawn maps. The controls come out as
//! docs/probes says.

use crate::http::{Reply, Server};
use crate::support::{lines, model, ocr_models, skip, stderr, unigauge};
use base64::Engine as _;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Runs a suite with a control and gives its summary.
fn run(dir: &Path, suite: &str, model: &str) -> Value {
    let output = unigauge(dir)
        .args(["run", suite, "--model", model, "--quiet"])
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let suite = Path::new(suite).file_stem().unwrap().to_str().unwrap();
    let model = Path::new(model).file_stem().unwrap().to_str().unwrap();
    let folder = dir.join(format!("results/{suite}/{model}/seed0"));
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

fn grades(dir: &Path, suite: &str, model: &str) -> Vec<Value> {
    lines(&dir.join(format!("results/{suite}/{model}/seed0/grades.jsonl")))
}

/// The items that `unigauge items` prints.
fn items_of(dir: &Path, args: &[&str]) -> Vec<Value> {
    let output = unigauge(dir)
        .arg("items")
        .args(args)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The mean of a part over the grades whose tag `level` passes.
fn mean(grades: &[Value], part: &str, level: impl Fn(f64) -> bool) -> f64 {
    let at = |grade: &Value| grade["tags"]["level"].as_str().unwrap().parse::<f64>();
    let chosen = grades.iter().filter(|grade| level(at(grade).unwrap()));
    let values: Vec<f64> = chosen
        .filter_map(|grade| grade["parts"][part].as_f64())
        .collect();
    assert!(!values.is_empty(), "no grade has `{part}`");
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn the_controls_of_noise_come_out_as_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let suite = "mini-noise-restore";
    let clean = run(at, suite, "control-clean");
    assert_eq!(
        (&clean["expected"], &clean["overall"]["value"]),
        (&json!(600), &json!(1.0))
    );
    assert_eq!(clean["metrics"]["t_half_reached"], 0.0);

    let identity = run(at, suite, "control-identity");
    let noisy = grades(at, suite, "control-identity");
    assert!(noisy.iter().all(|grade| grade["parts"]["gain"] == 0.0));
    let half = identity["metrics"]["t_half"].as_f64().unwrap();
    assert!((0.0..0.9).contains(&half), "{identity}");

    // What the contrast alone gains is told apart. It is no gain here, since these pictures are mostly grey.
    run(at, suite, "control-rescale");
    let rescaled = grades(at, suite, "control-rescale");
    assert!(mean(&rescaled, "gain_rescaled", |_| true).abs() < 1e-9);
    run(at, suite, "control-smooth");
    let smooth = grades(at, suite, "control-smooth");
    assert!(mean(&smooth, "gain", |level| level >= 0.5) > 0.0);

    let blank = run(at, suite, "control-blank");
    assert_eq!(blank["overall"]["value"], 0.0);
    let nothing = grades(at, suite, "control-blank");
    assert_eq!(mean(&nothing, "nothing", |level| level <= 0.1), 1.0);

    let other = run(at, suite, "control-other");
    assert_eq!(other["overall"]["value"], 0.0);
    assert_eq!(
        mean(&grades(at, suite, "control-other"), "swap", |_| true),
        1.0
    );
}

#[test]
fn the_ladder_is_the_same_for_a_restorer_and_for_a_reader() {
    let dir = tempfile::tempdir().unwrap();
    let items = |suite: &str| items_of(dir.path(), &[suite]);
    let (restored, read) = (items("mini-noise-restore"), items("mini-noise-read"));
    assert_eq!(restored.len(), 600);
    for (a, b) in restored.iter().zip(&read) {
        assert_eq!((&a["item"], &a["images"]), (&b["item"], &b["images"]));
        assert_eq!(a["expect"]["scene"], b["expect"]["scene"]);
    }
}

#[test]
fn own_pictures_get_noise_options_and_levels() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for (name, color) in [("sun", [240, 200, 40]), ("sea", [30, 90, 200])] {
        RgbImage::from_pixel(700, 350, Rgb(color))
            .save(at.join(format!("{name}.png")))
            .unwrap();
    }
    let item = |name: &str| json!({"id": name, "images": [format!("{name}.png")], "label": name});
    fs::write(
        at.join("noise.jsonl"),
        format!("{}\n{}\n", item("sun"), item("sea")),
    )
    .unwrap();
    let items = items_of(at, &["noise-read", "--items", "noise.jsonl"]);
    assert_eq!(items.len(), 20);
    let last = &items[9];
    assert_eq!(
        (&last["item"], &last["expect"]["level"]),
        (&json!("sun@mix0.9"), &json!(0.9))
    );
    let prompt = last["prompt"].as_str().unwrap();
    assert!(prompt.contains("A. ") && prompt.contains("B. ") && !prompt.contains("C. "));
    let fitted = image::open(last["images"][0].as_str().unwrap()).unwrap();
    assert_eq!((fitted.width(), fitted.height()), (512, 256));
}

#[test]
fn the_controls_of_drift_come_out_as_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let target = run(at, "mini-drift", "control-target");
    assert_eq!(
        (&target["expected"], &target["overall"]["value"]),
        (&json!(72), &json!(1.0))
    );
    assert_eq!(
        (&target["metrics"]["done"], &target["metrics"]["kept_done"]),
        (&json!(1.0), &json!(1.0))
    );
    let identity = run(at, "mini-drift", "control-identity");
    assert_eq!(
        (&identity["overall"]["value"], &identity["metrics"]["done"]),
        (&json!(1.0), &json!(0.0))
    );
    assert!(identity["metrics"].get("kept_done").is_none());
    assert_eq!(identity["metrics"]["dist_median"], 0.0);

    let shifted = model(at, "shifted", "control", "control = 'shift'\namount = 3");
    let shifted = run(at, "mini-drift", shifted.to_str().unwrap());
    let moved = shifted["metrics"]["global_x"].as_f64().unwrap();
    assert!((2.0..=3.0).contains(&moved), "{shifted}");
    let blank = run(at, "mini-drift", "control-blank");
    assert_eq!(
        (&blank["overall"]["value"], &blank["metrics"]["lost"]),
        (&json!(0.0), &json!(1.0))
    );
}

#[test]
fn the_controls_of_maps_come_out_as_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let exact = run(at, "mini-maps", "control-exact");
    assert_eq!(
        (&exact["expected"], &exact["overall"]["value"]),
        (&json!(120), &json!(1.0))
    );
    for name in ["ods", "ois", "f0", "miou", "accuracy"] {
        assert_eq!(exact["metrics"][name], 1.0, "{name}");
    }
    let null = exact["metrics"]["null"].as_f64().unwrap();
    assert!((0.1..0.9).contains(&null), "{null}");

    let by_kind = |summary: &Value, kind: &str| -> f64 {
        let groups = summary["groups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["key"] == kind).unwrap();
        group["value"].as_f64().unwrap()
    };
    let inverted = model(at, "inverted", "control", "control = 'inverted'");
    let inverted = run(at, "mini-maps", inverted.to_str().unwrap());
    assert_eq!(
        (by_kind(&inverted, "edges"), by_kind(&inverted, "canny")),
        (1.0, 1.0)
    );
    assert_eq!(by_kind(&inverted, "depth"), 0.0);
    assert_eq!(inverted["metrics"]["reversed"], 1.0);

    let black = run(at, "mini-maps", "control-black");
    assert_eq!(
        (by_kind(&black, "edges"), by_kind(&black, "canny")),
        (0.0, 0.0)
    );
    assert_eq!(by_kind(&black, "depth"), 0.5);
    // Brighter below is no order here.
    let gradient = run(at, "mini-maps", "control-gradient");
    assert!(by_kind(&gradient, "depth") < 0.6, "{gradient}");

    let shifted = model(at, "shifted", "control", "control = 'shifted-map'");
    let shifted = run(at, "mini-maps", shifted.to_str().unwrap());
    let edges = by_kind(&shifted, "edges");
    assert!(edges > 0.9, "{edges}");
    let jpeg = model(at, "jpeg", "control", "control = 'jpeg-map'\namount = 95");
    let jpeg = run(at, "mini-maps", jpeg.to_str().unwrap());
    assert!(by_kind(&jpeg, "segment") > 0.8, "{jpeg}");
}

/// What is said of each cell in a grade's reason, `red circle at row 1, column 2; …`: the first name counts.
fn said(reason: &str) -> HashMap<(u64, u64), Vec<String>> {
    let mut cells: HashMap<(u64, u64), Vec<String>> = HashMap::new();
    for thing in reason.split("; ").filter(|thing| !thing.is_empty()) {
        let words: Vec<&str> = thing
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect();
        let [color, shape, "at", "row", row, "column", column] = words[..] else {
            panic!("{thing}");
        };
        let cell = (row.parse().unwrap(), column.parse().unwrap());
        cells
            .entry(cell)
            .or_default()
            .push(format!("{color} {shape}"));
    }
    cells
}

/// The number of cells that two models name wrongly, and how many of them in the same way.
fn both_wrong(items: &[Value], one: &[Value], other: &[Value]) -> (usize, usize) {
    let (mut wrong, mut same) = (0, 0);
    for item in items {
        let of = |grades: &[Value]| {
            let grade = grades.iter().find(|grade| grade["item"] == item["item"]);
            said(grade.unwrap()["reason"].as_str().unwrap())
        };
        let (one, other) = (of(one), of(other));
        for (cell, names) in &one {
            let Some(others) = other.get(cell) else {
                continue;
            };
            let things = item["expect"]["scene"].as_array().unwrap();
            let here = |thing: &&Value| {
                let at = |key: &str| thing[key].as_u64().unwrap() + 1;
                (at("row"), at("column")) == *cell
            };
            let truth = things.iter().find(here).map(|thing| {
                let words = [&thing["color"], &thing["shape"]].map(|word| word.as_str().unwrap());
                words.join(" ")
            });
            let right =
                truth.is_some_and(|truth| names.contains(&truth) || others.contains(&truth));
            if !right {
                wrong += 1;
                same += usize::from(names[0] == others[0]);
            }
        }
    }
    (wrong, same)
}

#[test]
fn what_a_restorer_and_a_reader_share_is_told_where_a_user_looks() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let program = |args: &[&str]| {
        let output = unigauge(at)
            .args(args)
            .env("UNIGAUGE_CACHE", at.join("cache"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    program(&[
        "run",
        "mini-noise-read",
        "--model",
        "mini-uniworld",
        "--limit",
        "200",
    ]);
    let read = "results/mini-noise-read/mini-uniworld/seed0-limit200";
    let said = format!("control = 'caption'\nreadings = '{read}'");
    model(at, "words", "control", &said);
    let study = "name = 'words'\ntitle = 'Words'\nlimit = 200\n\
                 models = ['words.toml', 'control-identity']\nsuites = ['mini-noise-restore']\n\
                 [[more]]\nmodels = ['mini-uniworld']\nsuites = ['mini-noise-read']\n";
    fs::write(at.join("study.toml"), study).unwrap();
    let printed = program(&["run", "./study.toml"]);

    let graded = |run: &str| lines(&at.join(run).join("grades.jsonl"));
    let drawn = "results/mini-noise-restore/words/seed0-limit200";
    let (words, readings) = (graded(drawn), graded(read));
    let items = lines(&at.join(drawn).join("items.jsonl"));
    let (wrong, same) = both_wrong(&items, &words, &readings);
    assert!(wrong > 0 && 2 * same > wrong, "{same} of {wrong}");
    let sentence =
        "words restores and mini UniWorld-V1 reads the same noise (mix): half is lost at level";
    let share = 100.0 * same as f64 / wrong as f64;
    let shared =
        format!("Of {wrong} that both name wrongly, {share:.1} % have the same wrong name");
    let compared = program(&["compare", drawn, read]);
    let page = fs::read_to_string(at.join("results/studies/words/index.html")).unwrap();
    for text in [&printed, &compared, &page] {
        assert!(
            text.contains(sentence) && text.contains(&shared),
            "{shared}: {text}"
        );
    }
    // The notes are their comparison: item by item, only two runs that restore are compared.
    let identity = "results/mini-noise-restore/control-identity/seed0-limit200";
    for (runs, count) in [
        (&[drawn, read][..], 0),
        (&[read, drawn], 0),
        (&[drawn, read, identity], 1),
    ] {
        let across_suites = ["--json", "compare", "--allow-prompts"];
        let printed = program(&[&across_suites, runs].concat());
        let both: Value = serde_json::from_str(&printed).unwrap();
        let comparisons = both["comparisons"].as_array().unwrap();
        assert_eq!(comparisons.len(), count, "{runs:?}: {printed}");
    }
    // Only the study has a run with the noisy pictures themselves.
    let reader = "The reader of pictures, shown the noisy pictures,";
    assert_eq!(
        (printed.contains(reader), compared.contains(reader)),
        (true, false)
    );
}

/// A picture of one colour, as a server sends it.
fn encoded(side: u32) -> String {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbImage::from_pixel(side, side, Rgb([90, 120, 30]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    base64::engine::general_purpose::STANDARD.encode(bytes.into_inner())
}

/// A model behind a server that sends pictures of 48 x 48 pixels and refuses one request.
fn served(dir: &Path, refused: usize) -> Server {
    let server = Server::start(move |_, before| {
        if before == refused {
            let error = json!({"message": "rejected by the safety system", "code": "content_policy_violation"});
            Reply::json("400 Bad Request", &json!({"error": error}))
        } else {
            Reply::json("200 OK", &json!({"data": [{"b64_json": encoded(48)}]}))
        }
    });
    let settings = format!(
        "name = 'served'\ntitle = 'Served'\ngenerator = 'openai'\nprice_per_output = 0.04\n\n\
         [settings]\nmodel = 'm'\nbase_url = '{}'\nmax_attempts = 1\n",
        server.url("/v1")
    );
    fs::write(dir.join("served.toml"), settings).unwrap();
    server
}

fn ask(dir: &Path, args: &[&str]) -> std::process::Output {
    unigauge(dir)
        .args(["run", "--model", "./served.toml", "--jobs", "1"])
        .args(args)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .env("OPENAI_API_KEY", "of-the-test")
        .output()
        .unwrap()
}

#[test]
fn noise_over_a_server_tells_the_cost_first_and_counts_a_refusal_as_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let server = served(at, 3);
    let suite = ["mini-noise-restore", "--limit", "10"];
    let cost = "10 requests to a server with 10 pictures, for 10 pictures; at 0.04 for an output, this costs 0.40";
    let dry = ask(at, &[&suite[..], &["--dry-run"]].concat());
    assert!(
        String::from_utf8_lossy(&dry.stdout).contains(cost),
        "{dry:?}"
    );
    assert_eq!(server.seen().len(), 0);

    let output = ask(at, &suite);
    assert!(stderr(&output).contains(cost), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(server.seen().len(), 10);
    let folder = at.join("results/mini-noise-restore/served/seed0-limit10");
    let grades = lines(&folder.join("grades.jsonl"));
    let (refused, made): (Vec<&Value>, Vec<&Value>) = grades
        .iter()
        .partition(|grade| grade["parts"]["refused"] == 1.0);
    assert_eq!((refused.len(), made.len()), (1, 9));
    let parts = &refused[0]["parts"];
    assert_eq!(
        (&refused[0]["score"], &parts["nothing"]),
        (&json!(0.0), &json!(1.0))
    );
    assert!(parts.get("psnr").is_none() && parts.get("resized").is_none());
    for grade in made {
        assert_eq!(grade["parts"]["resized"], 1.0);
        assert!(grade["parts"]["psnr"].is_number());
    }
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        (&summary["scored"], &summary["failed"], &summary["unscored"]),
        (&json!(10), &json!(1), &json!(0))
    );
    let notes = summary["notes"].to_string();
    assert!(notes.contains("1 outputs were refused") && notes.contains("9 outputs were resized"));
}

#[test]
fn canny_over_a_server_marks_a_resized_output_and_leaves_a_refusal_without_a_score() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let _server = served(at, 1);
    let picture = RgbImage::from_fn(40, 24, |x, _| Rgb([if x < 20 { 230 } else { 20 }; 3]));
    picture.save(at.join("a.png")).unwrap();
    let item = |id: &str| json!({"id": id, "images": ["a.png"]}).to_string();
    fs::write(at.join("edges.jsonl"), [item("a1"), item("a2")].join("\n")).unwrap();
    let output = ask(at, &["map-canny", "--items", "edges.jsonl"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let grades = grades(at, "map-canny", "served");
    // A picture without edges finds none.
    assert_eq!(
        (&grades[0]["score"], &grades[0]["parts"]["resized"]),
        (&json!(0.0), &json!(1.0))
    );
    assert!(grades[0]["notes"].to_string().contains("was resized"));
    assert_eq!(grades[1]["score"], Value::Null);
}

#[test]
fn text_over_a_server_is_lost_in_a_resized_output_and_words_under_noise_are_read() {
    if ocr_models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let _server = served(at, 1);
    let program = |args: &[&str], code: i32| {
        // The models of PP-OCR are in the usual cache.
        let output = unigauge(at)
            .args(args)
            .env("OPENAI_API_KEY", "of-the-test")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    };
    let model = "./served.toml";
    let drift = [
        "run",
        "text-drift-en",
        "--limit",
        "2",
        "--jobs",
        "1",
        "--model",
        model,
    ];
    program(&drift, 5);
    let graded = |suite: &str, model: &str, run: &str| {
        lines(&at.join(format!("results/{suite}/{model}/{run}/grades.jsonl")))
    };
    let drifted = graded("text-drift-en", "served", "seed0-limit2");
    assert_eq!(
        (&drifted[0]["score"], &drifted[0]["parts"]["lost"]),
        (&json!(0.0), &json!(1.0))
    );
    assert!(drifted[0]["notes"].to_string().contains("was resized"));
    assert_eq!(drifted[1]["score"], Value::Null);

    // Two words; each level of a word has the same clean picture.
    for (control, least, most) in [("control-clean", 0.5, 1.0), ("control-blank", 0.0, 0.0)] {
        program(
            &["run", "noise-text", "--limit", "20", "--model", control],
            0,
        );
        let grades = graded("noise-text", control, "seed0-limit20");
        let scores: f64 = grades
            .iter()
            .filter_map(|grade| grade["score"].as_f64())
            .sum();
        let mean = scores / grades.len() as f64;
        assert!(
            grades.len() == 20 && (least..=most).contains(&mean),
            "{control}: {mean}"
        );
        if control == "control-blank" {
            assert!(grades.iter().all(|grade| grade["parts"]["nothing"] == 1.0));
        }
    }
}

#[test]
fn a_picture_of_a_canny_map_is_compared_with_the_map() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let picture = RgbImage::from_fn(64, 64, |x, y| {
        let inside = (x as i32 - 30).pow(2) + (y as i32 - 34).pow(2) < 400;
        Rgb(if inside { [220, 60, 40] } else { [40, 60, 90] })
    });
    picture.save(at.join("a.png")).unwrap();
    fs::write(
        at.join("edges.jsonl"),
        json!({"id": "a", "images": ["a.png"]}).to_string(),
    )
    .unwrap();
    let exact = unigauge(at)
        .args([
            "run",
            "map-canny",
            "--items",
            "edges.jsonl",
            "--model",
            "control-exact",
        ])
        .output()
        .unwrap();
    assert_eq!(exact.status.code(), Some(0), "{}", stderr(&exact));
    let run_of_map = at.join("results/map-canny/control-exact/seed0");
    let output = &lines(&run_of_map.join("outputs.jsonl"))[0];
    fs::copy(
        run_of_map.join(output["file"].as_str().unwrap()),
        at.join("map.png"),
    )
    .unwrap();

    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/map-canny-reversed.toml");
    let bounds = "bounds = { value = [100, 200] }";
    let suite = fs::read_to_string(shipped).unwrap();
    let suite = suite.replace(bounds, &format!("{bounds}\ntarget = 'target'"));
    fs::write(at.join("map-canny-reversed.toml"), suite).unwrap();
    let item = json!({"id": "a", "prompt": "A disc.", "images": ["map.png"], "target": "a.png"});
    fs::write(at.join("map-canny-reversed.jsonl"), item.to_string()).unwrap();
    let target = run(at, "./map-canny-reversed.toml", "control-target");
    assert_eq!(target["overall"]["value"], 1.0, "{target}");
    assert_eq!(target["metrics"]["f0"], 1.0);
    let blank = run(at, "./map-canny-reversed.toml", "control-blank");
    assert_eq!(blank["overall"]["value"], 0.0, "{blank}");
}

#[test]
fn chinese_pages_need_a_font_and_say_which() {
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["items", "text-drift-zh", "--limit", "4"])
        .env("UNIGAUGE_CACHE", dir.path().join("cache"))
        .output()
        .unwrap();
    if output.status.code() != Some(0) {
        assert!(
            stderr(&output).contains("fonts-noto-cjk"),
            "{}",
            stderr(&output)
        );
        skip("no font for Chinese is installed");
        return;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let items: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(items.len(), 4);
    for item in items {
        assert_eq!(item["tags"]["language"], "zh");
        assert!(item["expect"]["font"].is_string());
        let prompt = item["prompt"].as_str().unwrap();
        assert!(prompt.ends_with("其他内容都不要改变。"), "{prompt}");
        let lines = item["expect"]["lines"].as_array().unwrap();
        let chinese = |c: char| ('一'..='龥').contains(&c);
        let is_chinese = |line: &Value| line["text"].as_str().unwrap().contains(chinese);
        assert!(lines.iter().all(is_chinese), "{item}");
    }
}

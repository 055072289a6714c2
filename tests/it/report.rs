//! Tables in every format, charts that are not cut, and the page as a browser shows it.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use unigauge::record::{Estimate, Evidence, Grade, Group, Item, Output, OutputKind, Summary, Task};
use unigauge::report::{
    ReportError, ReportOptions, RunView, Table, TableInput, TableSettings, Unit, Written, printed,
    write,
};
use unigauge::table::formats::{CSV, HTML, JSON, LATEX, MARKDOWN, PARQUET, TERMINAL};
use unigauge::table::{Format, Window};

/// An empty folder that stays after the test, to be looked at.
pub fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn summary(model: &str, run: &str, overall: f64, groups: &[(&str, f64)]) -> Summary {
    Summary {
        suite: "signs".into(),
        suite_version: "1".into(),
        model: model.into(),
        run: run.into(),
        expected: 40,
        scored: 40,
        failed: 0,
        unscored: 0,
        unscored_by: BTreeMap::new(),
        partial: false,
        overall: Estimate {
            value: Some(overall),
            low: Some(overall - 0.05),
            high: Some((overall + 0.04).min(1.0)),
            n: 20,
            method: "mean over outputs; cluster bootstrap by item, 95 %".into(),
        },
        groups: groups
            .iter()
            .map(|(key, value)| Group {
                by: "length".into(),
                key: (*key).into(),
                value: Some(*value),
                low: Some((value - 0.08).max(0.0)),
                high: Some((value + 0.08).min(1.0)),
                n: 10,
                outputs: 20,
            })
            .collect(),
        metrics: BTreeMap::new(),
        judges: Vec::new(),
        notes: Vec::new(),
        extra: Default::default(),
    }
}

/// Three models: a tie for the best that rounding does not make (0.80124 twice), one that only looks like it
/// (0.80121 prints as 80.1, too), a partial run, a missing group, and a name full of special characters.
fn tables(settings: TableSettings) -> Vec<Table> {
    let plain = summary(
        "alpha",
        "r1",
        0.80124,
        &[("short", 0.9), ("long_text", 0.7025)],
    );
    let tied = summary(
        "beta",
        "r1",
        0.80124,
        &[("short", 0.95), ("long_text", 0.6525)],
    );
    let mut partial = summary("gamma", "r1", 0.80121, &[("short", 0.1)]);
    (
        partial.partial,
        partial.scored,
        partial.failed,
        partial.unscored,
    ) = (true, 37, 2, 1);
    partial.notes = vec!["Missing outputs are left out of every mean (50% rule).".into()];
    let input = |summary, model_title| TableInput {
        summary,
        suite_title: "Signs & labels",
        model_title,
    };
    Table::of_runs(
        &[
            input(&plain, "Alpha"),
            input(&tied, "Beta_2 \"big\", 50% & #1 | <b>$x$</b>"),
            input(&partial, "伽马模型"),
        ],
        settings,
    )
}

fn text(format: &Format, tables: &[Table]) -> String {
    in_window(format, tables, Window::default())
}

fn in_window(format: &Format, tables: &[Table], window: Window) -> String {
    let document = printed::document(tables).unwrap();
    format.text(&document, window).unwrap()
}

/// A paper's numbers stand below the measured ones, out of the competition, with their source.
#[test]
fn published_rows_stand_below_the_measured_ones() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("results/published");
    std::fs::create_dir_all(&folder).unwrap();
    crate::support::text_suite(dir.path(), 6);
    let model = crate::support::model(dir.path(), "echo", "echo", "");
    let file = |top: &str| {
        format!(
            "suite = \"questions\"\nby = \"kind\"\nfull_mark = 100\n\n[[rows]]\nmodel = \"Big\"\nsource = \"A & B, table 2\"\n\
             overall = {top}\ngroups = {{ three = 50 }}\nnotes = [\"rewritten\"]\n"
        )
    };
    std::fs::write(folder.join("questions.toml"), file("87.5")).unwrap();
    let study = "name = \"s\"\ntitle = \"S\"\nmodels = [\"echo.toml\"]\nsuites = [\"questions.toml\"]\npublished = true\n";
    std::fs::write(dir.path().join("s.toml"), study).unwrap();
    assert!(model.ends_with("echo.toml"));
    let run = |args: &[&str]| {
        crate::support::unigauge(dir.path())
            .args(args)
            .output()
            .unwrap()
    };
    let output = run(&["run", "./s.toml"]);
    assert!(
        output.status.success(),
        "{}",
        crate::support::stderr(&output)
    );
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r"
    Questions (version 1), %
    ─────────────────────────────────────
     model   n   overall   three   other
    ═════════════════════════════════════
     echo    6      50.0    50.0    50.0
     Big‡           87.5    50.0       –
    ─────────────────────────────────────
    ‡ as printed, not measured here: A & B, table 2.
    ‡ Big: rewritten.
    ");
    let page = std::fs::read_to_string(dir.path().join("results/studies/s/index.html")).unwrap();
    assert!(page.contains("Big<abbr title=\"printed by a paper"));
    let csv = run(&[
        "compare",
        "results/questions/echo/seed0",
        "--published",
        "--format",
        "csv",
    ]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(
        csv.contains("questions,1,Big,\"A & B, table 2\",false,,overall,0.875,,,0,0"),
        "{csv}"
    );
    let latex = run(&[
        "compare",
        "results/questions/echo/seed0",
        "--published",
        "--format",
        "latex",
    ]);
    let latex = String::from_utf8(latex.stdout).unwrap();
    assert!(latex.contains("Big$^\\ddagger$ &  & 87.5"), "{latex}");

    std::fs::write(folder.join("questions.toml"), file("8750")).unwrap();
    let refused = run(&["compare", "results/questions/echo/seed0", "--published"]);
    let said = crate::support::stderr(&refused);
    assert!(
        said.contains("questions.toml") && said.contains("full_mark"),
        "{said}"
    );
}

#[test]
fn markdown_table() {
    assert_snapshot!(text(&MARKDOWN, &tables(TableSettings::default())));
}

#[test]
fn latex_table() {
    let settings = TableSettings {
        intervals: true,
        ..TableSettings::default()
    };
    assert_snapshot!(text(&LATEX, &tables(settings)));
}

#[test]
fn html_table() {
    assert_snapshot!(text(&HTML, &tables(TableSettings::default())));
}

#[test]
fn terminal_table_fits_the_window_and_obeys_no_color() {
    let usual = tables(TableSettings::default());
    assert_snapshot!(text(&TERMINAL, &usual));
    let narrow = Window {
        width: Some(48),
        styled: false,
    };
    let settings = TableSettings {
        unit: Some(Unit::Decimal4),
        intervals: false,
    };
    assert_snapshot!(in_window(&TERMINAL, &tables(settings), narrow));
    let styled = Window {
        width: Some(100),
        styled: true,
    };
    let shown = in_window(&TERMINAL, &usual, styled);
    // Bold is 1, underline 4.
    assert!(
        shown.contains("\u{1b}[1m") && shown.contains("\u{1b}[4m"),
        "{shown:?}"
    );
    assert!(!text(&TERMINAL, &usual).contains('\u{1b}'));
}

#[test]
fn csv_is_long_unrounded_and_quoted() {
    let csv = text(&CSV, &tables(TableSettings::default()));
    assert!(csv.lines().count() == 9 && csv.ends_with("\r\n"), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), csv.matches('\n').count());
    assert_snapshot!(csv.replace("\r\n", "\n"));
}

#[test]
fn csv_doubles_quotes_and_keeps_line_breaks_inside_them() {
    let odd = summary("a,\"b\"\nc", "r1", 0.5, &[]);
    let input = TableInput {
        summary: &odd,
        suite_title: "S",
        model_title: "m",
    };
    let csv = text(&CSV, &Table::of_runs(&[input], TableSettings::default()));
    assert!(csv.contains("signs,1,\"a,\"\"b\"\"\nc\",r1,"), "{csv}");
}

#[test]
fn parquet_is_typed_and_read_back() {
    use parquet::basic::{ConvertedType, Type};
    use parquet::record::Field;
    let tables = tables(TableSettings::default());
    let bytes = (PARQUET.write)(&printed::document(&tables).unwrap(), Window::default()).unwrap();
    let table = crate::parquet_files::read(bytes);
    for (name, physical, converted) in &table.types {
        let expected = match name.as_str() {
            "partial" => (Type::BOOLEAN, ConvertedType::NONE),
            "value" | "low" | "high" => (Type::DOUBLE, ConvertedType::NONE),
            "n" | "outputs" => (Type::INT64, ConvertedType::UINT_64),
            _ => (Type::BYTE_ARRAY, ConvertedType::UTF8),
        };
        assert_eq!((*physical, *converted), expected, "{name}");
    }
    let expected = "suite suite_version model run partial by key value low high n outputs notes";
    assert_eq!(table.names(), expected);
    // 3 overall rows, 2 + 2 + 1 groups.
    assert_eq!(table.rows.len(), 8);
    assert_eq!(table.column("value")[0], Field::Double(0.80124));
    let missing = table.column("by");
    let missing = missing.iter().filter(|by| **by == Field::Null);
    assert_eq!(missing.count(), 3);
}

#[test]
fn json_carries_ranks_on_unrounded_values() {
    let tables: Value =
        serde_json::from_str(&text(&JSON, &tables(TableSettings::default()))).unwrap();
    let rank = |row: usize, column: usize| tables[0]["rows"][row]["cells"][column]["rank"].clone();
    assert_eq!(
        [rank(0, 0), rank(1, 0), rank(2, 0)],
        ["best", "best", "second"]
    );
    assert_eq!(
        [rank(0, 1), rank(1, 1), rank(2, 1)],
        ["second", "best", "other"]
    );
    assert_eq!(rank(2, 2), "other");
}

#[test]
fn suites_and_versions_get_tables_of_their_own() {
    let first = summary("a", "r1", 0.5, &[]);
    let mut other_version = first.clone();
    other_version.suite_version = "2".into();
    let mut again = first.clone();
    again.run = "r2".into();
    let inputs = [&first, &other_version, &again].map(|summary| TableInput {
        summary,
        suite_title: "S",
        model_title: "A",
    });
    let tables = Table::of_runs(&inputs, TableSettings::default());
    let labels: Vec<Vec<&str>> = tables
        .iter()
        .map(|table| table.rows.iter().map(|row| row.label.as_str()).collect())
        .collect();
    assert_eq!(labels, [vec!["A (r1)", "A (r2)"], vec!["A"]]);
}

/* ---- Runs made for the tests ---- */

pub struct Plan<'a> {
    pub models: &'a [(&'a str, &'a str)],
    pub groups: &'a [&'a str],
    pub items: usize,
    pub pictures: bool,
}

/// The score that model `m` gets for item `i`: known, so that the page's order and counts can be worked out.
fn planned_score(model: usize, item: usize) -> f64 {
    match (item * 7 + model * 3) % 10 {
        0..4 => 1.0,
        rest => 1.0 - rest as f64 / 10.0 + 0.02 * model as f64,
    }
}

fn draw_sign(path: &Path, shade: u8) {
    let mut picture = image::RgbImage::from_pixel(256, 160, image::Rgb([245, 240, 228]));
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if (20..236).contains(&x) && (40..120).contains(&y) {
            *pixel = image::Rgb([40, shade, 110]);
        }
        if (40..216).contains(&x) && (70..90).contains(&y) && (x / 8) % 2 == 0 {
            *pixel = image::Rgb([250, 250, 250]);
        }
    }
    picture.save(path).unwrap();
}

pub fn runs(dir: &Path, plan: &Plan<'_>) -> Vec<RunView> {
    (0..plan.models.len())
        .map(|model| run(dir, plan, model))
        .collect()
}

fn run(dir: &Path, plan: &Plan<'_>, model: usize) -> RunView {
    let (name, title) = plan.models[model];
    let dir = dir.join(format!("run-{model}"));
    std::fs::create_dir_all(dir.join("outputs")).unwrap();
    let mut view = RunView {
        dir,
        suite: "signs".into(),
        suite_title: "Signs".into(),
        suite_version: "1".into(),
        model: name.into(),
        model_title: title.into(),
        run: "r1".into(),
        variant_notes: vec!["Blurred by 2 px.".into()],
        manifest: json!({"program": "unigauge 0.1.0", "seed": 7}),
        summary: summary(name, "r1", 0.0, &[]),
        items: Arc::default(),
        outputs: Vec::new(),
        evidence: Vec::new(),
        grades: Vec::new(),
    };
    for index in 0..plan.items {
        add_item(&mut view, plan, model, index);
    }
    let mean = |of: &dyn Fn(&Grade) -> bool| {
        let scores: Vec<f64> = view
            .grades
            .iter()
            .filter(|g| of(g))
            .filter_map(|g| g.score)
            .collect();
        scores.iter().sum::<f64>() / scores.len().max(1) as f64
    };
    let groups: Vec<(&str, f64)> = plan
        .groups
        .iter()
        .map(|group| (*group, mean(&|grade| grade.tags["length"] == *group)))
        .collect();
    view.summary = summary(name, "r1", mean(&|_| true), &groups);
    view.summary.expected = plan.items;
    view.summary.scored = plan.items;
    view
}

fn add_item(view: &mut RunView, plan: &Plan<'_>, model: usize, index: usize) {
    let id = format!("{index:05}");
    let group = plan.groups[index % plan.groups.len()];
    let tags = BTreeMap::from([("length".to_owned(), group.to_owned())]);
    let wanted = format!("OPEN {index} DAYS");
    Arc::make_mut(&mut view.items).push(Item {
        item: id.clone(),
        task: Task::TextToImage,
        prompt: format!("A shop window with a sign that says \"{wanted}\", photographed at dusk"),
        images: Vec::new(),
        expect: json!({"texts": [wanted], "language": "en"})
            .as_object()
            .unwrap()
            .clone(),
        tags: tags.clone().into_iter().collect(),
        extra: Default::default(),
    });
    let file = format!("outputs/{id}.png");
    if plan.pictures {
        draw_sign(&view.dir.join(&file), (index * 5 % 200) as u8);
    }
    view.outputs.push(Output {
        item: id.clone(),
        repeat: 0,
        seed: index as u64,
        kind: OutputKind::Image,
        file: plan.pictures.then_some(file),
        sha256: None,
        width: Some(256),
        height: Some(160),
        text: None,
        timings: Default::default(),
        fingerprint: String::new(),
        error: None,
        extra: Default::default(),
    });
    let score = planned_score(model, index);
    let seen = if score < 1.0 {
        "OPEN DAYS"
    } else {
        wanted.as_str()
    };
    view.evidence.push(Evidence {
        item: id.clone(),
        repeat: 0,
        observer: "ppocr".into(),
        fingerprint: String::new(),
        seconds: 0.1,
        evidence: Some(json!({
            "engine": "ppocr",
            "lines": [{"text": seen, "score": 0.97, "polygon": [[38.2, 66.0], [218.0, 66.0], [218.0, 94.0], [38.0, 94.0]]}],
            "text": seen,
        })),
        error: None,
        extra: Default::default(),
    });
    view.grades.push(Grade {
        item: id,
        repeat: 0,
        score: Some(score),
        reason: if score < 1.0 {
            "1 of 3 words is missing".into()
        } else {
            "all words read".into()
        },
        tags: tags.into_iter().collect(),
        ..Grade::default()
    });
}

pub const THREE: [(&str, &str); 3] = [
    ("typeset", "Typeset (clean)"),
    ("typeset-blur", "Typeset, blurred by 2 px"),
    ("uniworld", "UniWorld-V1"),
];

/* ---- Charts ---- */

/// Nothing may touch the edge of a chart: a label that does is cut.
fn assert_uncut(png: &Path) {
    let picture = image::open(png).unwrap().to_rgb8();
    let (width, height) = picture.dimensions();
    let edge = picture
        .enumerate_pixels()
        .filter(|(x, y, _)| *x < 2 || *y < 2 || *x >= width - 2 || *y >= height - 2);
    for (x, y, pixel) in edge {
        assert_eq!(pixel.0, [255; 3], "{} is cut at {x}, {y}", png.display());
    }
    let inked = picture.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
    assert!(inked > 2000, "{} is blank", png.display());
}

fn charts_of(name: &str, models: &[(&str, &str)], groups: &[&str], items: usize) -> PathBuf {
    let dir = folder(name);
    let plan = Plan {
        models,
        groups,
        items,
        pictures: false,
    };
    let runs = runs(&dir, &plan);
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    let pngs = written
        .files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "png"));
    for png in pngs {
        assert_uncut(png);
        let svg = std::fs::read_to_string(png.with_extension("svg")).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{svg:.80}"
        );
    }
    dir.join("report/charts")
}

#[test]
fn charts_of_one_model() {
    let dir = charts_of("charts-1", &THREE[..1], &["short", "middle", "long"], 40);
    for kind in ["bars", "radar", "heatmap", "distribution"] {
        assert!(dir.join(format!("signs-{kind}.svg")).is_file(), "{kind}");
    }
}

#[test]
fn charts_of_three_models_and_six_groups() {
    let groups = [
        "single_object",
        "two_object",
        "counting",
        "colors",
        "position",
        "color_attr",
    ];
    charts_of("charts-3", &THREE, &groups, 553);
}

#[test]
fn charts_of_eight_models_with_long_names_and_twelve_groups() {
    let models = [
        (
            "m1",
            "UniWorld-V1 with a SigLIP2 reference encoder at 512 px",
        ),
        ("m2", "UniWorld-V1 with a DINOv2 reference encoder"),
        ("m3", "X-Omni"),
        (
            "m4",
            "FLUX.1 [dev], 28 steps, guidance 3.5, official prompt rewriting by a large language model and then some",
        ),
        ("m5", "Qwen2.5-VL-7B"),
        ("m6", "Janus-Pro-7B"),
        ("m7", "BAGEL"),
        (
            "m8",
            "averyveryveryverylongidentifierwithoutanybreakatallinsideitwhatsoever",
        ),
    ];
    let groups = [
        "single_object",
        "two_object",
        "counting",
        "colors",
        "position",
        "color_attr",
        "spatial relations between three objects",
        "negation",
        "text rendering",
        "Donaudampfschifffahrtsgesellschaft",
        "style",
        "world_knowledge_and_reasoning",
    ];
    charts_of("charts-8", &models, &groups, 300);
}

#[test]
fn charts_with_chinese_names() {
    let models = [
        ("model-a", "统一世界模型"),
        ("model-b", "文本渲染模型第二版（模糊）"),
    ];
    charts_of(
        "charts-zh",
        &models,
        &["短文本", "中等长度的文本", "很长很长的文本渲染任务"],
        30,
    );
}

/* ---- The page's content ---- */

/// The gallery's data as a browser finds it, from the page or from the files beside it: the list, and the cards
/// as `items`.
pub fn embedded(page: &Path) -> Value {
    let html = std::fs::read_to_string(page).unwrap();
    let inside = |id: &str| -> Value {
        let from = html.split_once(&format!("id=\"{id}\">")).unwrap().1;
        // Up to the first end tag, as a browser reads it.
        serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
    };
    let beside = |file: &str| -> Value {
        let text = std::fs::read_to_string(page.with_file_name("").join(file)).unwrap();
        let json = text.strip_prefix("unigauge(").unwrap();
        serde_json::from_str(json.strip_suffix(");\n").unwrap()).unwrap()
    };
    let list = match html.split_once("data-list=\"") {
        Some((_, rest)) => beside(rest.split_once('"').unwrap().0),
        None => inside("list"),
    };
    let mut items = Vec::new();
    for (at, chunk) in list["chunks"].as_array().unwrap().iter().enumerate() {
        let cards = match chunk["file"].as_str() {
            Some(file) => beside(file),
            None => inside(&format!("cards-{at}")),
        };
        let cards = cards.as_array().unwrap().clone();
        assert_eq!(cards.len() as u64, chunk["items"].as_u64().unwrap());
        items.extend(cards);
    }
    assert_eq!(items.len(), list["items"].as_array().unwrap().len());
    json!({"list": list, "items": items})
}

pub fn small(models: &[(&str, &str)], items: usize, dir: &Path) -> Vec<RunView> {
    let plan = Plan {
        models,
        groups: &["short", "long"],
        items,
        pictures: true,
    };
    runs(dir, &plan)
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let dir = folder("requests");
    let written = write(
        &dir.join("report"),
        &small(&THREE, 6, &dir),
        &ReportOptions::default(),
    )
    .unwrap();
    let html = std::fs::read_to_string(&written.page).unwrap();
    for outside in [
        "src=\"http",
        "href=\"http",
        "url(",
        "@import",
        "fetch(",
        "src=\"//",
        "href=\"//",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert_eq!((written.thumbs_inline, written.thumbs_linked), (0, 18));
    assert!(html.contains("unigauge 0.1.0"));
}

#[test]
fn a_broken_or_missing_picture_costs_its_card_only() {
    let dir = folder("broken");
    let runs = small(&THREE[..1], 4, &dir);
    std::fs::write(runs[0].dir.join("outputs/00001.png"), b"not a picture").unwrap();
    std::fs::remove_file(runs[0].dir.join("outputs/00002.png")).unwrap();
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    let data = embedded(&written.page);
    let picture = |item: usize| data["items"][item]["outputs"][0]["picture"].clone();
    assert!(picture(1)["problem"].as_str().unwrap().contains("decoded"));
    assert!(picture(2)["problem"].as_str().unwrap().contains("read"));
    assert!(picture(0)["thumb"].is_string() && picture(3)["thumb"].is_string());
}

#[test]
fn too_many_outputs_become_a_sample_with_every_failure() {
    let dir = folder("sample");
    let plan = Plan {
        models: &THREE[..1],
        groups: &["short"],
        items: 200,
        pictures: false,
    };
    let runs = runs(&dir, &plan);
    let failures = (0..200)
        .filter(|item| planned_score(0, *item) < 1.0)
        .count();
    let options = ReportOptions {
        max_outputs: failures + 20,
        ..ReportOptions::default()
    };
    let first = write(&dir.join("report"), &runs, &options).unwrap();
    assert!(
        first.shown > failures && first.shown <= failures + 20,
        "{first:?}"
    );
    let data = embedded(&first.page);
    let shown = data["items"].as_array().unwrap().iter();
    let failed = shown
        .filter(|item| item["outputs"][0]["status"] == "failed")
        .count();
    assert_eq!(failed, failures);
    let html = std::fs::read(&first.page).unwrap();
    let note = format!("The gallery shows {} of 200 outputs", first.shown);
    assert!(String::from_utf8_lossy(&html).contains(&note));
    write(&dir.join("report"), &runs, &options).unwrap();
    assert_eq!(
        html,
        std::fs::read(&first.page).unwrap(),
        "the sample changes from one report to the next"
    );
}

#[test]
fn a_run_without_a_single_score_has_a_report_that_says_so() {
    let dir = folder("unscored");
    let mut runs = small(&THREE[..1], 3, &dir);
    for grade in &mut runs[0].grades {
        (grade.score, grade.unscored) = (None, Some("OCR was not run".into()));
    }
    let summary = &mut runs[0].summary;
    (summary.partial, summary.scored, summary.unscored) = (true, 0, 3);
    let mut empty = summary.overall.clone();
    (empty.value, empty.low, empty.high, empty.n) = (None, None, None, 0);
    summary.overall = empty;
    summary.groups.clear();
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    let html = std::fs::read_to_string(&written.page).unwrap();
    assert!(
        html.contains("Typeset (clean) on Signs: 0 of 3 outputs scored, 0 failed, 3 unscored.")
    );
    let data = embedded(&written.page);
    let output = &data["items"][0]["outputs"][0];
    assert_eq!(output["status"], "unscored");
    assert_eq!(output["reason"], "OCR was not run");
}

#[test]
fn no_runs_and_an_unwritable_folder_are_named() {
    let dir = folder("errors");
    assert!(matches!(
        write(&dir, &[], &ReportOptions::default()),
        Err(ReportError::NoRuns)
    ));
    std::fs::write(dir.join("file"), "").unwrap();
    let error = write(
        &dir.join("file/report"),
        &small(&THREE[..1], 1, &dir),
        &ReportOptions::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("file/report"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Whatever a prompt holds, the script reads back exactly that, and no tag of it reaches the page.
    #[test]
    fn any_prompt_survives_the_page(prompts in proptest::collection::vec(
        prop_oneof![any::<String>(), Just("</script><script>alert(1)</script><!-- \u{2028}\u{2029}\"'&".to_owned())], 1..30)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan { models: &THREE[..1], groups: &["short"], items: prompts.len(), pictures: false };
        let mut runs = runs(dir.path(), &plan);
        for (item, prompt) in Arc::make_mut(&mut runs[0].items).iter_mut().zip(&prompts) {
            item.prompt.clone_from(prompt);
        }
        let written = write(&dir.path().join("report"), &runs, &ReportOptions::default()).unwrap();
        let data = embedded(&written.page);
        for (item, prompt) in data["items"].as_array().unwrap().iter().zip(&prompts) {
            prop_assert_eq!(item["prompt"].as_str().unwrap(), prompt);
        }
        let html = std::fs::read_to_string(&written.page).unwrap();
        prop_assert!(!html.contains("alert(1)</script>"));
        let options = ReportOptions { single_file: true, ..ReportOptions::default() };
        let written = write(&dir.path().join("single"), &runs, &options).unwrap();
        let single = embedded(&written.page);
        prop_assert_eq!(&single["items"], &data["items"]);
        let html = std::fs::read_to_string(&written.page).unwrap();
        prop_assert!(!html.contains("alert(1)</script>"));
    }
}

/* ---- In a browser ---- */

pub fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|dir| names.map(|name| dir.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        crate::support::skip("chromium is not there");
    }
    found
}

/// What the browser prints, for a page and a fragment.
fn browse(page: &Path, fragment: &str, arguments: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium().unwrap())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--virtual-time-budget=5000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}#{fragment}", page.display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn dom(page: &Path, fragment: &str) -> String {
    browse(page, fragment, &["--dump-dom", "--window-size=1280,900"])
}

/// The values of an attribute on elements that start with `tag`, in document order.
fn attributes<'a>(dom: &'a str, tag: &str, name: &str) -> Vec<&'a str> {
    let pattern = format!("<{tag} ");
    let mark = format!("{name}=\"");
    dom.split(&pattern)
        .skip(1)
        .filter_map(|rest| rest.split_once('>').unwrap().0.split_once(&mark))
        .map(|(_, rest)| rest.split_once('"').unwrap().0)
        .collect()
}

/// Models of the results table, top to bottom.
fn row_order(dom: &str) -> Vec<&str> {
    let body = dom.split_once("<table class=\"results\"").unwrap().1;
    let body = body.split_once("</table>").unwrap().0;
    attributes(body, "th", "data-value")
}

pub fn count(dom: &str) -> &str {
    let rest = dom.split_once("id=\"count\"").unwrap().1;
    rest.split_once('>').unwrap().1.split_once('<').unwrap().0
}

pub fn cards(dom: &str) -> Vec<&str> {
    attributes(dom, "article", "data-item")
}

fn page_of_three(name: &str, items: usize) -> Written {
    let dir = folder(name);
    write(
        &dir.join("report"),
        &small(&THREE, items, &dir),
        &ReportOptions::default(),
    )
    .unwrap()
}

#[test]
fn a_browser_sorts_the_table() {
    if chromium().is_none() {
        return;
    }
    let written = page_of_three("sort", 10);
    // By hand: sums of planned_score over items 0..10 are 7.3, 7.42 and 7.54 for models 0, 1 and 2.
    let plain = dom(&written.page, "");
    assert_eq!(
        row_order(&plain),
        ["Typeset (clean)", "Typeset, blurred by 2 px", "UniWorld-V1"]
    );
    let falling = dom(&written.page, "sort=overall:desc");
    assert_eq!(
        row_order(&falling),
        ["UniWorld-V1", "Typeset, blurred by 2 px", "Typeset (clean)"]
    );
    assert!(falling.contains("data-key=\"overall\" class=\"number\" aria-sort=\"descending\""));
    let by_name = dom(&written.page, "sort=model:desc");
    assert_eq!(
        row_order(&by_name),
        ["UniWorld-V1", "Typeset, blurred by 2 px", "Typeset (clean)"]
    );
}

#[test]
fn a_browser_filters_the_gallery() {
    if chromium().is_none() {
        return;
    }
    let written = page_of_three("filter", 20);
    let all = dom(&written.page, "");
    assert_eq!(count(&all), "20 of 20 items, 60 of 60 outputs");
    assert_eq!(cards(&all).len(), 20);
    assert!(
        all.contains("<polygon points=\"38 66 218 66 218 94 38 94\" stroke="),
        "no evidence is drawn"
    );
    assert!(
        all.contains("<mark title=\"not read\">0</mark>")
            || all.contains("<mark title=\"not read\">1</mark>")
    );

    // Failed in the first model's run: scores below 1, from the plan.
    let failed: Vec<String> = (0..20)
        .filter(|item| planned_score(0, *item) < 1.0)
        .map(|item| format!("{item:05}"))
        .collect();
    let shown = dom(&written.page, "status=failed&model=Typeset+(clean)");
    assert_eq!(cards(&shown), failed);
    assert_eq!(
        count(&shown),
        format!("{0} of 20 items, {0} of 60 outputs", failed.len())
    );

    // A tag by its bare value, and with its name.
    let short: Vec<String> = (0..20)
        .step_by(2)
        .map(|item| format!("{item:05}"))
        .collect();
    assert_eq!(cards(&dom(&written.page, "tag=short")), short);
    assert_eq!(cards(&dom(&written.page, "tag=length:short")), short);

    assert_eq!(
        cards(&dom(&written.page, "q=open+7+days")),
        ["00007", "00017"]
    );
    let nothing = dom(&written.page, "status=unscored");
    assert!(cards(&nothing).is_empty() && nothing.contains("No item matches"));
}

#[test]
fn a_browser_shows_hostile_text_as_text() {
    if chromium().is_none() {
        return;
    }
    let dir = folder("hostile");
    let mut runs = small(&THREE[..1], 2, &dir);
    let hostile = "</script><img src=x onerror=document.title='broken'> \"q\" 'a' & \u{2028} 🎨 مرحبا بالعالم";
    Arc::make_mut(&mut runs[0].items)[0].prompt = hostile.into();
    runs[0].grades[0].reason = "<b onclick=alert(1)>reason</b>".into();
    runs[0].model_title = "<i>model</i>".into();
    runs[0].suite_title = "Signs <script>document.title='broken'</script>".into();
    runs[0].variant_notes = vec!["<script>document.title='broken'</script>".into()];
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    let dom = dom(&written.page, "");
    assert!(!dom.contains("<title>broken"), "a script of the data ran");
    assert!(!dom.contains("<img src=\"x\"") && !dom.contains("<b onclick"));
    assert!(dom.contains(
        "&lt;/script&gt;&lt;img src=x onerror=document.title='broken'&gt; \"q\" 'a' &amp;"
    ));
    assert!(dom.contains("🎨 مرحبا بالعالم"));
    assert_eq!(cards(&dom), ["00000", "00001"]);
}

#[test]
fn a_browser_draws_detections_as_labelled_boxes() {
    if chromium().is_none() {
        return;
    }
    let dir = folder("detections");
    let mut runs = small(&THREE[..1], 3, &dir);
    for evidence in &mut runs[0].evidence {
        evidence.observer = "detector".into();
        evidence.evidence = Some(json!({"width": 256, "height": 160, "detections": [
            {"class": "bench", "score": 0.98, "box": [10.2, 50.0, 120.0, 130.9], "color": "red"},
            {"class": "dog", "score": 0.61, "box": [130.0, 2.0, 250.0, 150.0], "color": null},
            {"class": "cup", "score": 0.07, "box": [1.0, 1.0, 9.0, 9.0]},
        ]}));
    }
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    let dom = dom(&written.page, "");
    assert!(dom.contains("<polygon points=\"10 50 120 50 120 131 10 131\" stroke="));
    assert!(dom.contains(">red bench 0.98</text>") && dom.contains(">dog 0.61</text>"));
    assert!(!dom.contains("cup 0.07"), "noise is drawn");
}

/// Two runs of an edit: input, output, change mask and the judge's words stand beside each other.
#[test]
fn an_edit_is_shown_with_its_input_its_change_mask_and_the_judges_words() {
    let dir = folder("edits");
    let mut runs = small(&THREE[..2], 2, &dir);
    let inputs = dir.join("inputs");
    std::fs::create_dir_all(&inputs).unwrap();
    draw_sign(&inputs.join("input.png"), 200);
    let hostile = "Prompt Compliance: 5\n<img src=x onerror=document.title='broken'>";
    for run in &mut runs {
        run.manifest["items_base"] = json!(inputs);
        for item in Arc::make_mut(&mut run.items) {
            item.images = vec!["input.png".into()];
        }
        let seen = |evidence: Value| Evidence {
            item: "00000".into(),
            repeat: 0,
            observer: if evidence["calls"].is_array() {
                "judge"
            } else {
                "edit-pixels"
            }
            .into(),
            fingerprint: String::new(),
            seconds: 0.1,
            evidence: Some(evidence),
            error: None,
            extra: Default::default(),
        };
        // Two of the 32 × 20 cells are white.
        let mask = json!({"width": 32, "height": 20, "cell": 8, "runs": [33, 2, 605]});
        run.evidence.push(seen(json!({
            "width": 256, "height": 160, "edit_fraction": 0.0125, "mask": mask, "l1": 0.1,
        })));
        let calls = json!([{"role": "judge", "reply": hostile}, {"role": "pq", "reply": "[7, 8]"}]);
        run.evidence
            .push(seen(json!({"model": "gpt-4.1", "calls": calls})));
    }
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    let data = embedded(&written.page);
    let card = &data["items"][0];
    assert_eq!(card["outputs"].as_array().unwrap().len(), 2);
    assert!(card["inputs"][0]["thumb"].is_string(), "{card}");
    let shown = &card["outputs"][0];
    assert_eq!(shown["judge"][0]["reply"], hostile);
    assert_eq!(shown["judge"][1]["role"], "pq");
    assert_eq!(
        (&shown["mask"]["w"], &shown["mask"]["h"]),
        (&json!(1.0), &json!(1.0))
    );
    let png = shown["mask"]["src"].as_str().unwrap();
    let png = png.strip_prefix("data:image/png;base64,").unwrap();
    let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, png).unwrap();
    let mask = image::load_from_memory(&png).unwrap().to_rgba8();
    let white: Vec<(u32, u32)> = mask
        .enumerate_pixels()
        .filter(|(_, _, pixel)| pixel.0[3] > 0)
        .map(|(x, y, _)| (x, y))
        .collect();
    assert_eq!((mask.dimensions(), white), ((32, 20), vec![(1, 1), (2, 1)]));

    if chromium().is_none() {
        return;
    }
    let dom = dom(&written.page, "");
    assert!(!dom.contains("<title>broken") && !dom.contains("<img src=\"x\""));
    assert!(dom.contains("&lt;img src=x onerror=document.title='broken'&gt;</dd>"));
    assert!(dom.contains("judge · gpt-4.1 · pq"));
    // Four outputs with an input have a slider that a keyboard moves, and two of them a mask.
    assert_eq!(dom.matches("<input type=\"range\"").count(), 4);
    assert_eq!(
        dom.matches("aria-label=\"change mask, 1.3 % of the pixels\"")
            .count(),
        2
    );
    assert_eq!(dom.matches("class=\"before\"").count(), 4);
}

/// Mean lightness of a screenshot, 0 to 255, and its number of colours.
fn screenshot(page: &Path, name: &str, fragment: &str, size: &str) -> (f64, usize) {
    let file = page.with_file_name(name);
    browse(
        page,
        fragment,
        &[
            &format!("--screenshot={}", file.display()),
            &format!("--window-size={size}"),
        ],
    );
    let picture = image::open(&file).unwrap().to_luma8();
    let sum: u64 = picture.pixels().map(|pixel| u64::from(pixel.0[0])).sum();
    let shades: std::collections::HashSet<u8> = picture.pixels().map(|pixel| pixel.0[0]).collect();
    (
        sum as f64 / f64::from(picture.width() * picture.height()),
        shades.len(),
    )
}

#[test]
fn a_browser_shows_the_page_in_light_and_dark_and_on_a_phone() {
    if chromium().is_none() {
        return;
    }
    let written = page_of_three("look", 30);
    let (light, light_shades) = screenshot(&written.page, "light.png", "theme=light", "1280,3200");
    let (dark, dark_shades) = screenshot(&written.page, "dark.png", "theme=dark", "1280,3200");
    let (_, narrow) = screenshot(&written.page, "phone.png", "theme=light", "500,3600");
    assert!(light > 200.0 && dark < 80.0, "light {light}, dark {dark}");
    assert!(
        light_shades.min(dark_shades).min(narrow) > 60,
        "a page is blank"
    );
}

/// What 10,000 pictures cost. Run it alone: `cargo test --test it ten_thousand -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes; measures"]
fn ten_thousand_pictures() {
    let dir = folder("ten-thousand");
    let plan = Plan {
        models: &THREE[..1],
        groups: &["short", "long"],
        items: 10_000,
        pictures: false,
    };
    let mut runs = runs(&dir, &plan);
    // 20 different pictures of a usual size under 10,000 names.
    for index in 0..10_000 {
        let file = format!("outputs/{index:05}.png");
        let path = runs[0].dir.join(&file);
        if index < 20 {
            image::RgbImage::from_fn(1024, 1024, |x, y| {
                let wave = (x * (index + 3) / 40 + y * y / 900) % 256;
                image::Rgb([wave as u8, (x / 4) as u8, ((x ^ y) % 64 + y / 8) as u8])
            })
            .save(&path)
            .unwrap();
        } else {
            let first = runs[0].dir.join(format!("outputs/{:05}.png", index % 20));
            std::fs::hard_link(first, &path).unwrap();
        }
        runs[0].outputs[index as usize].file = Some(file);
    }
    let start = std::time::Instant::now();
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    println!(
        "written in {:.1} s: {} pictures",
        start.elapsed().as_secs_f64(),
        written.thumbs_linked
    );
    println!(
        "page of {:.1} MB",
        std::fs::metadata(&written.page).unwrap().len() as f64 / 1e6
    );
    assert_eq!(written.thumbs_linked, 10_000);
    let start = std::time::Instant::now();
    let again = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    println!("again in {:.1} s", start.elapsed().as_secs_f64());
    assert_eq!(again.thumbs_kept, 10_000);
    if chromium().is_none() {
        return;
    }
    let small = page_of_three("ten-thousand-none", 1);
    let start = std::time::Instant::now();
    dom(&small.page, "");
    println!(
        "a page of three pictures: {:.1} s in the browser",
        start.elapsed().as_secs_f64()
    );
    for fragment in ["", "status=failed&order=lowest", "q=open+9999"] {
        let start = std::time::Instant::now();
        let dom = dom(&written.page, fragment);
        println!(
            "#{fragment}: {:.1} s in the browser, {}, {} cards",
            start.elapsed().as_secs_f64(),
            count(&dom),
            cards(&dom).len()
        );
        assert!(!cards(&dom).is_empty() && cards(&dom).len() < 200);
    }
}

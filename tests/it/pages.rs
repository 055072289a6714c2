//! What lies beside a page: thumbnails and cards that later reports keep, a page that is one file, reports that
//! fail, and the geometry of charts.

use crate::report::{Plan, THREE, cards, chromium, count, dom, embedded, folder, runs, small};
use crate::support::{stderr, unigauge, unigauge_process};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use unigauge::report::{ReportOptions, RunView, write};

/// The largest page, in bytes, whatever the number of its outputs.
const LARGEST: u64 = 1_500_000;

/// Files of a folder with the times of their last change.
fn times(dir: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let time = |path: &Path| path.metadata().unwrap().modified().unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), time(&path)))
        .collect()
}

/// The page, tables and charts.
fn contents(report: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = [report.to_owned(), report.join("charts")];
    let paths = folders.iter().flat_map(|folder| times(folder).into_keys());
    let files = paths.filter(|path| path.is_file() && !path.ends_with(".lock"));
    files
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

/// A run of `count` items with small pictures, each different.
fn many(dir: &Path, count: usize) -> RunView {
    let plan = Plan {
        models: &THREE[..1],
        groups: &["short", "long"],
        items: count,
        pictures: false,
    };
    let mut run = runs(dir, &plan).remove(0);
    for (index, output) in run.outputs.iter_mut().enumerate() {
        let file = format!("outputs/{index:05}.png");
        let shade = image::Rgb([index as u8, (index / 256) as u8, 90]);
        let picture = image::RgbImage::from_pixel(90, 70, shade);
        picture.save(run.dir.join(&file)).unwrap();
        output.file = Some(file);
    }
    run
}

#[test]
fn a_page_of_thousands_is_small_and_a_second_report_keeps_what_is_there() {
    let dir = folder("thousands");
    let run = many(&dir, 3000);
    let report = run.dir.join("report");
    let one = std::slice::from_ref(&run);
    let written = write(&report, one, &ReportOptions::default()).unwrap();
    assert_eq!((written.thumbs_linked, written.thumbs_kept), (3000, 0));
    let size = fs::metadata(&written.page).unwrap().len();
    assert!(size < LARGEST, "{size} bytes");
    let data = embedded(&written.page);
    assert_eq!(data["items"].as_array().unwrap().len(), 3000);
    let picture = &data["items"][2999]["outputs"][0]["picture"];
    assert_eq!((&picture["w"], &picture["h"]), (&json!(90), &json!(70)));
    assert_eq!(picture["link"], "../outputs/02999.png");
    let thumb = image::open(report.join(picture["thumb"].as_str().unwrap())).unwrap();
    assert_eq!((thumb.width(), thumb.height()), (90, 70));

    let before = (times(&report.join("thumbs")), times(&report.join("cards")));
    assert_eq!(before.0.len(), 3000);
    let html = fs::read(&written.page).unwrap();
    let again = write(&report, one, &ReportOptions::default()).unwrap();
    assert_eq!((again.thumbs_linked, again.thumbs_kept), (3000, 3000));
    let after = (times(&report.join("thumbs")), times(&report.join("cards")));
    assert_eq!(before, after, "files were written again");
    assert_eq!(html, fs::read(&again.page).unwrap());

    // One picture changes: its thumbnail is new, and the old one goes.
    let changed = run.dir.join("outputs/00007.png");
    image::RgbImage::new(80, 70).save(changed).unwrap();
    let third = write(&report, one, &ReportOptions::default()).unwrap();
    assert_eq!(third.thumbs_kept, 2999);
    let now = times(&report.join("thumbs"));
    assert_eq!(now.len(), 3000);
    let kept = now
        .iter()
        .filter(|(path, time)| before.0.get(*path) == Some(*time));
    assert_eq!(kept.count(), 2999);
}

#[test]
fn thumbnails_are_jpeg_of_the_right_size_and_no_file_is_shrunk_twice() {
    let dir = folder("sizes");
    let mut runs = small(&THREE[..1], 4, &dir);
    let drawn = image::RgbImage::from_fn(1024, 512, |x, _| image::Rgb([(x / 4) as u8, 0, 0]));
    drawn.save(runs[0].dir.join("outputs/00000.png")).unwrap();
    drawn.save(runs[0].dir.join("outputs/wide.jpg")).unwrap();
    runs[0].outputs[1].file = Some("outputs/wide.jpg".into());
    runs[0].outputs[2].file = Some("outputs/wide.jpg".into());
    let written = write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
    assert_eq!(written.thumbs_linked, 4);
    assert_eq!(times(&dir.join("report/thumbs")).len(), 3);
    let data = embedded(&written.page);
    for item in 0..3usize {
        let picture = &data["items"][item]["outputs"][0]["picture"];
        assert_eq!((&picture["w"], &picture["h"]), (&json!(1024), &json!(512)));
        let bytes = fs::read(dir.join("report").join(picture["thumb"].as_str().unwrap())).unwrap();
        assert_eq!(
            image::guess_format(&bytes).unwrap(),
            image::ImageFormat::Jpeg
        );
        let thumb = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(thumb.dimensions(), (320, 160));
        // Columns 512 to 514 or so are the middle of the ramp.
        let red = thumb.get_pixel(160, 80).0[0];
        assert!((126..=131).contains(&red), "{red}");
    }
}

#[test]
fn a_single_file_names_no_other() {
    let dir = folder("single");
    let runs = small(&THREE, 5, &dir);
    let report = dir.join("report");
    write(&report, &runs, &ReportOptions::default()).unwrap();
    assert!(report.join("thumbs").is_dir() && report.join("cards").is_dir());
    let options = ReportOptions {
        single_file: true,
        ..ReportOptions::default()
    };
    let written = write(&report, &runs, &options).unwrap();
    assert_eq!((written.thumbs_inline, written.thumbs_linked), (15, 0));
    assert!(!report.join("thumbs").exists() && !report.join("cards").exists());
    let html = fs::read_to_string(&written.page).unwrap();
    let markup = html.split_once("<script").unwrap().0;
    for name in ["src", "href", "data-list"] {
        for rest in markup.split(&format!("{name}=\"")).skip(1) {
            let address = rest.split_once('"').unwrap().0;
            let inside = address.starts_with('#') || address.starts_with("data:");
            assert!(inside, "{name} {address}");
        }
    }
    let data = embedded(&written.page);
    for item in data["items"].as_array().unwrap() {
        let picture = &item["outputs"][0]["picture"];
        let thumb = picture["thumb"].as_str().unwrap();
        assert!(
            thumb.starts_with("data:image/jpeg;base64,/9j/"),
            "{thumb:.60}"
        );
        assert_eq!(picture["link"], Value::Null);
    }
    // A report of the usual kind is whole again.
    let written = write(&report, &runs, &ReportOptions::default()).unwrap();
    assert_eq!(times(&report.join("thumbs")).len(), 15);
    embedded(&written.page);
}

#[test]
fn a_run_folder_that_moves_takes_its_thumbnails_along() {
    let dir = folder("moved");
    let mut run = many(&dir, 3);
    let one = std::slice::from_ref(&run);
    write(&run.dir.join("report"), one, &ReportOptions::default()).unwrap();
    let there = dir.join("elsewhere");
    fs::rename(&run.dir, &there).unwrap();
    run.dir = there.clone();
    let written = write(&there.join("report"), &[run], &ReportOptions::default()).unwrap();
    assert_eq!(written.thumbs_kept, 3);
}

#[test]
fn a_report_that_fails_leaves_the_earlier_one_whole() {
    let dir = folder("fails");
    let mut run = many(&dir, 4);
    let report = run.dir.join("report");
    write(
        &report,
        std::slice::from_ref(&run),
        &ReportOptions::default(),
    )
    .unwrap();
    let before = contents(&report);
    run.grades[0].reason = "another reason".into();
    run.summary.overall.value = Some(0.123);
    // No table can get this name.
    fs::remove_file(report.join("table.tex")).unwrap();
    fs::create_dir(report.join("table.tex")).unwrap();
    fs::write(report.join("table.tex/file"), "").unwrap();
    let one = std::slice::from_ref(&run);
    let error = write(&report, one, &ReportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("table.tex"), "{error}");
    let page = report.join("index.html");
    assert_eq!(fs::read(&page).unwrap(), before[&page]);
    assert_eq!(embedded(&page)["items"].as_array().unwrap().len(), 4);
    fs::remove_dir_all(report.join("table.tex")).unwrap();
    let written = write(&report, one, &ReportOptions::default()).unwrap();
    assert_eq!(written.thumbs_kept, 4);
    let shown = embedded(&page);
    assert_eq!(shown["items"][0]["outputs"][0]["reason"], "another reason");
    let names: Vec<_> = times(&report).into_keys().collect();
    let partial = names
        .iter()
        .filter(|path| path.to_string_lossy().contains(".partial-"));
    assert_eq!(partial.count(), 0, "{names:?}");
}

/* ---- The command ---- */

const SUITE: &str = "name = \"looks\"\nversion = \"1\"\ntitle = \"Looks\"\ntask = \"text-to-image\"\nobservers = [\"quality\"]\n\n\
    [items]\nfile = \"looks.jsonl\"\n\n[grade]\nrule = \"measure\"\n\n[grade.options]\nkey = \"brightness\"\n";

/// Graded runs of three pictures each, one for each name.
fn observed(dir: &Path, names: &[&str]) -> Vec<String> {
    fs::write(dir.join("looks.toml"), SUITE).unwrap();
    let items: String = (0..3)
        .map(|id| format!("{}\n", json!({"id": id.to_string(), "prompt": "a square"})))
        .collect();
    fs::write(dir.join("looks.jsonl"), items).unwrap();
    let observe = |(at, name): (usize, &&str)| {
        let pictures = dir.join(format!("pictures-{name}"));
        fs::create_dir(&pictures).unwrap();
        for id in 0..3 {
            let shade = (40 * at + 60 * id) as u8;
            let picture = image::RgbImage::from_pixel(400, 300, image::Rgb([shade; 3]));
            picture.save(pictures.join(format!("{id}_0.png"))).unwrap();
        }
        let mut command = unigauge(dir);
        command.args(["observe", "--suite", "./looks.toml", "--images"]);
        command.arg(&pictures).args(["--name", name]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        format!("results/looks/{name}/seed0")
    };
    names.iter().enumerate().map(observe).collect()
}

#[test]
fn the_command_keeps_thumbnails_and_writes_a_single_file() {
    let dir = tempfile::tempdir().unwrap();
    let run = observed(dir.path(), &["one"]).remove(0);
    let report = |more: &[&str]| -> Value {
        let mut command = unigauge(dir.path());
        command.args(["report", &run, "--json"]).args(more);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // The run has a report already.
    let again = report(&[]);
    assert_eq!(
        (&again["thumbs_linked"], &again["thumbs_kept"]),
        (&json!(3), &json!(3))
    );
    let single = report(&["--out", "sent", "--single-file"]);
    assert_eq!(single["thumbs_inline"], 3);
    let sent = dir.path().join("sent");
    assert!(sent.join("index.html").is_file() && !sent.join("thumbs").exists());
}

#[test]
fn compared_pictures_are_files_beside_the_page_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let runs = observed(dir.path(), &["one", "two"]);
    let compare = || {
        let mut command = unigauge(dir.path());
        command.arg("compare").args(&runs).args(["--out", "page"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        fs::read_to_string(dir.path().join("page/index.html")).unwrap()
    };
    let html = compare();
    assert!(!html.contains("data:image/jpeg"));
    let thumbs: Vec<&str> = html.split("<img src=\"").skip(1).collect();
    assert_eq!(thumbs.len(), 6);
    for rest in thumbs {
        let thumb = rest.split_once('"').unwrap().0;
        let picture = image::open(dir.path().join("page").join(thumb)).unwrap();
        assert_eq!((picture.width(), picture.height()), (360, 270));
    }
    let before = times(&dir.path().join("page/thumbs"));
    assert_eq!(compare(), html);
    assert_eq!(times(&dir.path().join("page/thumbs")), before);
}

#[test]
fn two_reports_at_once_leave_one_whole_report() {
    let dir = tempfile::tempdir().unwrap();
    let runs = observed(dir.path(), &["one", "two"]);
    let start = |runs: &[String]| {
        let mut command = unigauge_process(dir.path());
        command.arg("report").args(runs).args(["--out", "both"]);
        command
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    for _ in 0..3 {
        let started = [start(&runs), start(&runs[..1]), start(&runs[1..])];
        for child in started {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
        let data = embedded(&dir.path().join("both/index.html"));
        for card in data["items"].as_array().unwrap() {
            for output in card["outputs"].as_array().unwrap() {
                let thumb = output["picture"]["thumb"].as_str().unwrap();
                assert!(dir.path().join("both").join(thumb).is_file(), "{thumb}");
            }
        }
    }
}

/// A limit on the size of files stands for a disk that is full in the middle of a report.
#[cfg(unix)]
#[test]
fn a_full_disk_in_the_middle_is_told_and_the_earlier_report_stays() {
    let dir = tempfile::tempdir().unwrap();
    let run = observed(dir.path(), &["one"]).remove(0);
    let report = dir.path().join(&run).join("report");
    let before = contents(&report);
    let grades = dir.path().join(&run).join("grades.jsonl");
    let text = fs::read_to_string(&grades).unwrap();
    fs::write(&grades, text.replace("\"score\":0.", "\"score\":0.1")).unwrap();
    // 32 KiB: enough for thumbnails and cards, and too little for the page.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" report \"$1\"";
    let output = std::process::Command::new("sh")
        .current_dir(dir.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_unigauge"), &run])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(0));
    let said = stderr(&output);
    assert!(
        said.contains("cannot write") && said.contains("report"),
        "{said}"
    );
    assert_eq!(contents(&report), before);
    embedded(&report.join("index.html"));
}

/* ---- In a browser ---- */

#[test]
fn a_browser_reads_the_cards_that_it_needs() {
    if chromium().is_none() {
        return;
    }
    let dir = folder("parts");
    let run = many(&dir, 400);
    let report = run.dir.join("report");
    for single_file in [false, true] {
        let options = ReportOptions {
            single_file,
            ..ReportOptions::default()
        };
        let written = write(&report, std::slice::from_ref(&run), &options).unwrap();
        let first = dom(&written.page, "");
        assert_eq!(count(&first), "400 of 400 items, 400 of 400 outputs");
        assert_eq!(cards(&first)[..2], ["00000", "00001"]);
        assert!(cards(&first).len() < 200, "all cards are drawn at once");
        // A search goes through all parts.
        assert_eq!(cards(&dom(&written.page, "q=open+399+days")), ["00399"]);
        let lowest = dom(&written.page, "order=lowest&status=failed");
        assert!(!cards(&lowest).is_empty());
    }
    let written = write(
        &report,
        std::slice::from_ref(&run),
        &ReportOptions::default(),
    )
    .unwrap();
    fs::remove_dir_all(report.join("cards")).unwrap();
    let alone = dom(&written.page, "sort=overall:desc");
    assert!(
        count(&alone).contains("cannot be read"),
        "{}",
        count(&alone)
    );
    assert!(
        alone.contains("aria-sort=\"descending\""),
        "the table works without the gallery"
    );
}

/* ---- The geometry of charts ---- */

/// Left, top, right, bottom.
type Area = [f64; 4];

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// The area of a line of text that begins at its point, with wide digits.
fn text_area(node: roxmltree::Node<'_, '_>) -> Area {
    let size = number(node, "font-size");
    let letters = node.text().unwrap().trim().chars().count() as f64;
    let (x, y) = (number(node, "x"), number(node, "y"));
    [x, y - size / 2.0, x + letters * size * 0.64, y + size / 2.0]
}

/// The areas of whiskers: lines of their colour and width.
fn whiskers(svg: &roxmltree::Document<'_>) -> Vec<Area> {
    let lines = svg.descendants().filter(|node| {
        node.has_tag_name("polyline")
            && node.attribute("stroke") == Some("#222222")
            && node.attribute("stroke-width") == Some("10")
    });
    let area = |node: roxmltree::Node<'_, '_>| {
        let points = node.attribute("points").unwrap().split_whitespace();
        let points = points.map(|point| point.split_once(',').unwrap());
        let half = 5.0;
        points.fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |area, (x, y)| {
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            [
                area[0].min(x - half),
                area[1].min(y - half),
                area[2].max(x + half),
                area[3].max(y + half),
            ]
        })
    };
    lines.map(area).collect()
}

#[test]
fn numbers_beside_bars_do_not_lie_over_whiskers() {
    for models in 1..=6 {
        let dir = folder(&format!("whiskers-{models}"));
        let names: Vec<String> = (0..models).map(|at| format!("Model {at}")).collect();
        let named: Vec<(&str, &str)> = names.iter().map(|name| (&name[..], &name[..])).collect();
        let groups = ["short", "middle", "long", "very long"];
        let plan = Plan {
            models: &named,
            groups: &groups,
            items: 40,
            pictures: false,
        };
        let mut runs = runs(&dir, &plan);
        for (at, run) in runs.iter_mut().enumerate() {
            for (place, group) in run.summary.groups.iter_mut().enumerate() {
                // Wide and narrow intervals, and some around 0.
                let value = 0.9 - 0.31 * ((at * 3 + place) % 4) as f64;
                let half = 0.02 + 0.11 * ((at + place) % 3) as f64;
                group.value = Some(value);
                (group.low, group.high) = (Some(value - half), Some(value + half * 1.4));
            }
        }
        write(&dir.join("report"), &runs, &ReportOptions::default()).unwrap();
        let text = fs::read_to_string(dir.join("report/charts/signs-bars.svg")).unwrap();
        let svg = roxmltree::Document::parse(&text).unwrap();
        let whiskers = whiskers(&svg);
        assert!(
            whiskers.len() >= 3 * models * (groups.len() + 1),
            "{}",
            whiskers.len()
        );
        let labels = svg.descendants().filter(|node| {
            let is_number = |text: &str| text.trim().replace('−', "-").parse::<f64>().is_ok();
            node.attribute("text-anchor") == Some("start")
                && node.attribute("fill") == Some("#222222")
                && node.text().is_some_and(is_number)
        });
        let labels: Vec<Area> = labels.map(text_area).collect();
        assert_eq!(labels.len(), models * (groups.len() + 1));
        for label in &labels {
            for whisker in &whiskers {
                let apart = label[2] <= whisker[0]
                    || whisker[2] <= label[0]
                    || label[3] <= whisker[1]
                    || whisker[3] <= label[1];
                assert!(apart, "{models} models: {label:?} over {whisker:?}");
            }
        }
    }
}

#[test]
fn a_radar_ends_below_its_lowest_label() {
    for groups in [3, 4, 5, 6, 9] {
        let dir = folder(&format!("radar-{groups}"));
        let names: Vec<String> = (0..groups).map(|at| format!("group {at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let plan = Plan {
            models: &THREE[..1],
            groups: &names,
            items: 4 * groups,
            pictures: false,
        };
        write(
            &dir.join("report"),
            &runs(&dir, &plan),
            &ReportOptions::default(),
        )
        .unwrap();
        let text = fs::read_to_string(dir.join("report/charts/signs-radar.svg")).unwrap();
        let svg = roxmltree::Document::parse(&text).unwrap();
        let box_of_view = svg.root_element().attribute("viewBox").unwrap();
        let height: f64 = box_of_view.rsplit_once(' ').unwrap().1.parse().unwrap();
        let texts = svg.descendants().filter(|node| node.has_tag_name("text"));
        let middles: Vec<f64> = texts.map(|node| number(node, "y")).collect();
        let low = middles.iter().copied().fold(f64::MIN, f64::max);
        let high = middles.iter().copied().fold(f64::MAX, f64::min);
        // Four coordinates are a unit, of which a line of text has 34.
        assert!(
            height - low < 4.0 * 50.0,
            "{groups} groups: {low} of {height}"
        );
        assert!(high < 4.0 * 50.0, "{groups} groups: begins at {high}");
    }
}

//! Odd pictures through the program: what decoding changes is told, what is cut goes to nobody, what is not
//! supported is named. The inputs are in `tests/golden/reports`; `picture-kinds/make.py` made those that are
//! no public report's.

use crate::chat::{Answer, ChatServer};
use crate::http::{Reply, Server};
use crate::parity::copy_into;
use crate::support::{lines, model, stderr, unigauge};
use base64::Engine as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use unigauge::generate::folder::{Folder, FolderSettings};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/reports")
        .join(name)
}

/// A command in `dir`, with a cache of the folder's own.
fn program(dir: &Path, arguments: &[&str]) -> Output {
    unigauge(dir)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Copies a folder of inputs, flat or with folders, into a new one.
fn inputs(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy_into(&golden(name), dir.path());
    dir
}

/// The only file of this name below a folder.
fn only(folder: &Path, name: &str) -> PathBuf {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false if path.file_name().is_some_and(|own| own == name) => found.push(path),
                false => {}
            }
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn summary(out: &Path) -> Value {
    let text = fs::read_to_string(only(out, "summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The notes on single outputs, in their order.
fn counted(out: &Path) -> Vec<String> {
    let summary = summary(out);
    let notes = summary["notes"].as_array().unwrap().iter();
    let notes = notes.map(|note| note.as_str().unwrap().to_owned());
    notes
        .filter(|note| note.contains(" outputs: ") || note.contains(" output: "))
        .collect()
}

/// Item → the notes of its record.
fn notes_by_item(file: &Path) -> BTreeMap<String, Vec<String>> {
    let of = |record: &Value| {
        let notes = record["notes"].as_array().into_iter().flatten();
        let notes = notes.map(|note| note.as_str().unwrap().to_owned());
        (record["item"].as_str().unwrap().to_owned(), notes.collect())
    };
    lines(file).iter().map(of).collect()
}

/// Item → why its record failed.
fn failures(file: &Path) -> BTreeMap<String, String> {
    let of = |record: Value| {
        let why = record["error"]["message"].as_str()?.to_owned();
        Some((record["item"].as_str()?.to_owned(), why))
    };
    lines(file).into_iter().filter_map(of).collect()
}

/// A suite that measures pictures of `ids` in the folder `kinds`.
fn measured(dir: &Path, ids: &[&str]) {
    let items: String = (ids.iter())
        .map(|id| format!("{}\n", json!({"id": id, "prompt": "a picture"})))
        .collect();
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let suite = fs::read_to_string(golden("17-unseen-notes/suite.toml")).unwrap();
    fs::write(dir.join("suite.toml"), suite).unwrap();
}

#[test]
fn what_decoding_changed_is_counted() {
    let dir = inputs("17-unseen-notes");
    let output = program(
        dir.path(),
        &[
            "observe",
            "--suite",
            "./suite.toml",
            "--images",
            "out",
            "--name",
            "clear",
            "--out",
            "w",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let out = dir.path().join("w");
    let mut notes = counted(&out);
    notes.sort();
    assert_eq!(
        notes,
        [
            "1 of 3 outputs: the picture is animated: the first frame was taken",
            "1 of 3 outputs: the picture was turned upright by its EXIF orientation",
            "1 of 3 outputs: transparent parts of the picture were laid on white",
        ]
    );
    let by_item = notes_by_item(&only(&out, "outputs.jsonl"));
    assert_eq!(
        by_item["white-on-clear"],
        ["transparent parts of the picture were laid on white"]
    );
    // The file is kept byte for byte.
    let kept = fs::read(only(&out, "moving_0.gif").as_path());
    let kept = kept.unwrap_or_default();
    assert_eq!(
        kept,
        fs::read(golden("17-unseen-notes/out/moving_0.gif")).unwrap()
    );
}

#[test]
fn each_kind_of_change_is_told_and_an_ordinary_file_tells_nothing() {
    let dir = inputs("picture-kinds");
    let ids = [
        "opaque", "plain", "deep", "cmyk", "apng", "moving", "sheer", "keyed", "turned", "pages",
    ];
    measured(dir.path(), &ids);
    let output = program(
        dir.path(),
        &[
            "observe",
            "--suite",
            "./suite.toml",
            "--images",
            "kinds",
            "--name",
            "kinds",
            "--out",
            "w",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let out = dir.path().join("w");
    let by_item = notes_by_item(&only(&out, "outputs.jsonl"));
    let white = "transparent parts of the picture were laid on white";
    let first = "the picture is animated: the first frame was taken";
    for (item, note) in [
        ("opaque", None),
        ("plain", None),
        (
            "deep",
            Some("the picture has 16 bits per channel, of which 8 were kept"),
        ),
        (
            "cmyk",
            Some("the picture is CMYK and became RGB without its colour profile"),
        ),
        ("apng", Some(first)),
        ("moving", Some(first)),
        ("sheer", Some(white)),
        ("keyed", Some(white)),
        (
            "turned",
            Some("the picture was turned upright by its EXIF orientation"),
        ),
        (
            "pages",
            Some("the picture has several pages: the first was taken"),
        ),
    ] {
        let expected: Vec<&str> = note.into_iter().collect();
        assert_eq!(by_item[item], expected, "{item}");
    }
    assert!(counted(&out).contains(&format!("2 of 10 outputs: {white}")));
    assert!(counted(&out).contains(&format!("2 of 10 outputs: {first}")));
}

/// A run folder of a version that noted nothing gets its notes with the evidence.
#[test]
fn outputs_that_were_made_earlier_are_noted_when_they_are_looked_at() {
    let dir = inputs("17-unseen-notes");
    let observe = [
        "observe",
        "--suite",
        "./suite.toml",
        "--images",
        "out",
        "--name",
        "clear",
        "--out",
        "w",
    ];
    assert!(program(dir.path(), &observe).status.success());
    let out = dir.path().join("w");
    let outputs = only(&out, "outputs.jsonl");
    let old: String = (lines(&outputs).into_iter())
        .map(|mut record| {
            record.as_object_mut().unwrap().remove("notes");
            format!("{record}\n")
        })
        .collect();
    fs::write(&outputs, &old).unwrap();
    fs::remove_file(only(&out, "evidence.jsonl")).unwrap();
    let run = outputs.parent().unwrap().display().to_string();
    let again = program(dir.path(), &["observe", &run]);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(fs::read_to_string(&outputs).unwrap(), old);
    let by_item = notes_by_item(&only(&out, "evidence.jsonl"));
    assert_eq!(
        by_item["turned"],
        ["the picture was turned upright by its EXIF orientation"]
    );
    assert!(program(dir.path(), &["grade", &run]).status.success());
    assert_eq!(counted(&out).len(), 3);
}

#[test]
fn changes_to_input_pictures_are_told_in_their_own_words() {
    let dir = inputs("picture-kinds");
    let items = [
        json!({"id": "a", "prompt": "Keep it.", "images": ["kinds/turned_0.webp"], "target": "kinds/keyed_0.png"}),
        json!({"id": "b", "prompt": "Keep it.", "images": ["kinds/plain_0.jpg"], "target": "kinds/plain_0.jpg"}),
    ];
    let items = items.map(|item| format!("{item}\n")).concat();
    fs::write(dir.path().join("items.jsonl"), items).unwrap();
    fs::create_dir(dir.path().join("answers")).unwrap();
    for id in ["a", "b"] {
        let place = dir.path().join(format!("answers/{id}.jpg"));
        fs::copy(golden("picture-kinds/kinds/plain_0.jpg"), place).unwrap();
    }
    let output = program(
        dir.path(),
        &[
            "observe",
            "--suite",
            "preservation",
            "--items",
            "items.jsonl",
            "--set",
            "items.image_folder=\".\"",
            "--images",
            "answers",
            "--name",
            "n",
            "--out",
            "w",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let out = dir.path().join("w");
    assert_eq!(
        counted(&out),
        [
            "1 of 2 outputs: the item's input picture was turned upright by its EXIF orientation",
            "1 of 2 outputs: transparent parts of the item's target picture were laid on white",
        ]
    );
}

#[test]
fn a_servers_picture_is_noted_as_any_other() {
    let picture = fs::read(golden("17-unseen-notes/out/white-on-clear_0.png")).unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode(picture);
    let server =
        Server::start(move |_, _| Reply::json("200 OK", &json!({"data": [{"b64_json": encoded}]})));
    let dir = tempfile::tempdir().unwrap();
    measured(dir.path(), &["sheer"]);
    let settings = format!(
        "base_url = \"{}\"\nmodel = \"m\"\napi_key_env = \"NO_SUCH_KEY\"",
        server.url("/v1")
    );
    model(dir.path(), "server", "openai", &settings);
    let output = program(
        dir.path(),
        &["run", "suite.toml", "--model", "server.toml", "--out", "w"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        counted(&dir.path().join("w")),
        ["1 of 1 output: transparent parts of the picture were laid on white"]
    );
}

/// A suite of questions in `dir` over a source of items.
fn questions(dir: &Path, items: &str) {
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\n{items}\n\n\
         [items.map]\nid = \"{{index}}\"\nprompt = \"question\"\nimages = \"image\"\nexpect = [\"answers\"]\n\
         image_encoding = \"base64\"\n\n[grade]\nrule = \"contains\"\n"
    );
    fs::write(dir.join("own.toml"), text).unwrap();
}

#[test]
fn cut_pictures_in_tables_are_refused_with_row_and_column() {
    let dir = inputs("18-cut-picture-in-a-table");
    let output = program(dir.path(), &["items", "suite.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for words in [
        "2 problems with the items",
        "rows.tsv, row 2, column `image`: the picture: the png data is truncated or damaged",
        "rows.tsv, row 3, column `image`: the picture: the jpg data is truncated or damaged",
        "leave_out = [\"broken-picture\"]",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    for (table, places) in [
        ("rows.jsonl", ["rows.jsonl:2", "rows.jsonl:3"]),
        (
            "rows.parquet",
            [
                "rows.parquet, row 2, column `image`",
                "rows.parquet, row 3, column `image`",
            ],
        ),
    ] {
        let dir = inputs("picture-kinds/table");
        questions(dir.path(), &format!("file = \"{table}\""));
        let output = program(dir.path(), &["items", "own.toml"]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for words in places {
            assert!(said.contains(words), "{words:?} is not in {said}");
        }
        assert!(said.contains("jpg data is truncated") && said.contains("webp data is truncated"));
    }
}

#[test]
fn rows_with_broken_pictures_can_be_left_out_and_are_counted() {
    let server = ChatServer::start(|_| Answer::Text("There are 2.".into()));
    for table in ["rows.jsonl", "rows.parquet"] {
        let dir = inputs("picture-kinds/table");
        questions(
            dir.path(),
            &format!("file = \"{table}\"\nleave_out = [\"broken-picture\"]"),
        );
        let settings = format!(
            "base_url = \"{}\"\nmodel = \"m\"\napi_key_env = \"NO_SUCH_KEY\"",
            server.server.url("/v1")
        );
        model(dir.path(), "server", "openai", &settings);
        let output = program(
            dir.path(),
            &["run", "own.toml", "--model", "server.toml", "--out", "w"],
        );
        assert!(output.status.success(), "{}", stderr(&output));
        let summary = summary(&dir.path().join("w"));
        let note = "2 records were left out, since they have a broken picture (`leave_out` of the suite's items)";
        assert!(
            summary["notes"].as_array().unwrap().contains(&note.into()),
            "{summary}"
        );
        assert_eq!(
            lines(&only(&dir.path().join("w"), "outputs.jsonl")).len(),
            2
        );
    }
}

/// Rows may name the picture of another row by its index; a broken one is then broken for them all.
#[test]
fn a_row_that_names_a_broken_picture_is_broken_too() {
    let dir = tempfile::tempdir().unwrap();
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let whole = fs::read(golden("17-unseen-notes/out/turned_0.jpg")).unwrap();
    let cut = base64(&whole[..whole.len() / 2]);
    let table = format!(
        "index\timage\tquestion\tanswers\n1\t{}\tq\ta\n2\t{cut}\tq\ta\n3\t2\tq\ta\n4\t1\tq\ta\n",
        base64(&whole)
    );
    fs::write(dir.path().join("rows.tsv"), table).unwrap();
    questions(dir.path(), "file = \"rows.tsv\"");
    let said = stderr(&program(dir.path(), &["items", "own.toml"]));
    assert!(
        said.contains("row 2, column `image`: the picture: the jpg data")
            && said.contains(
                "row 3, column `image`: the picture of the record whose `index` is \"2\""
            ),
        "{said}"
    );
    questions(
        dir.path(),
        "file = \"rows.tsv\"\nleave_out = [\"broken-picture\"]",
    );
    let output = program(dir.path(), &["items", "own.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let ids: Vec<Value> = (printed.lines())
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["item"].clone())
        .collect();
    assert_eq!(ids, ["1", "4"]);
    assert!(stderr(&output).contains("2 records were left out"));
}

/// Whole and cut pictures of every format, as files beside a suite of questions; returns the ids of the cut
/// ones.
fn whole_and_cut(dir: &Path) -> Vec<String> {
    let mut items = String::new();
    let mut cut_ids = Vec::new();
    for (id, file) in [
        ("png", "kinds/opaque_0.png"),
        ("jpg", "kinds/plain_0.jpg"),
        ("webp", "kinds/turned_0.webp"),
        ("gif", "kinds/sheer_0.gif"),
        ("tiff", "tiff/lzw_0.tiff"),
    ] {
        let bytes = fs::read(golden("picture-kinds").join(file)).unwrap();
        let part = &bytes[..bytes.len() * 8 / 10];
        for (id, bytes) in [(id.to_owned(), &bytes[..]), (format!("cut-{id}"), part)] {
            fs::write(dir.join(format!("{id}.img")), bytes).unwrap();
            let item = json!({"id": id, "prompt": format!("<{id}>"), "images": [format!("{id}.img")], "answers": ["2"]});
            items.push_str(&format!("{item}\n"));
            cut_ids.extend(id.starts_with("cut-").then_some(id));
        }
    }
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let suite = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\nfile = \"items.jsonl\"\n\
        [items.map]\nexpect = [\"answers\"]\n\n[grade]\nrule = \"contains\"\n";
    fs::write(dir.join("own.toml"), suite).unwrap();
    cut_ids.sort();
    cut_ids
}

fn fails_alone(dir: &Path, output: &Output, cut: &[String]) {
    assert_eq!(output.status.code(), Some(5), "{}", stderr(output));
    let failed = failures(&only(&dir.join("w"), "outputs.jsonl"));
    assert_eq!(failed.keys().cloned().collect::<Vec<_>>(), cut);
    for (id, why) in &failed {
        assert!(
            why.starts_with("input image ")
                && why.contains(&format!("{id}.img"))
                && why.contains("truncated or damaged"),
            "{why}"
        );
    }
}

#[test]
fn cut_files_are_not_sent_to_a_server() {
    let server = ChatServer::start(|_| Answer::Text("2".into()));
    let dir = tempfile::tempdir().unwrap();
    let cut = whole_and_cut(dir.path());
    let settings = format!(
        "base_url = \"{}\"\nmodel = \"m\"\napi_key_env = \"NO_SUCH_KEY\"",
        server.server.url("/v1")
    );
    model(dir.path(), "server", "openai", &settings);
    let output = program(
        dir.path(),
        &["run", "own.toml", "--model", "server.toml", "--out", "w"],
    );
    fails_alone(dir.path(), &output, &cut);
    for id in &cut {
        assert!(server.seen(&format!("<{id}>")).is_empty(), "{id} was sent");
    }
    assert_eq!(server.seen("<png>").len(), 1);
}

#[cfg(unix)]
#[test]
fn cut_files_are_not_handed_to_a_program() {
    let dir = tempfile::tempdir().unwrap();
    let cut = whole_and_cut(dir.path());
    let script = "while IFS= read -r line; do echo \"$line\" >> seen; \
        id=$(printf '%s' \"$line\" | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/'); \
        echo \"{\\\"id\\\": \\\"$id\\\", \\\"text\\\": \\\"2\\\"}\"; done";
    let settings = format!(
        "program = [\"sh\", \"-c\", '''{script}''']\ncwd = \"{}\"",
        dir.path().display()
    );
    model(dir.path(), "child", "command", &settings);
    let output = program(
        dir.path(),
        &["run", "own.toml", "--model", "child.toml", "--out", "w"],
    );
    fails_alone(dir.path(), &output, &cut);
    let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
    assert_eq!(seen.lines().count(), 5);
    assert!(!seen.contains("cut-"), "{seen}");
}

#[test]
fn a_cut_source_goes_to_no_judge() {
    let server = ChatServer::start(|_| Answer::Text("Brief reasoning. 5".into()));
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(golden("picture-kinds/kinds/plain_0.jpg")).unwrap();
    fs::write(dir.path().join("cut.jpg"), &whole[..whole.len() * 6 / 10]).unwrap();
    fs::write(dir.path().join("whole.jpg"), &whole).unwrap();
    let items = ["cut", "whole"].map(|id| {
        format!("{}\n", json!({"id": id, "prompt": format!("<{id}>"), "images": [format!("{id}.jpg")], "answers": ["<"]}))
    });
    fs::write(dir.path().join("items.jsonl"), items.concat()).unwrap();
    let set = "name = \"own\"\n[fill]\n\"<text>\" = \"output\"\n\
        [[call]]\nrole = \"judge\"\npictures = [\"source\"]\ntext = \"Judge <text>.\"\n";
    fs::write(dir.path().join("set.toml"), set).unwrap();
    let suite = format!(
        "name = \"texts\"\nversion = \"1\"\ntitle = \"Texts\"\ntask = \"understand\"\nobservers = [\"judge\"]\n\n\
         [items]\nfile = \"items.jsonl\"\n[items.map]\nexpect = [\"answers\"]\n[grade]\nrule = \"contains\"\n\n\
         [observe.judge]\nprompts = \"set.toml\"\n{}",
        server.settings()
    );
    fs::write(dir.path().join("texts.toml"), suite).unwrap();
    model(dir.path(), "echo", "echo", "");
    let output = unigauge(dir.path())
        .args(["run", "texts.toml", "--model", "echo.toml", "--out", "w"])
        .env("UNIGAUGE_TEST_KEY", "sk-none")
        .output()
        .unwrap();
    assert!(
        stderr(&output).contains("observe failed for item cut"),
        "{}",
        stderr(&output)
    );
    let failed = failures(&only(&dir.path().join("w"), "evidence.jsonl"));
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["cut"]);
    assert!(
        failed["cut"].contains("cut.jpg: the jpg data is truncated"),
        "{failed:?}"
    );
    assert_eq!(server.seen("Judge <cut>").len(), 0);
    assert_eq!(server.seen("Judge <whole>").len(), 1);
}

/// Scores of `preservation` over kinds of TIFF beside what Pillow reads of them, and why the others failed.
fn tiffs(dir: &Path, ids: &[String]) -> (BTreeMap<String, f64>, BTreeMap<String, String>) {
    let items: String = (ids.iter())
        .map(|id| {
            let source = format!("tiff-src/{id}.png");
            let source = if dir.join(&source).exists() {
                source
            } else {
                "tiff-src/rgb.png".into()
            };
            format!(
                "{}\n",
                json!({"id": id, "prompt": "Keep it.", "images": [source], "target": source})
            )
        })
        .collect();
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let output = program(
        dir,
        &[
            "observe",
            "--suite",
            "preservation",
            "--items",
            "items.jsonl",
            "--set",
            "items.image_folder=\".\"",
            "--images",
            "tiff",
            "--name",
            "odd",
            "--out",
            "w",
        ],
    );
    let out = dir.join("w");
    assert!(
        matches!(output.status.code(), Some(0 | 5)),
        "{}",
        stderr(&output)
    );
    let l1 = |record: Value| {
        let item = record["item"].as_str()?.to_owned();
        Some((item, record["evidence"]["l1"].as_f64()?))
    };
    let seen = lines(&only(&out, "evidence.jsonl"));
    (
        seen.into_iter().filter_map(l1).collect(),
        failures(&only(&out, "outputs.jsonl")),
    )
}

#[test]
fn kinds_of_tiff_are_read_as_pillow_reads_them_or_named() {
    let dir = inputs("picture-kinds");
    let mut ids: Vec<String> = fs::read_dir(dir.path().join("tiff"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix("_0.tiff")?.to_owned())
        })
        .collect();
    ids.sort();
    let (l1, failed) = tiffs(dir.path(), &ids);
    for id in [
        "rgb",
        "grey",
        "bits",
        "lzw",
        "deflate",
        "packbits",
        "fax",
        "jpeg",
        "cmyk",
        "alpha",
        "associated",
        "inverted",
    ] {
        // L1 is a share of the full range: rounding alone is below one of 255.
        let far = l1.get(id).copied().unwrap_or(1.0);
        assert!(far < 1.0 / 255.0, "{id}: {far}, {:?}", failed.get(id));
    }
    for (id, words) in [
        (
            "palette",
            "a palette TIFF is not supported; save the picture as PNG",
        ),
        (
            "float",
            "a TIFF of floating-point numbers, which have no agreed range, is not supported",
        ),
        ("rgb-float", "a TIFF of floating-point numbers"),
        ("integer", "a TIFF of signed numbers is not supported"),
        ("lab", "a TIFF in Lab colours is not supported"),
        ("ycbcr", "a TIFF in YCbCr colours is not supported"),
    ] {
        let why = failed.get(id).unwrap_or_else(|| panic!("{id} was read"));
        assert!(
            why.contains(words) && !why.contains("damaged"),
            "{id}: {why}"
        );
    }
    assert_eq!(l1.len() + failed.len(), ids.len());
}

#[test]
fn the_reports_tiffs_are_named() {
    let dir = inputs("20-tiff-modes");
    let output = program(
        dir.path(),
        &[
            "observe",
            "--suite",
            "preservation",
            "--items",
            "items.jsonl",
            "--set",
            "items.image_folder=\".\"",
            "--images",
            "out",
            "--name",
            "odd",
            "--out",
            "w",
        ],
    );
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let failed = failures(&only(&dir.path().join("w"), "outputs.jsonl"));
    assert!(
        failed["palette"].ends_with("a palette TIFF is not supported; save the picture as PNG"),
        "{failed:?}"
    );
    assert!(
        failed["float"].contains("floating-point") && failed["float"].contains("not supported")
    );
}

/// Formats that are not read are named wherever a picture may come from.
#[test]
fn other_formats_are_named() {
    let dir = inputs("picture-kinds");
    let mut items = String::new();
    for (id, bytes) in [
        (
            "avif",
            fs::read(golden("picture-kinds/tiff/picture_0.avif")).unwrap(),
        ),
        (
            "jp2",
            fs::read(golden("picture-kinds/tiff/picture_0.jp2")).unwrap(),
        ),
        ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        ("jxl", b"\xff\x0a\xfa\x1f\0\0".to_vec()),
        (
            "svg",
            b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
        ),
        ("bigtiff", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec()),
    ] {
        fs::write(dir.path().join(format!("{id}.png")), bytes).unwrap();
        let item =
            json!({"id": id, "prompt": "p", "images": [format!("{id}.png")], "answers": ["2"]});
        items.push_str(&format!("{item}\n"));
    }
    whole_and_cut(dir.path());
    fs::write(dir.path().join("items.jsonl"), items).unwrap();
    let server = ChatServer::start(|_| Answer::Text("2".into()));
    let settings = format!(
        "base_url = \"{}\"\nmodel = \"m\"\napi_key_env = \"NO_SUCH_KEY\"",
        server.server.url("/v1")
    );
    model(dir.path(), "server", "openai", &settings);
    let output = program(
        dir.path(),
        &["run", "own.toml", "--model", "server.toml", "--out", "w"],
    );
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let failed = failures(&only(&dir.path().join("w"), "outputs.jsonl"));
    for (id, name) in [
        ("avif", "AVIF"),
        ("jp2", "JPEG 2000"),
        ("heic", "HEIC"),
        ("jxl", "JPEG XL"),
        ("svg", "SVG"),
        ("bigtiff", "BigTIFF"),
    ] {
        let words = format!("{name} is not supported; save the picture as PNG");
        assert!(failed[id].contains(&words), "{id}: {}", failed[id]);
    }
    assert!(server.account().is_empty());
}

#[test]
fn a_row_with_an_empty_option_can_be_left_out() {
    let dir = inputs("22-empty-option");
    let output = program(dir.path(), &["items", "suite.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("row 2: the option `A` is empty, but the later option `B` is not")
            && said.contains("leave_out = [\"empty-option\"]"),
        "{said}"
    );
    leave_out_empty_options(dir.path());
    let items = printed(dir.path());
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["item"], "1");
    assert_eq!(
        items[0]["expect"]["options"],
        json!(["none", "two", "one", "three"])
    );
    assert_eq!(items[0]["expect"]["answer"], "A");
    model(dir.path(), "echo", "echo", "");
    let output = program(
        dir.path(),
        &["run", "suite.toml", "--model", "echo.toml", "--out", "w"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let note =
        "1 record was left out, since it has an empty option (`leave_out` of the suite's items)";
    let summary = summary(&dir.path().join("w"));
    assert!(
        summary["notes"].as_array().unwrap().contains(&note.into()),
        "{summary}"
    );
}

fn leave_out_empty_options(dir: &Path) {
    let suite = fs::read_to_string(dir.join("suite.toml")).unwrap();
    let suite = suite.replace("[items]\n", "[items]\nleave_out = [\"empty-option\"]\n");
    fs::write(dir.join("suite.toml"), suite).unwrap();
}

fn printed(dir: &Path) -> Vec<Value> {
    let output = program(dir, &["items", "suite.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let items = text.lines().map(|line| serde_json::from_str(line).unwrap());
    items.collect()
}

/// The right option stays the right one, and a row whose right option is empty has nothing to choose.
#[test]
fn empty_options_of_other_places_are_the_same_fault() {
    let dir = inputs("22-empty-option");
    let rows = fs::read_to_string(dir.path().join("rows.tsv")).unwrap();
    let image = rows.lines().nth(1).unwrap().split('\t').nth(1).unwrap();
    let rows = [
        "index\timage\tquestion\tA\tB\tC\tD\tanswer".to_owned(),
        format!("middle\t{image}\tq\tone\t \tthree\tfour\tC"),
        format!("short\t{image}\tq\tone\ttwo\tthree\t\tC"),
        format!("right\t{image}\tq\tone\ttwo\tthree\t\tD"),
        format!("full\t{image}\tq\tone\ttwo\tthree\tfour\tD"),
    ];
    fs::write(dir.path().join("rows.tsv"), rows.join("\n") + "\n").unwrap();
    let output = program(dir.path(), &["items", "suite.toml"]);
    assert!(
        stderr(&output).contains("2 problems"),
        "{}",
        stderr(&output)
    );
    leave_out_empty_options(dir.path());
    let items = printed(dir.path());
    let ids: Vec<&Value> = items.iter().map(|item| &item["item"]).collect();
    assert_eq!(ids, ["short", "full"]);
    let answers: Vec<&Value> = items.iter().map(|item| &item["expect"]["answer"]).collect();
    assert_eq!(answers, ["C", "D"]);
}

#[test]
fn a_dpg_picture_that_is_no_grid_of_squares_is_refused() {
    let dir = inputs("24-grid");
    let output = program(
        dir.path(),
        &[
            "observe",
            "--suite",
            "./grid.toml",
            "--images",
            "grid",
            "--name",
            "g",
            "--out",
            "w",
        ],
    );
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let failed = failures(&only(&dir.path().join("w"), "outputs.jsonl"));
    assert!(
        failed["tall"].contains(
            "tall.png: the picture is 256x512 pixels, which is not a grid of 2x2 squares"
        ) && failed["tall"].contains("`resolution`"),
        "{failed:?}"
    );
}

/// Where the script is told the tile's side, what lies beyond the tiles is noted.
#[test]
fn what_a_told_side_leaves_out_of_a_grid_is_noted() {
    let dir = inputs("24-grid");
    for (name, size) in [
        ("exact", (256, 256)),
        ("odd", (257, 257)),
        ("wide", (256, 128)),
    ] {
        image::RgbImage::from_pixel(size.0, size.1, image::Rgb([90; 3]))
            .save(dir.path().join(format!("grid/{name}.png")))
            .unwrap();
    }
    let settings = format!(
        "path = \"{}\"\nlayout = \"dpg\"\nresolution = 128",
        dir.path().join("grid").display()
    );
    model(dir.path(), "told", "folder", &settings);
    let items =
        ["tall", "exact", "odd"].map(|id| format!("{}\n", json!({"id": id, "prompt": "p"})));
    fs::write(dir.path().join("grid.jsonl"), items.concat()).unwrap();
    let output = program(
        dir.path(),
        &["run", "grid.toml", "--model", "told.toml", "--out", "w"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        counted(&dir.path().join("w")),
        ["8 of 12 outputs: the grid has pixels beyond its tiles, which were left out"]
    );
    // Two pictures may lie side by side; without a told side an odd one has no halves.
    let folder = |more: Value| {
        let mut settings = json!({"path": dir.path().join("grid"), "layout": "dpg"});
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let settings: FolderSettings = serde_json::from_value(settings).unwrap();
        Folder::open(settings).unwrap()
    };
    assert!(ask(folder(json!({"pic_num": 2})), "wide").is_ok());
    for (name, more) in [("odd", json!({})), ("wide", json!({"pic_num": 4}))] {
        let why = ask(folder(more), name).unwrap_err();
        assert!(why.contains("not a grid of 2x2 squares"), "{why}");
    }
}

fn ask(mut folder: Folder, name: &str) -> Result<unigauge::generate::Generated, String> {
    use unigauge::generate::{Generator, Request};
    let item: unigauge::record::Item =
        serde_json::from_value(json!({"item": name, "task": "text-to-image", "prompt": "p"}))
            .unwrap();
    let request = Request {
        item: &item,
        base: Path::new("."),
        repeat: 1,
        seed: 0,
    };
    let cancel = unigauge::cancel::Cancel::default();
    folder
        .generate(&request, &cancel)
        .map_err(|error| error.to_string())
}

/// OneIG-Bench's script drops the pixels that do not divide, and so do we: that is told.
#[test]
fn pixels_of_a_grid_that_do_not_divide_are_noted() {
    let dir = tempfile::tempdir().unwrap();
    for (name, size) in [("even", (8, 6)), ("odd", (9, 6))] {
        image::RgbImage::from_pixel(size.0, size.1, image::Rgb([90; 3]))
            .save(dir.path().join(format!("{name}.png")))
            .unwrap();
    }
    let notes = |name: &str| {
        let settings = json!({"path": dir.path(), "layout": "oneig"});
        let folder = Folder::open(serde_json::from_value(settings).unwrap()).unwrap();
        let notes = ask(folder, name).unwrap().extra.remove("notes");
        notes.unwrap_or_default()
    };
    assert_eq!(notes("even"), Value::Null);
    assert_eq!(
        notes("odd"),
        json!(["the grid has pixels beyond its tiles, which were left out"])
    );
}

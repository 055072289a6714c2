//! Data files with pictures inside: Parquet, TSV and JSON become items with real paths, hostile ones a
//! message.

use crate::http::{Reply, Seen, Server};
use crate::support::{stderr, unigauge};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/tables")
        .join(name)
}

fn png(shade: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(6, 4, image::Rgb([shade, 10, 200]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A suite in `dir` whose `[items]` is `items`.
fn suite(dir: &Path, items: &str) {
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\n{items}\n\n[grade]\nrule = \"contains\"\n"
    );
    fs::write(dir.join("own.toml"), text).unwrap();
}

fn run(dir: &Path, more: &[&str]) -> std::process::Output {
    unigauge(dir)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .args(["items", "own.toml"])
        .args(more)
        .output()
        .unwrap()
}

/// The items that the program prints.
fn items(dir: &Path, more: &[&str]) -> Vec<Value> {
    let output = run(dir, more);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What it says when it refuses.
fn refused(dir: &Path) -> String {
    let output = run(dir, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn image_of(item: &Value, at: usize) -> Vec<u8> {
    let path = item["images"][at].as_str().unwrap();
    assert!(Path::new(path).is_absolute(), "{path}");
    fs::read(path).unwrap()
}

fn shade(bytes: &[u8]) -> u8 {
    image::load_from_memory(bytes)
        .unwrap()
        .to_rgb8()
        .get_pixel(0, 0)
        .0[0]
}

fn pictures(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in fs::read_dir(dir.join("cache/pictures")).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

const HUB: &str = "[items.map]\nid = \"{question_id:03}\"\nprompt = \"{question}\\nIn a word.\"\nimages = \"image\"\n\
                   expect = { answers = \"answer\" }\ntags = { type = \"question_type\" }\n";

#[test]
fn shards_of_parquet_as_on_the_hub_are_one_source() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    for name in ["hub-0.parquet", "hub-1.parquet"] {
        fs::copy(golden(name), data.join(name)).unwrap();
    }
    fs::write(data.join("README.md"), "no table").unwrap();
    suite(dir.path(), &format!("file = \"data\"\n{HUB}"));
    let found = items(dir.path(), &[]);
    let ids: Vec<&str> = found
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["000", "001", "002", "003", "004"]);
    assert_eq!(found[1]["prompt"], "What is shown in 1?\nIn a word.");
    assert_eq!(found[1]["expect"], json!({"answers": ["one", "n1"]}));
    assert_eq!(found[1]["tags"], json!({"type": "colour"}));
    for (at, item) in found.iter().enumerate() {
        assert_eq!(shade(&image_of(item, 0)), 40 * at as u8);
    }
    // A name inside the table leads nowhere: files are named by their content.
    assert_eq!(pictures(dir.path()).len(), 5);
    let before: Vec<_> = pictures(dir.path())
        .iter()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap())
        .collect();
    // A second start writes nothing again, but what is torn.
    fs::write(&pictures(dir.path())[0], "torn").unwrap();
    assert_eq!(items(dir.path(), &[]), found);
    let after: Vec<_> = pictures(dir.path())
        .iter()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap())
        .collect();
    assert_eq!(before[1..], after[1..]);
    assert_eq!(shade(&fs::read(&pictures(dir.path())[0]).unwrap()) % 40, 0);

    suite(dir.path(), &format!("file = \"data/hub-*.parquet\"\n{HUB}"));
    assert_eq!(items(dir.path(), &[]), found);
    suite(dir.path(), &format!("file = \"nowhere.parquet\"\n{HUB}"));
    let one = data.join("hub-1.parquet");
    let given = items(dir.path(), &["--items", one.to_str().unwrap()]);
    assert_eq!(given.len(), 2);
    suite(
        dir.path(),
        &format!("file = \"data\"\nkeep = {{ question_type = [\"colour\"] }}\n{HUB}"),
    );
    assert_eq!(items(dir.path(), &[]).len(), 2);
}

#[test]
fn lists_of_pictures_raw_bytes_and_nested_values_are_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(golden("lists.parquet"), dir.path().join("t.parquet")).unwrap();
    let map = "[items.map]\nprompt = \"Look at {id}\"\nexpect = [\"options\", \"nested\"]\n";
    suite(
        dir.path(),
        &format!("file = \"t.parquet\"\n{map}images = [\"images\", \"raw\"]\n"),
    );
    let found = items(dir.path(), &[]);
    let shades: Vec<Vec<u8>> = (found.iter())
        .map(|item| {
            let count = item["images"].as_array().unwrap().len();
            (0..count).map(|at| shade(&image_of(item, at))).collect()
        })
        .collect();
    // JPEG is not exact to a shade or two.
    assert_eq!(shades[0][..2], [1, 2]);
    assert!(shades[0][2].abs_diff(3) <= 3);
    assert_eq!(shades[1..], [vec![], vec![4]]);
    assert_eq!(
        found[0]["expect"],
        json!({"options": ["p", "q"], "nested": {"n": 1, "list": [true, null]}})
    );
    assert_eq!(found[1]["expect"], json!({"options": null, "nested": null}));
    assert!(found[0]["images"][2].as_str().unwrap().ends_with(".jpg"));
    assert!(found[2]["images"][0].as_str().unwrap().ends_with(".bmp"));
}

const TSV: &str = "[items.map]\nid = \"{index}\"\nprompt = \"{?hint}\\n{question}\\n{?@options}\"\nimages = \"image\"\n\
                   image_encoding = \"base64\"\nlists = [\"answer\"]\nexpect = { answers = \"answer\" }\n";

#[test]
fn a_tsv_as_vlmevalkit_publishes_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(golden("vlmevalkit.tsv"), dir.path().join("t.tsv")).unwrap();
    let map = TSV.replace("{?@options}", "{?A}");
    suite(
        dir.path(),
        &format!("file = \"t.tsv\"\nkeep = {{ split = [\"dev\"] }}\n{map}"),
    );
    let found = items(dir.path(), &[]);
    let ids: Vec<&str> = found
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect();
    // The third names a picture that comes later, with a row that is not asked.
    assert_eq!(ids, ["0", "1", "2", "4"]);
    assert_eq!(
        found[0]["prompt"],
        "two\nlines\nWhich \"sign\"\tis it?\nstop"
    );
    assert_eq!(found[1]["prompt"], "Same picture?\nyes");
    assert_eq!(found[1]["images"], found[0]["images"]);
    assert_eq!(shade(&image_of(&found[2], 0)), 9);
    assert_eq!(found[3]["expect"], json!({"answers": ["two", "it's 2"]}));
    assert_eq!(
        (
            shade(&image_of(&found[3], 0)),
            shade(&image_of(&found[3], 1))
        ),
        (7, 8)
    );
    assert_eq!(pictures(dir.path()).len(), 3);
}

#[test]
fn options_are_turned_into_rotations() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(golden("vlmevalkit.tsv"), dir.path().join("t.tsv")).unwrap();
    let choice = "[items.map.choice]\noptions = [\"A\", \"B\", \"C\", \"D\"]\nanswer = \"answer\"\ncircular = true\n\
                  prompt = \"{question}\\n{@options}\\nA letter, please.\"\n";
    let map = TSV.replace("\\n{?@options}", "");
    suite(
        dir.path(),
        &format!(
            "file = \"t.tsv\"\nkeep = {{ index = {{ below = 5 }}, split = [\"dev\"] }}\n{map}{choice}"
        ),
    );
    let found = items(dir.path(), &[]);
    let ids: Vec<&str> = found
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["0~0", "0~1", "1~0", "1~1", "1~2", "2~0", "2~1", "4"]);
    assert_eq!(
        found[3]["prompt"],
        "Same picture?\nA. no\nB. maybe\nC. yes\nA letter, please."
    );
    let expect = &found[3]["expect"];
    assert_eq!(expect["options"], json!(["no", "maybe", "yes"]));
    assert_eq!(
        (&expect["answer"], &expect["question"]),
        (&json!("C"), &json!("1"))
    );
    assert_eq!(
        (&expect["rotation"], &expect["rotations"]),
        (&json!(1), &json!(3))
    );
    // No options: an open question.
    assert_eq!(found[7]["prompt"], "Two pictures?");
    assert!(found[7]["expect"].get("options").is_none());
}

#[test]
fn one_record_is_asked_for_each_of_its_values() {
    let dir = tempfile::tempdir().unwrap();
    let table = "index\tquestion\tcategory\tanswer\n1\tIs it?\tpopular,random\tYes\n";
    fs::write(dir.path().join("t.tsv"), table).unwrap();
    let map = "[items.map]\nid = \"{index}-{category}\"\nprompt = \"question\"\neach = \"category\"\n\
               expect = { answers = \"answer\" }\ntags = { category = \"category\" }\n";
    suite(dir.path(), &format!("file = \"t.tsv\"\n{map}"));
    let found = items(dir.path(), &[]);
    let tags: Vec<&Value> = found.iter().map(|item| &item["tags"]["category"]).collect();
    assert_eq!(tags, ["popular", "random"]);
    assert_eq!(found[1]["item"], "1-random");
}

#[test]
fn json_holds_pictures_or_names_them_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let inside = json!([
        {"id": 1, "question": "a?", "image": base64(&png(1)), "answers": "x"},
        {"id": 2, "question": "b?", "image": format!("data:image/png;base64,{}", base64(&png(2))), "answers": ["y"]},
    ]);
    fs::write(dir.path().join("t.json"), format!("\u{feff}{inside}")).unwrap();
    let map = "[items.map]\nprompt = \"question\"\nimages = \"image\"\nexpect = [\"answers\"]\n";
    suite(
        dir.path(),
        &format!("file = \"t.json\"\n{map}image_encoding = \"base64\"\n"),
    );
    let found = items(dir.path(), &[]);
    assert_eq!(
        (
            shade(&image_of(&found[0], 0)),
            shade(&image_of(&found[1], 0))
        ),
        (1, 2)
    );

    let lines: String = inside
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(dir.path().join("t.jsonl"), lines).unwrap();
    suite(
        dir.path(),
        &format!("file = \"t.jsonl\"\n{map}image_encoding = \"base64\"\n"),
    );
    assert_eq!(items(dir.path(), &[]), found);

    // As OCRBench.json: paths below a folder of pictures.
    fs::create_dir_all(dir.path().join("OCRBench_Images/IIIT5K/test")).unwrap();
    fs::write(dir.path().join("OCRBench_Images/IIIT5K/test/1.png"), png(3)).unwrap();
    let paths = json!([{"id": 1, "question": "a?", "image": "IIIT5K/test/1.png", "answers": "x"}]);
    fs::write(dir.path().join("t.json"), paths.to_string()).unwrap();
    suite(
        dir.path(),
        &format!("file = \"t.json\"\nimage_folder = \"OCRBench_Images\"\n{map}"),
    );
    assert_eq!(
        items(dir.path(), &[])[0]["images"],
        json!(["IIIT5K/test/1.png"])
    );
    let outside = json!([{"id": 1, "question": "a?", "image": "../own.toml", "answers": "x"}]);
    fs::write(dir.path().join("t.json"), outside.to_string()).unwrap();
    assert!(refused(dir.path()).contains("lies outside the folder of the items"));
}

/// A data set of two shards on a hub: listed, fetched, held to its commit, read as one source.
#[test]
fn a_data_set_of_the_hub_is_fetched_once_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let shard = |at: usize| fs::read(golden(&format!("hub-{at}.parquet"))).unwrap();
    let server = Server::start(move |seen: &Seen, _| match seen.path.as_str() {
        "/api/datasets/o/signs/revision/main?blobs=true" => {
            let file = |at: usize| json!({"rfilename": format!("data/test-{at}.parquet"), "size": shard(at).len()});
            let others = [
                json!({"rfilename": "README.md", "size": 3}),
                json!({"rfilename": "data/train-0.parquet", "size": 9}),
            ];
            let siblings: Vec<Value> = [0, 1].map(file).into_iter().chain(others).collect();
            Reply::json(
                "200 OK",
                &json!({"sha": "c0ffee", "tags": [], "siblings": siblings}),
            )
        }
        "/datasets/o/signs/resolve/c0ffee/data/test-0.parquet" => Reply::ok(shard(0)),
        "/datasets/o/signs/resolve/c0ffee/data/test-1.parquet" => Reply::ok(shard(1)),
        _ => Reply::new("404 Not Found", ""),
    });
    let assets = "[[asset]]\nid = \"signs\"\ntitle = \"Signs\"\npurpose = \"a test\"\nlicence = { name = \"MIT\", source = \"none\" }\n\
                  source = { kind = \"hub-dataset\", repo = \"o/signs\", revision = \"main\", prefix = \"data/test-\" }\n";
    fs::write(dir.path().join("assets.toml"), assets).unwrap();
    suite(dir.path(), &format!("asset = \"signs\"\n{HUB}"));
    let program = |args: &[&str]| {
        let mut program = unigauge(dir.path());
        program
            .env("UNIGAUGE_CACHE", dir.path().join("cache"))
            .env("UNIGAUGE_ASSETS", dir.path().join("assets.toml"))
            .env("HF_ENDPOINT", server.url(""))
            .args(args);
        program.output().unwrap()
    };
    let offline = program(&["--offline", "items", "own.toml"]);
    assert_eq!(offline.status.code(), Some(6), "{}", stderr(&offline));
    let fetched = program(&["fetch", "signs"]);
    assert!(fetched.status.success(), "{}", stderr(&fetched));
    assert_eq!(server.seen().len(), 3);
    let again = program(&["--offline", "items", "own.toml"]);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(String::from_utf8_lossy(&again.stdout).lines().count(), 5);
    // A shard that is gone is fetched again, of the same commit and without another listing.
    let gone = dir
        .path()
        .join("cache/assets/signs/unpinned-main/data/test-1.parquet");
    fs::remove_file(gone).unwrap();
    assert!(program(&["items", "own.toml"]).status.success());
    assert_eq!(server.seen().len(), 4);
}

/// Each broken value is listed with file, row and column.
#[test]
fn broken_values_are_told_with_their_row_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(100);
    let not_a_picture = base64(&[b'h'; 90]);
    let mut huge = png(1);
    // The header claims 4 000 000 000 pixels; nothing of that size is allocated.
    huge[16..24].copy_from_slice(&[0, 0, 0xf4, 0x24, 0, 0, 0xf4, 0x24]);
    let table = format!(
        "index\timage\tquestion\tanswer\n1\t{}\tq\ta\n2\t{long}!\tq\ta\n3\t{not_a_picture}\tq\ta\n4\t{}\tq\ta\n5\t77\tq\ta\n6\tcut off\n7\t['unclosed\tq\ta\n",
        base64(&png(1)),
        base64(&huge),
    );
    fs::write(dir.path().join("t.tsv"), table).unwrap();
    let map = TSV.replace("{?hint}\\n", "").replace("\\n{?@options}", "");
    suite(dir.path(), &format!("file = \"t.tsv\"\n{map}"));
    let said = refused(dir.path());
    for words in [
        "t.tsv, row 2, column `image`: the picture is not base64",
        "t.tsv, row 3, column `image`: the picture: not a picture of a known format",
        "t.tsv, row 4, column `image`: the picture:",
        "t.tsv, row 5, column `image`: \"77\" is not a picture in base64, and no record with a picture has this `index`",
        "t.tsv, row 6: it has 2 values, but the header has 4",
        "t.tsv, row 7, column `image`: the picture begins like a list, but is not one",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}

#[test]
fn a_table_with_other_columns_or_types_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(golden("hub-0.parquet"), dir.path().join("t.parquet")).unwrap();
    let say = |map: &str| {
        suite(
            dir.path(),
            &format!("file = \"t.parquet\"\n[items.map]\nid = \"{{question_id}}\"\n{map}"),
        );
        refused(dir.path())
    };
    let said = say("prompt = \"question\"\nimages = \"images\"\nexpect = [\"answer\"]\n");
    assert!(
        said.contains("t.parquet: there is no column `images`")
            && said.contains("did you mean `image`?"),
        "{said}"
    );
    let said = say(
        "prompt = \"question\"\nimages = \"answer\"\nimage_encoding = \"base64\"\nexpect = [\"weight\"]\n",
    );
    assert!(
        said.contains("row 1, column `answer`: \"one\" is not a picture"),
        "{said}"
    );
    let said = say("prompt = \"question\"\nimages = \"weight\"\nexpect = [\"answer\"]\n");
    assert!(
        said.contains("row 2, column `weight`: it is Float64, but pictures are expected"),
        "{said}"
    );
    // All columns are asked for, and one of them has no JSON form.
    let said = say("prompt = \"question\"\nimages = \"image\"\n");
    assert!(
        said.contains("column `when`") && said.contains("has no JSON form"),
        "{said}"
    );
    let said = say("prompt = \"question\"\nexpect = [\"image\"]\n");
    assert!(
        said.contains("column `image`: it contains bytes") && said.contains("set `images`"),
        "{said}"
    );
}

#[test]
fn torn_and_foreign_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    suite(dir.path(), &format!("file = \"t.parquet\"\n{HUB}"));
    let whole = fs::read(golden("hub-0.parquet")).unwrap();
    for length in [0, 4, 11, 200, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let said = refused(dir.path());
        assert!(
            said.contains("t.parquet: this is not a complete Parquet file"),
            "{length}: {said}"
        );
    }
    // The footer is there and what it points at is not.
    let hole = [&whole[..4], &whole[whole.len() - 1800..]].concat();
    fs::write(&path, hole).unwrap();
    let said = refused(dir.path());
    assert!(said.contains("t.parquet: "), "{said}");
    fs::write(&path, "index\tquestion\n").unwrap();
    assert!(refused(dir.path()).contains("this is not a complete Parquet file"));

    suite(dir.path(), &format!("file = \"t.tsv\"\n{TSV}"));
    fs::write(
        dir.path().join("t.tsv"),
        "index\timage\tquestion\tanswer\n1\t\"never closed\tq\ta\n",
    )
    .unwrap();
    assert!(refused(dir.path()).contains("row 1: the file ends inside a quoted value"));
    fs::write(
        dir.path().join("t.tsv"),
        b"index\timage\tquestion\tanswer\n1\t\t\xff\ta\n",
    )
    .unwrap();
    assert!(refused(dir.path()).contains("t.tsv, row 1: this is not UTF-8 text"));
    fs::write(dir.path().join("t.tsv"), "").unwrap();
    assert!(refused(dir.path()).contains("there are no items in it"));
    let map = "[items.map]\nprompt = \"q\"\nimages = \"image\"\nimage_encoding = \"base64\"\nexpect = []\n";
    suite(dir.path(), &format!("file = \"t.json\"\n{map}"));
    fs::write(
        dir.path().join("t.json"),
        "[{\"id\": 1, \"q\": \"x\", \"image\": \"",
    )
    .unwrap();
    assert!(refused(dir.path()).contains("this is not JSON"));
    fs::write(
        dir.path().join("t.json"),
        "[1, {\"id\": 2, \"q\": \"x\", \"image\": 5}]",
    )
    .unwrap();
    let said = refused(dir.path());
    assert!(
        said.contains("row 1: an object was expected")
            && said.contains("row 2, column `image`: the picture is a number"),
        "{said}"
    );
}

/// Sizes that a header claims are believed by nobody.
#[test]
fn a_page_that_claims_two_gigabytes_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    suite(dir.path(), &format!("file = \"t.parquet\"\n{HUB}"));
    let whole = fs::read(golden("hub-0.parquet")).unwrap();
    let mut refusals = 0;
    // Page headers lie behind the magic: the varints of their sizes are made as large as they can be.
    for at in 4..64 {
        let mut bytes = whole.clone();
        for byte in &mut bytes[at..at + 4] {
            *byte |= 0xf0;
        }
        fs::write(dir.path().join("t.parquet"), &bytes).unwrap();
        let output = run(dir.path(), &[]);
        let said = stderr(&output);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{at}: {said}");
        assert!(!said.contains("panicked"), "{at}: {said}");
        refusals += usize::from(output.status.code() == Some(2));
    }
    assert!(refusals > 20, "{refusals}");
}

/// The built-in suites over tables with VLMEvalKit's columns: what is asked, and what the grader gets.
#[test]
fn built_in_suites_ask_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("t.tsv");
    let rows = format!(
        "index\timage\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\tl2-category\tsplit\n\
         7\t{}\tWhat is it?\tLook twice.\ta cat\ta dog\t\t\t{{answer}}\tone,two\tx\tvalidation\n\
         1000007\t7\tWhat is it?\tLook twice.\ta dog\ta cat\t\t\t{{answer}}\tone,two\tx\tdev\n",
        base64(&png(1))
    );
    let mut asked = String::new();
    for (suite, asset, answer) in [
        ("docvqa", "DOCVQA_VAL", "['a cat', 'cat']"),
        ("infovqa", "INFOVQA_VAL", "['a cat', 'cat']"),
        ("textvqa", "TEXTVQA_VAL", "['cat', 'cat']"),
        ("chartqa", "CHARTQA_TEST", "12%"),
        ("gqa", "GQA_TESTDEV_BALANCED", "cat"),
        ("pope", "POPE", "Yes"),
        ("mmbench", "MMBENCH_DEV_EN", "A"),
        ("seed-bench", "SEED_BENCH_IMAGE", "B"),
        ("mmmu", "MMMU_DEV_VAL", "A"),
    ] {
        fs::write(&table, rows.replace("{answer}", answer)).unwrap();
        let output = unigauge(dir.path())
            .env("UNIGAUGE_CACHE", dir.path().join("cache"))
            .env(format!("UNIGAUGE_ASSET_{asset}"), &table)
            .args(["--offline", "items", suite])
            .output()
            .unwrap();
        assert!(output.status.success(), "{suite}: {}", stderr(&output));
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let item: Value = serde_json::from_str(line).unwrap();
            assert_eq!(shade(&image_of(&item, 0)), 1);
            asked += &format!(
                "{suite} {} {} {} {}\n",
                item["item"], item["prompt"], item["expect"], item["tags"]
            );
        }
    }
    insta::assert_snapshot!(asked);
}

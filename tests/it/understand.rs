//! Understanding end to end: a Parquet, a TSV and a JSON file with pictures inside, asked of networks in this
//! process, of a program and of a server, graded and summed up.
#![cfg(unix)]

use crate::http::{Reply, Server};
use crate::parquet_files::{self, Cells, bytes, texts};
use crate::support::{lines, stderr, unigauge};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const SUITES: [&str; 3] = ["documents", "choices", "objects"];

fn png(shade: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(56, 40, |x, y| image::Rgb([shade, x as u8, y as u8]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The three data files and a suite over each.
fn suites(dir: &Path) {
    let (one, two) = (png(200), png(20));
    parquet_files::write(
        &dir.join("documents.parquet"),
        &[
            ("question_id", Cells::Integers(vec![7, 8])),
            ("question", texts(["What does it say?", "And here?"])),
            ("image", bytes([&one, &two])),
            ("answer", texts(["red", "blue"])),
        ],
    );

    let tsv = format!(
        "index\timage\tquestion\tA\tB\tC\tanswer\n1\t{}\tWhich colour?\tblue\tred\tgreen\tB\n2\t1\tThe same?\tred\tgrey\t\tA\n",
        base64(&one)
    );
    fs::write(dir.join("choices.tsv"), tsv).unwrap();
    let objects = json!([
        {"id": "o1", "question": "Is there something red?", "image": base64(&one), "answer": "yes", "kind": "popular"},
        {"id": "o2", "question": "Is there a dog?", "image": base64(&two), "answer": "no", "kind": "random"},
    ]);
    fs::write(dir.join("objects.json"), objects.to_string()).unwrap();

    let maps = [
        (
            "documents.parquet",
            "id = \"{question_id}\"\nprompt = \"{question}\\nAnswer in a word.\"\nexpect = { answers = \"answer\" }\n",
            "anls",
            "inclusive = true",
        ),
        (
            "choices.tsv",
            "id = \"{index}\"\nprompt = \"{question}\\n{@options}\"\nimage_encoding = \"base64\"\nexpect = []\n\
             [items.map.choice]\noptions = [\"A\", \"B\", \"C\"]\nanswer = \"answer\"\ncircular = true\n",
            "multiple-choice",
            "circular = true",
        ),
        (
            "objects.json",
            "prompt = \"question\"\nimage_encoding = \"base64\"\nexpect = { answers = \"answer\" }\ntags = { kind = \"kind\" }\n",
            "yes-no",
            "groups = \"kind\"",
        ),
    ];
    for (name, (file, map, rule, options)) in SUITES.iter().zip(maps) {
        let text = format!(
            "name = {name:?}\nversion = \"1\"\ntitle = {name:?}\ntask = \"understand\"\n\n[items]\nfile = {file:?}\n\n\
             [items.map]\nimages = \"image\"\n{map}\n[grade]\nrule = {rule:?}\n\n[grade.options]\n{options}\n"
        );
        fs::write(dir.join(format!("{name}.toml")), text).unwrap();
    }
}

/// Asks all three; the summaries in their order.
fn run(dir: &Path, model: &str) -> Vec<Value> {
    let summary = |suite: &&str| {
        let mut program = unigauge(dir);
        program.env("UNIGAUGE_CACHE", dir.join("cache")).args([
            "run",
            &format!("{suite}.toml"),
            "--device",
            "cpu",
            "--model",
            &format!("{model}.toml"),
        ]);
        let output = program.output().unwrap();
        assert!(output.status.success(), "{suite}: {}", stderr(&output));
        let folder = dir.join("results").join(suite).join(model).join("seed0");
        for item in lines(&folder.join("items.jsonl")) {
            let path = Path::new(item["images"][0].as_str().unwrap());
            assert!(path.is_absolute() && path.is_file(), "{}", path.display());
        }
        serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
    };
    SUITES.iter().map(summary).collect()
}

fn model(dir: &Path, name: &str, generator: &str, settings: &str) {
    let text = format!(
        "name = {name:?}\ntitle = {name:?}\ngenerator = {generator:?}\nlanguages = [\"en\"]\n\n[settings]\n{settings}\n"
    );
    fs::write(dir.join(format!("{name}.toml")), text).unwrap();
}

/// What a careful reader answers: the letter of red, red, or yes to the red one.
fn careful(prompt: &str) -> String {
    let before_red = prompt
        .split(". red")
        .next()
        .filter(|start| *start != prompt);
    match before_red.and_then(|start| start.chars().next_back()) {
        Some(letter) => format!("{letter}."),
        None if prompt.starts_with("What") => "Red".to_owned(),
        None if prompt.starts_with("Is") => if prompt.contains("red") {
            "Yes."
        } else {
            "No."
        }
        .to_owned(),
        None => "nothing".to_owned(),
    }
}

fn check(summaries: &[Value]) {
    let value = |at: usize| summaries[at]["overall"]["value"].as_f64();
    assert_eq!(value(0), Some(0.5), "{}", summaries[0]);
    // Two questions of three and two rotations.
    assert_eq!(
        (value(1), &summaries[1]["overall"]["n"]),
        (Some(1.0), &json!(2))
    );
    assert_eq!(summaries[1]["expected"], 5);
    assert_eq!(value(2), Some(1.0), "{}", summaries[2]);
    assert_eq!(summaries[2]["metrics"]["F1 popular"], 1.0);
}

#[test]
fn a_program_answers_about_pictures_that_came_inside_a_table() {
    let dir = tempfile::tempdir().unwrap();
    suites(dir.path());
    // The program looks whether the picture is there and whole.
    let script = r#"while IFS= read -r line; do
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
image=$(printf '%s' "$line" | sed 's/.*"images":\["\([^"]*\)".*/\1/')
case "$line" in
*'. red'*) text=$(printf '%s' "$line" | sed 's/.*\([A-C]\)\. red.*/\1./');;
*'"prompt":"What'*) text=Red;;
*'something red'*) text=Yes.;;
*'"prompt":"Is'*) text=No.;;
*) text=nothing;;
esac
tail -c 12 "$image" | grep -q IEND || text=blind
printf '{"id":"%s","text":"%s"}\n' "$id" "$text"
done"#;
    model(
        dir.path(),
        "program",
        "command",
        &format!("program = [\"sh\", \"-c\", '''{script}''']"),
    );
    check(&run(dir.path(), "program"));
    // The same command again finds all done.
    check(&run(dir.path(), "program"));
}

#[test]
fn a_server_is_sent_the_pictures_themselves() {
    let dir = tempfile::tempdir().unwrap();
    suites(dir.path());
    let known = [base64(&png(200)), base64(&png(20))];
    let server = Server::start(move |seen, _| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let parts = messages.last().unwrap()["content"].as_array().unwrap();
        let text = parts.iter().find_map(|part| part["text"].as_str()).unwrap();
        let image = parts
            .iter()
            .find_map(|part| part["image_url"]["url"].as_str())
            .unwrap();
        let sent = known.iter().any(|known| image.ends_with(known.as_str()));
        let said = if sent {
            careful(text)
        } else {
            "blind".to_owned()
        };
        let message = json!({"role": "assistant", "content": said});
        Reply::json(
            "200 OK",
            &json!({"id": "x", "model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}),
        )
    });
    let settings = format!(
        "model = \"m\"\nbase_url = \"{}\"\napi_key_env = \"CARGO_PKG_NAME\"",
        server.url("/v1/")
    );
    model(dir.path(), "server", "openai", &settings);
    check(&run(dir.path(), "server"));
}

/// Networks of random weights babble; every question is asked and graded.
fn babbles(dir: &Path, name: &str) {
    for (suite, summary) in SUITES.iter().zip(run(dir, name)) {
        assert_eq!(summary["scored"], summary["expected"], "{suite}");
        assert!(summary["overall"]["value"].is_number(), "{summary}");
        let grades = lines(
            &dir.join("results")
                .join(suite)
                .join(name)
                .join("seed0/grades.jsonl"),
        );
        assert!(
            grades
                .iter()
                .all(|grade| grade["reason"].as_str().unwrap().starts_with("said “"))
        );
    }
}

#[test]
fn qwen_vl_is_asked_about_pictures_of_all_three() {
    let dir = tempfile::tempdir().unwrap();
    suites(dir.path());
    crate::uniworld::checkpoint(dir.path());
    model(
        dir.path(),
        "vl",
        "qwen-vl",
        "checkpoint = \"tiny/uniworld\"\nmax_new_tokens = 4",
    );
    babbles(dir.path(), "vl");
}

#[test]
fn x_omni_is_asked_about_pictures_of_all_three() {
    let dir = tempfile::tempdir().unwrap();
    suites(dir.path());
    crate::xomni::checkpoint(dir.path(), "en");
    model(
        dir.path(),
        "omni",
        "xomni",
        "checkpoint = \"tiny\"\nsize = [37, 26]\nmax_new_tokens = 4",
    );
    babbles(dir.path(), "omni");
}

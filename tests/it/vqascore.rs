//! GenAI-Bench from pictures to its table: the observers `vqascore` and `qwen-vqascore` beside the Python
//! implementations.

use crate::http::{Reply, Seen, Server};
use crate::parity::copy_into;
use crate::support::{lines, model, stderr, unigauge};
use crate::uniworld::tokenizer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Pictures, prompts and scores; make.py beside the file says where the numbers come from.
fn expected(name: &str) -> Vec<Value> {
    let text = fs::read(golden(name)).unwrap();
    let all: Value = serde_json::from_slice(&text).unwrap();
    all["pictures"].as_array().unwrap().clone()
}

/// Items in the form of the official files, the script's pictures in the official layout, and a model that
/// answers with them.
fn arrange(dir: &Path, pictures: &[Value], skills: Value) -> PathBuf {
    let images = dir.join("images");
    fs::create_dir(&images).unwrap();
    let mut prompts = serde_json::Map::new();
    for (at, picture) in pictures.iter().enumerate() {
        let id = format!("{:05}", at + 1);
        let prompt = json!({"id": id, "prompt": picture["prompt"], "models": {}});
        prompts.insert(id, prompt);
        let side = |at: usize| picture["size"][at].as_u64().unwrap() as u32;
        let at = at as u32;
        let colours = |x: u32, y: u32| [x * 5 + at * 40, y * 7 + x, x * y + 31 * at];
        image::RgbImage::from_fn(side(0), side(1), |x, y| {
            image::Rgb(colours(x, y).map(|value| (value % 256) as u8))
        })
        .save(images.join(format!("{:09}.png", at + 1)))
        .unwrap();
    }
    let items = json!([prompts, skills]).to_string();
    fs::write(dir.join("genai.json"), items).unwrap();
    model(
        dir,
        "mine",
        "folder",
        "path = \"images\"\nlayout = \"genai\"",
    )
}

fn run(dir: &Path, suite: &str, more: &[&str], set: impl Fn(&mut assert_cmd::Command)) -> Output {
    let mut command = unigauge(dir);
    command.args(["run", suite, "--model", "mine.toml"]);
    command.args(["--items", "genai.json", "--device", "cpu"]);
    set(&mut command);
    command.args(more).output().unwrap()
}

fn summary(dir: &Path, suite: &str) -> Value {
    let path = dir.join(format!("results/{suite}/mine/seed0/summary.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn close(got: &Value, want: f64) -> bool {
    (got.as_f64().unwrap() / want - 1.0).abs() < 1e-4
}

fn scores(pictures: &[Value], key: &str) -> Vec<f64> {
    let scores = pictures.iter().map(|picture| picture[key].as_f64());
    scores.map(Option::unwrap).collect()
}

/// The files of the tiny checkpoint where the hub has those of the released one.
fn hub() -> Server {
    let folder = golden("parity/clip_flan_t5/checkpoint");
    let own = "/zhiqiulin/clip-flant5-xxl/resolve";
    Server::start(move |seen: &Seen, _| {
        let read = |name: &str| fs::read(folder.join(name)).map(Reply::ok);
        let tower = seen.path.split_once("clip-vit-large-patch14-336/resolve/");
        if seen
            .path
            .starts_with("/api/models/zhiqiulin/clip-flant5-xxl/")
        {
            let files = fs::read_dir(&folder).unwrap().map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let bytes = fs::read(&path).unwrap_or_default();
                let sha256: String = (Sha256::digest(&bytes).iter())
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                json!({"rfilename": name, "size": bytes.len(), "lfs": {"sha256": sha256, "size": bytes.len()}})
            });
            let files: Vec<Value> = files.collect();
            return Reply::json("200 OK", &json!({"sha": "c0ffee", "siblings": files}));
        }
        let reply = match (seen.path.strip_prefix(own), tower) {
            (Some(rest), _) => read(rest.rsplit('/').next().unwrap_or(rest)),
            (None, Some((_, rest))) => {
                let (_, name) = rest.split_once('/').unwrap();
                read(&format!("vision_tower/{name}"))
            }
            _ if seen.path.ends_with("/tokenizer.json") => read("tokenizer.json"),
            _ => read("nothing"),
        };
        reply.unwrap_or_else(|_| Reply::new("404 Not Found", "no such file"))
    })
}

/// The built-in suite, without a setting: its assets are fetched, pictures scored, skills averaged.
#[test]
fn genai_bench_runs_from_pictures_to_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = expected("clip_flan_t5/expected.json");
    let skills = json!({"basic": [1, 2], "attribute": [1], "advanced": [3], "counting": [3]});
    arrange(dir.path(), &pictures, skills);
    let hub = hub();
    let output = run(dir.path(), "genai-bench-527", &[], |command| {
        command
            .env("HF_ENDPOINT", hub.url(""))
            .env("UNIGAUGE_CACHE", dir.path().join("cache"));
    });
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let fetched: Vec<String> = hub.seen().into_iter().map(|seen| seen.path).collect();
    assert!(
        !fetched
            .iter()
            .any(|path| path.ends_with("training_args.bin")),
        "{fetched:?}"
    );

    let run = dir.path().join("results/genai-bench-527/mine/seed0");
    let want = scores(&pictures, "score");
    for evidence in lines(&run.join("evidence.jsonl")) {
        assert_eq!(evidence["observer"], "vqascore");
        let item: usize = evidence["item"].as_str().unwrap().parse().unwrap();
        let seen = &evidence["evidence"];
        assert_eq!(seen["engine"], "clip-flant5");
        assert!(close(&seen["vqascore"], want[item - 1]), "{item}: {seen}");
    }
    let summary = summary(dir.path(), "genai-bench-527");
    let metrics = &summary["metrics"];
    for (skill, mean) in [
        ("basic", (want[0] + want[1]) / 2.0),
        ("attribute", want[0]),
        ("advanced", want[2]),
        ("counting", want[2]),
        ("all", want.iter().sum::<f64>() / 3.0),
    ] {
        assert!(close(&metrics[skill], mean), "{skill}: {metrics} {mean}");
    }
    assert!(summary["notes"].as_array().is_none_or(Vec::is_empty));
    assert!(run.join("official/genai_results.txt").is_file());
}

#[test]
fn another_checkpoint_question_or_answer_is_another_score_and_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = expected("clip_flan_t5/expected.json");
    arrange(dir.path(), &pictures, json!({"basic": [1, 2, 3]}));
    copy_into(
        &golden("parity/clip_flan_t5/checkpoint"),
        &dir.path().join("own"),
    );
    let tower = dir.path().join("own/vision_tower");
    let own = ["--set", "observe.vqascore.checkpoint=\"own\""];
    let observe = |more: &[&str]| {
        let more = [&own[..], more].concat();
        run(dir.path(), "genai-bench-1600", &more, |_| {})
    };
    let other = "observe.vqascore.answer=\"No  way \"";
    let output = observe(&["--set", other]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = summary(dir.path(), "genai-bench-1600");
    let want = scores(&pictures, "no_way").iter().sum::<f64>() / 3.0;
    assert!(close(&found["overall"]["value"], want), "{found} {want}");
    let manifest = dir
        .path()
        .join("results/genai-bench-1600/mine/seed0/manifest.json");
    let manifest = fs::read_to_string(manifest).unwrap();
    assert!(manifest.contains("VQAScore: answer"), "{manifest}");

    for (set, words) in [
        ("observe.vqascore.question=\"Is it?\"", "{prompt}"),
        ("observe.vqascore.answer=\" \"", "`answer` is empty"),
    ] {
        let output = observe(&["--set", set]);
        assert_eq!(output.status.code(), Some(2), "{set}");
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    let shard = dir.path().join("own/pytorch_model-00002-of-00002.bin");
    let bytes = fs::read(&shard).unwrap();
    fs::remove_file(&shard).unwrap();
    let output = observe(&[]);
    assert_eq!(output.status.code(), Some(6));
    let said = stderr(&output);
    assert!(said.contains("1 of 2 shards is missing"), "{said}");
    fs::write(&shard, &bytes[..bytes.len() / 2]).unwrap();
    let said = stderr(&observe(&[]));
    assert!(said.contains("pytorch_model-00002-of-00002.bin"), "{said}");
    fs::rename(&tower, dir.path().join("own/elsewhere")).unwrap();
    let output = observe(&[]);
    assert_eq!(output.status.code(), Some(6));
    let said = stderr(&output);
    assert!(
        said.contains("openai/clip-vit-large-patch14-336") && said.contains("vision_tower"),
        "{said}"
    );
}

#[test]
fn what_the_suite_lacks_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = expected("clip_flan_t5/expected.json");
    arrange(dir.path(), &pictures, json!({"basic": [1, 2, 3]}));
    let output = unigauge(dir.path())
        .args(["--offline", "check", "genai-bench-527"])
        .args(["--model", "mine.toml", "--items", "genai.json"])
        .args(["--device", "cpu"])
        .env("UNIGAUGE_CACHE", dir.path().join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for asset in [
        "clip-flant5-xxl",
        "clip-flant5-xxl-config",
        "flan-t5-xxl-tokenizer",
        "clip-vit-l-14-336",
        "clip-vit-l-14-336-config",
    ] {
        let line = format!("vqascore: asset {asset} is not on this machine");
        assert!(said.contains(&line), "{asset}\n{said}");
    }
}

#[test]
fn qwen_scores_in_the_place_of_the_official_network_and_the_row_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = expected("qwen_vl/vqascore.json");
    arrange(
        dir.path(),
        &pictures,
        json!({"basic": [1], "advanced": [2]}),
    );
    let qwen = dir.path().join("qwen");
    copy_into(&golden("parity/qwen2_5_vl/checkpoint"), &qwen);
    let special = [
        ("<|im_start|>", 199),
        ("<|im_end|>", 200),
        ("<|vision_start|>", 201),
        ("<|vision_end|>", 202),
        ("<|image_pad|>", 204),
    ];
    tokenizer(&qwen, 0, &special);
    let set = ["--set", "observe.qwen-vqascore.checkpoint=\"qwen\""];
    let output = run(dir.path(), "genai-bench-527-qwen", &set, |_| {});
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = summary(dir.path(), "genai-bench-527-qwen");
    let want = scores(&pictures, "score");
    let metrics = &found["metrics"];
    assert!(
        close(&metrics["basic"], want[0]) && close(&metrics["advanced"], want[1]),
        "{metrics} {want:?}"
    );
    let told = found["notes"].to_string();
    assert!(told.contains("Not official"), "{told}");
    let run = dir.path().join("results/genai-bench-527-qwen/mine/seed0");
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(
        manifest.contains("scored by Qwen2.5-VL, not officially"),
        "{manifest}"
    );
}

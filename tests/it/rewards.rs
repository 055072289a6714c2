//! Rewards as a user meets them: a run is graded again by a reward, and what is missing is said.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unigauge::config;
use unigauge::grade::reward::Reward;
use unigauge::record::{Evidence, Item, Output};

fn ran(dir: &Path, code: i32, arguments: &[&str]) -> (String, String) {
    let output = unigauge(dir)
        .args(arguments)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    (String::from_utf8(output.stdout).unwrap(), error)
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

/// The number of a grade's part.
fn part(grade: &Value, name: &str) -> f64 {
    grade["parts"][name]
        .as_f64()
        .unwrap_or_else(|| panic!("no {name} in {grade}"))
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[test]
fn a_run_is_graded_again_by_a_reward_without_looking_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ran(
        dir,
        0,
        &["run", "mini-geneval", "--model", "world-mistaken"],
    );
    let run = "results/mini-geneval/world-mistaken/seed0";
    let folder = dir.join(run);
    let evidence = fs::read(folder.join("evidence.jsonl")).unwrap();
    let strict = summary(&folder)["overall"]["value"].as_f64().unwrap();
    ran(
        dir,
        0,
        &["grade", run, "--rule", "reward", "--set", "reward=mini"],
    );
    assert_eq!(fs::read(folder.join("evidence.jsonl")).unwrap(), evidence);

    let items = lines(&folder.join("items.jsonl"));
    let grades = lines(&folder.join("grades.jsonl"));
    assert_eq!(grades.len(), 432);
    let (mut sum, mut exact) = (0.0, 0.0);
    for (grade, item) in grades.iter().zip(&items) {
        let many = item["prompt"].as_str().unwrap().contains("four");
        let weight = if many { 0.5 } else { 0.25 };
        let mixed = (part(grade, "exact") + weight * part(grade, "quality")) / (1.0 + weight);
        near(grade["score"].as_f64().unwrap(), mixed);
        assert_eq!(
            grade["parts"]["text"],
            Value::Null,
            "no scene asks for a text"
        );
        sum += mixed;
        exact += part(grade, "exact");
    }
    let graded = summary(&folder);
    near(graded["overall"]["value"].as_f64().unwrap(), sum / 432.0);
    near(graded["metrics"]["exact"].as_f64().unwrap(), exact / 432.0);
    // Whatever is exact is right by GenEval's rule.
    assert!(exact / 432.0 <= strict + 0.05, "{exact} {strict}");
    assert_eq!(graded["grading"]["rule"], "reward");
    let notes = graded["notes"].to_string();
    assert!(
        notes.contains("graded by the rule reward, not by the suite's own rule geneval"),
        "{notes}"
    );
    assert!(notes.contains("reward mini, fingerprint "), "{notes}");
    // Comparisons read it by the same rule, and the suite's own rule comes back.
    let outcomes = unigauge::session::read_outcomes(&folder).unwrap();
    assert_eq!(outcomes.facts.scored, 432);
    ran(dir, 0, &["grade", run]);
    near(
        summary(&folder)["overall"]["value"].as_f64().unwrap(),
        strict,
    );
}

#[test]
fn words_on_signs_count_where_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ran(dir, 0, &["run", "mini-text", "--model", "world-mistaken"]);
    let run = "results/mini-text/world-mistaken/seed0";
    ran(
        dir,
        0,
        &["grade", run, "--rule", "reward", "--set", "reward=mini"],
    );
    let folder = dir.join(run);
    let items = lines(&folder.join("items.jsonl"));
    let evidence = lines(&folder.join("evidence.jsonl"));
    for (grade, item) in lines(&folder.join("grades.jsonl")).iter().zip(&items) {
        let seen = evidence.iter().find(|seen| seen["item"] == item["item"]);
        let seen = seen.unwrap();
        let wanted = item["expect"]["texts"][0].as_str().unwrap();
        let read = seen["evidence"]["text"].as_str().unwrap();
        if read.len() == wanted.len() {
            let wrong = wanted
                .chars()
                .zip(read.chars())
                .filter(|(a, b)| a != b)
                .count();
            let least = 1.0 - wrong as f64 / wanted.len() as f64;
            assert!(part(grade, "text") >= least - 1e-9, "{grade}");
        }
        near(grade["score"].as_f64().unwrap(), part(grade, "text"));
        assert!(
            grade["reason"].as_str().unwrap().contains("classes: text"),
            "{grade}"
        );
    }
}

const MINE: &str = "name = 'mine'\ntitle = 'Mine'\nobservers = ['world', 'quality']\n\
                    [[components]]\nname = 'exact'\nrule = 'mini-world'\n\
                    [[components]]\nname = 'range'\nrule = 'measure'\n\
                    options = { key = 'dynamic_range', observer = 'quality' }\n";

#[test]
fn missing_evidence_is_null_and_counted_where_a_reader_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("mine.toml"), MINE).unwrap();
    ran(
        dir,
        0,
        &["run", "mini-geneval", "--model", "world", "--limit", "6"],
    );
    let run = "results/mini-geneval/world/seed0-limit6";
    // `quality` has not looked: incomplete, and no output is 0.
    let arguments = [
        "grade",
        run,
        "--rule",
        "reward",
        "--set",
        "reward=mine.toml",
    ];
    let (table, _) = ran(dir, 5, &arguments);
    let folder = dir.join(run);
    let graded = summary(&folder);
    assert_eq!(graded["overall"]["value"], Value::Null);
    assert_eq!(graded["unscored_by"], json!({"missing": 6}));
    for grade in lines(&folder.join("grades.jsonl")) {
        assert_eq!(grade["score"], Value::Null);
        assert_eq!(part(&grade, "exact"), 1.0);
        let why = grade["unscored"].as_str().unwrap();
        assert!(why.starts_with("missing: component range: "), "{why}");
        assert!(why.contains("observer quality wrote no"), "{why}");
        assert!(why.contains("`observers` of the suite"), "{why}");
    }
    let told = "no reward, since component range is missing (observer)";
    let notes = graded["notes"].to_string();
    assert!(notes.contains(told), "{notes}");
    let words: Vec<&str> = table.split_whitespace().collect();
    assert!(words.join(" ").contains(told), "{table}");
}

#[test]
fn one_missing_output_does_not_lower_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("mine.toml"), MINE).unwrap();
    let item = |id: &str| {
        json!({"item": id, "task": "text-to-image", "prompt": "a red circle",
            "expect": {"include": [{"class": "circle", "count": 1}]}})
    };
    let items: String = ["a", "b"].map(|id| format!("{}\n", item(id))).concat();
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let thing = json!({"class": "circle", "score": 1.0, "box": [0, 0, 6, 6], "color": "red", "overlap": 0.9});
    let seen = |id: &str| {
        let world = json!({"detections": [thing], "unknown": 0, "text": ""});
        json!({"item": id, "observer": "world", "evidence": world})
    };
    let lines = [
        seen("a"),
        json!({"item": "a", "observer": "quality", "evidence": {"dynamic_range": 0.5}}),
        seen("b"),
        json!({"item": "b", "observer": "quality",
            "error": {"stage": "observe", "kind": "timeout", "message": "60 s"}}),
    ];
    fs::write(
        dir.join("evidence.jsonl"),
        lines.map(|line| format!("{line}\n")).concat(),
    )
    .unwrap();
    ran(
        dir,
        5,
        &[
            "grade",
            "--suite",
            "mini-geneval",
            "--items",
            "items.jsonl",
            "--evidence",
            "evidence.jsonl",
            "--out",
            "graded",
            "--rule",
            "reward",
            "--set",
            "reward=mine.toml",
        ],
    );
    let graded = summary(&dir.join("graded"));
    assert_eq!(graded["overall"]["value"], 0.75);
    assert_eq!(
        (&graded["scored"], &graded["unscored"]),
        (&json!(1), &json!(1))
    );
    let notes = graded["notes"].to_string();
    assert!(
        notes.contains("component range is missing (timeout)"),
        "{notes}"
    );
}

#[test]
fn x_omni_s_mix_depends_on_the_prompt() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let item = |id: &str, prompt: &str| {
        format!(
            "{}\n",
            json!({"item": id, "task": "text-to-image", "prompt": prompt})
        )
    };
    let items = item("sign", "a door with \"hello\" on it")
        + &item("lake", "a lake at dawn")
        + &item("dog", "a dog");
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let mut evidence = String::new();
    for id in ["sign", "lake", "dog"] {
        for (observer, seen) in [
            // (0.275 − 0.2) / 0.15 = 0.5
            ("hpsv2", json!({"hpsv2": 0.275})),
            // Halfway between ln 20 and ln 2000; (6.5 − 12) / −11; the best; halfway: 0.625 on average.
            (
                "quality",
                json!({"sharpness": 200.0, "noise_flat": 6.5, "dynamic_range": 0.95, "clipped": 0.125}),
            ),
            ("qwen-vqascore", json!({"vqascore": 0.8})),
            ("got-ocr", json!({"text": "Hello"})),
            ("ppocr", json!({"text": "bye"})),
        ] {
            evidence += &format!(
                "{}\n",
                json!({"item": id, "observer": observer, "evidence": seen})
            );
        }
    }
    fs::write(dir.join("evidence.jsonl"), evidence).unwrap();
    ran(
        dir,
        0,
        &[
            "grade",
            "--suite",
            "mini-geneval",
            "--items",
            "items.jsonl",
            "--evidence",
            "evidence.jsonl",
            "--out",
            "graded",
            "--rule",
            "reward",
            "--set",
            "reward=x-omni",
        ],
    );
    let score = |id: &str| {
        let grades = lines(&dir.join("graded/grades.jsonl"));
        let grade = grades.iter().find(|grade| grade["item"] == id).unwrap();
        grade["score"].as_f64().unwrap()
    };
    // One of two readers found the word: 0.5, with twice the weight.
    near(score("sign"), (0.5 + 0.625 + 0.8 + 2.0 * 0.5) / 5.0);
    near(score("lake"), (1.5 * 0.5 + 1.5 * 0.625 + 0.8) / 4.0);
    near(score("dog"), (0.5 + 0.625 + 0.8) / 3.0);
}

#[test]
fn rewards_are_listed_and_checked_and_their_mistakes_are_located() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (listed, _) = ran(dir, 0, &["list", "rewards"]);
    for name in [
        "x-omni",
        "x-omni-seed",
        "mindomni",
        "geneval",
        "geneval-soft",
        "ocr",
        "unified-reward",
        "mini",
        "mini-exact",
        "mini-align",
        "mini-align-soft",
        "mini-no-text",
        "mini-no-quality",
        "mini-no-alignment",
        "mini-not-adaptive",
        "mini-other-eyes",
    ] {
        assert!(
            listed
                .lines()
                .any(|line| line.split_whitespace().next() == Some(name)),
            "{listed}"
        );
    }
    let (checked, _) = ran(dir, 0, &["check", "mini"]);
    assert!(
        checked.contains("reward mini: fine, 3 components"),
        "{checked}"
    );
    for (own, broken, told) in [
        (
            "rule = 'mini-world'",
            "rule = 'mini-wrld'",
            "component `exact`: unknown grading rule",
        ),
        (
            "'quality']",
            "'qualty']",
            "there is no observer named `quality`",
        ),
        (
            "'world', ",
            "'wrld', ",
            "mine.toml:3:14: there is no observer named `wrld` in this version",
        ),
        ("title", "tilte", "mine.toml:2:1: unknown key `tilte`"),
        (
            "key = 'dynamic_range'",
            "kye = 'dynamic_range'",
            "mine.toml:10:13: unknown key `kye`",
        ),
    ] {
        fs::write(dir.join("mine.toml"), MINE.replacen(own, broken, 1)).unwrap();
        let (_, error) = ran(dir, 2, &["check", "mine.toml"]);
        assert!(error.contains(told), "{error} does not say {told}");
    }
    let (_, error) = ran(
        dir,
        2,
        &[
            "grade",
            "--suite",
            "mini-geneval",
            "--items",
            "none.jsonl",
            "--out",
            "g",
            "--rule",
            "reward",
            "--set",
            "reward=x-omin",
        ],
    );
    assert!(
        error.contains("there is no reward named `x-omin`"),
        "{error}"
    );
    assert!(error.contains("did you mean `x-omni`?"), "{error}");
}

/// The reward of a picture, by a reward that the program carries.
fn worth(reward: &str, item: &Value, observer: &str, seen: &Value) -> Option<f64> {
    let loaded = config::reward(reward, Path::new("")).unwrap();
    let reward = Reward::open(&loaded.definition).unwrap();
    let item: Item = serde_json::from_value(item.clone()).unwrap();
    let output = json!({"item": "a", "repeat": 0, "seed": 1, "kind": "image"});
    let output: Output = serde_json::from_value(output).unwrap();
    let evidence = json!({"item": "a", "observer": observer, "evidence": seen});
    let evidence: Evidence = serde_json::from_value(evidence).unwrap();
    reward.score(&item, &output, &[evidence]).reward
}

#[test]
fn the_rewards_of_the_studies_weigh_what_they_say() {
    let item = |prompt: &str, expect: Value| json!({"item": "a", "task": "text-to-image", "prompt": prompt, "expect": expect});
    let scene = item(
        "a photo of four circles",
        json!({"tag": "counting", "include": [{"class": "circle", "count": 4}],
            "exclude": [{"class": "circle", "count": 5}]}),
    );
    // Four circles, and a square that nobody asked for. The mean overlap 0.81 is halfway from 0.62 to 1.
    let thing = |class: &str, left: u32| json!({"class": class, "score": 1.0, "box": [left, 0, left + 5, 5], "color": "red", "overlap": 0.81});
    let things = [
        thing("circle", 0),
        thing("circle", 8),
        thing("circle", 16),
        thing("circle", 24),
        thing("square", 30),
    ];
    let seen = |things: &[Value], text: &str| json!({"width": 32, "height": 32, "detections": things, "unknown": 0, "text": text});
    let sign = item("a sign that says CAT", json!({"texts": ["CAT"]}));
    for (reward, of_scene, of_sign) in [
        // Four things count their shapes twice: (0 + 0.5 · 0.5) / 1.5.
        ("mini", 1.0 / 6.0, 2.0 / 3.0),
        ("mini-exact", 0.0, 2.0 / 3.0),
        ("mini-align", 1.0, 2.0 / 3.0),
        ("mini-align-soft", 1.0, 2.0 / 3.0),
        ("mini-no-text", 1.0 / 6.0, 1.0),
        ("mini-no-quality", 0.0, 2.0 / 3.0),
        ("mini-no-alignment", 0.5, 2.0 / 3.0),
        // (0 + 0.25 · 0.5) / 1.25
        ("mini-not-adaptive", 0.1, 2.0 / 3.0),
        ("mini-other-eyes", 0.0, 2.0 / 3.0),
    ] {
        for (item, seen, expected) in [
            (&scene, seen(&things, ""), of_scene),
            (&sign, seen(&[], "CAR"), of_sign),
        ] {
            let found = worth(reward, item, "world", &seen);
            let found = found.unwrap_or_else(|| panic!("{reward} has no reward"));
            assert!((found - expected).abs() < 1e-9, "{reward}: {found}");
        }
    }
    // Five circles where two were asked for: 1 − 3/2.
    let two = item(
        "a photo of two circles",
        json!({"tag": "counting", "include": [{"class": "circle", "count": 2}]}),
    );
    let five = [0, 6, 12, 18, 24].map(|left| thing("circle", left));
    near(
        worth("mini-align-soft", &two, "world", &seen(&five, "")).unwrap(),
        -0.5,
    );
}

#[test]
fn a_judge_s_final_score_becomes_0_to_1_and_no_score_is_missing() {
    let item = json!({"item": "a", "task": "text-to-image", "prompt": "a dog"});
    let of = |reply: &str| {
        let seen = json!({"judge": "m", "calls": [{"role": "judge", "reply": reply}]});
        worth("unified-reward", &item, "judge", &seen)
    };
    assert_eq!(of("Sharp, and a dog.\nFinal Score: 4"), Some(0.75));
    assert_eq!(of("Final Score: 1"), Some(0.0));
    assert_eq!(of("A dog."), None);
    assert_eq!(of("Final Score: 9"), None);
}

#[test]
fn a_reward_with_settings_of_observers_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = ["run", "mini-geneval", "--model", "world", "--limit", "6"];
    let wrong = ["--set", "observe.world.overlap=1.5"];
    let (_, error) = ran(dir, 2, &[&run[..], &wrong].concat());
    assert!(error.contains("`overlap` is 1.5"), "{error}");
    ran(dir, 0, &run);
    let run_folder = "results/mini-geneval/world/seed0-limit6";
    let graded = ["grade", run_folder, "--rule", "reward", "--set"];
    ran(dir, 0, &[&graded[..], &["reward=mini-other-eyes"]].concat());
    let graded = summary(&dir.join(run_folder));
    assert_eq!(graded["overall"]["value"], 1.0);
    let notes = graded["notes"].to_string();
    assert!(
        notes.contains("the reward has its own settings of observers (world "),
        "{notes}"
    );
}

#[test]
fn z_scores_compare_the_outputs_of_an_item() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let normalised = MINE.replace("title", "combine = 'normalise'\ntitle");
    fs::write(
        dir.join("mine.toml"),
        normalised
            .replace("'world', ", "")
            .replace("[[components]]\nname = 'exact'\nrule = 'mini-world'\n", "")
            + "[[components]]\nname = 'text'\nrule = 'text-distance'\n",
    )
    .unwrap();
    let items = ["a", "b"].map(|id| {
        format!(
            "{}\n",
            json!({"item": id, "task": "text-to-image", "prompt": "p"})
        )
    });
    fs::write(dir.join("items.jsonl"), items.concat()).unwrap();
    let seen = |item: &str, repeat: u32, range: f64| {
        let seen = json!({"dynamic_range": range});
        format!(
            "{}\n",
            json!({"item": item, "repeat": repeat, "observer": "quality", "evidence": seen})
        )
    };
    let evidence = [seen("a", 0, 0.25), seen("a", 1, 0.75), seen("b", 0, 0.5)].concat();
    fs::write(dir.join("evidence.jsonl"), evidence).unwrap();
    ran(
        dir,
        5,
        &[
            "grade",
            "--suite",
            "mini-geneval",
            "--items",
            "items.jsonl",
            "--evidence",
            "evidence.jsonl",
            "--out",
            "graded",
            "--rule",
            "reward",
            "--set",
            "reward=mine.toml",
        ],
    );
    let grades = lines(&dir.join("graded/grades.jsonl"));
    // Mean 0.5 and deviation √(2 × 0.25²).
    let z = 0.25 / (0.25 * 2.0_f64.sqrt() + 1e-4);
    near(grades[0]["score"].as_f64().unwrap(), -z);
    near(grades[1]["score"].as_f64().unwrap(), z);
    let reason = grades[0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("does not apply: text"), "{reason}");
    // A group of one cannot be compared.
    assert_eq!(grades[2]["score"], Value::Null);
    assert!(
        grades[2]["unscored"]
            .as_str()
            .unwrap()
            .contains("--repeats 2"),
        "{}",
        grades[2]
    );
}

#[test]
fn a_reward_names_the_learned_scorers_of_looks_and_choices() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let reward = "name = 'looks'\ntitle = 'Looks'\ncombine = 'mean'\nobservers = ['aesthetic', 'pickscore']\n\n\
                  [[components]]\nname = 'looks'\nrule = 'measure'\nscale = [4, 7]\n\
                  options = { key = 'aesthetic', observer = 'aesthetic' }\n\n\
                  [[components]]\nname = 'choice'\nrule = 'measure'\nscale = [18, 24]\n\
                  options = { key = 'pickscore', observer = 'pickscore' }\n";
    fs::write(dir.join("looks.toml"), reward).unwrap();
    let (checked, _) = ran(dir, 0, &["check", "looks.toml"]);
    assert!(checked.contains("fine, 2 components"), "{checked}");
    let item = json!({"item": "dog", "task": "text-to-image", "prompt": "a dog"});
    fs::write(dir.join("items.jsonl"), format!("{item}\n")).unwrap();
    let seen = [
        json!({"item": "dog", "observer": "aesthetic", "evidence": {"aesthetic": 5.5, "head": "v2"}}),
        json!({"item": "dog", "observer": "pickscore", "evidence": {"pickscore": 22.5}}),
    ];
    fs::write(
        dir.join("evidence.jsonl"),
        format!("{}\n{}\n", seen[0], seen[1]),
    )
    .unwrap();
    let args = ["--items", "items.jsonl", "--evidence", "evidence.jsonl"];
    let grade = ["grade", "--suite", "mini-geneval", "--out", "graded"];
    let rule = ["--rule", "reward", "--set", "reward=looks.toml"];
    ran(dir, 0, &[&grade[..], &args, &rule].concat());
    let score = lines(&dir.join("graded/grades.jsonl"))[0]["score"]
        .as_f64()
        .unwrap();
    // Half of the way from 4 to 7, and three quarters of that from 18 to 24.
    near(score, (0.5 + 0.75) / 2.0);
}

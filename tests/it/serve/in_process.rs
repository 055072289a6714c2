//! The same rewards without a server, as the trainer asks for them.

use super::{STRICT, graded};
use crate::support::{lines, stderr, unigauge};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use serde_json::{Value, json};
use std::path::Path;
use unigauge::config::{RewardDefinition, reward};
use unigauge::record::Item;
use unigauge::session::{DeviceChoice, Session};

/// The run of the drawn pictures.
const RUN: &str = "results/rewarded/world-mistaken/r";

#[test]
fn rewards_in_this_process_say_what_grading_says() {
    let dir = tempfile::tempdir().unwrap();
    let drawn = graded(dir.path());
    let definitions: Vec<RewardDefinition> = vec![
        toml::from_str(STRICT).unwrap(),
        reward("mini", Path::new("")).unwrap().definition,
    ];
    let session = Session::default();
    let scorer = session.open_rewards(&definitions, DeviceChoice::Cpu);
    let scorer = scorer.unwrap();
    assert_eq!(scorer.eyes().len(), 1, "both look with the same observer");
    let run = dir.path().join(RUN);
    let items: Vec<Item> = (lines(&run.join("items.jsonl")).into_iter())
        .map(|line| serde_json::from_value(line).unwrap())
        .collect();
    let pictures: Vec<RgbImage> = (drawn.iter())
        .map(|one| {
            let file = STANDARD.decode(&one.image).unwrap();
            unigauge::image::decode_bytes(&file, "a picture")
                .unwrap()
                .rgb
        })
        .collect();
    let strict = scorer.reward("strict").unwrap();
    let scored = scorer.score(strict, &items, &pictures);
    let rewards: Vec<Option<f64>> = scored.iter().map(|scored| scored.reward).collect();
    let expected: Vec<Option<f64>> = drawn.iter().map(|one| Some(one.score)).collect();
    assert_eq!(rewards, expected);
    let graded = unigauge(dir.path())
        .args(["grade", RUN, "--rule", "reward", "--set", "reward=mini"])
        .output()
        .unwrap();
    assert!(graded.status.success(), "{}", stderr(&graded));
    let grades = lines(&run.join("grades.jsonl"));
    let mini = scorer.reward("mini").unwrap();
    let scored = scorer.score(mini, &items, &pictures);
    for (item, scored) in items.iter().zip(&scored) {
        let grade = grades.iter().find(|grade| grade["item"] == *item.item);
        // The grades were read from JSON, whose reader may be off in the last bit.
        let reward: Value = serde_json::from_str(&json!(scored.reward).to_string()).unwrap();
        assert_eq!(reward, grade.unwrap()["score"], "{}", item.item);
        assert!(scored.errors.is_empty());
    }
    assert!(scorer.reward("other").is_none());
}

//! GenEval's 553 prompts, drawn as the official script draws them.
//!
//! Source: djghosh13/geneval at af4902f, `prompts/create_prompts.py` with seed 43 and 100 prompts a task
//! (MIT licence). [`official_jsonl`] equals its `evaluation_metadata.jsonl` byte for byte.

use super::description::{Make, PromptGeneratorDescription};
use crate::python;
use crate::python::numpy_rng::NumpyRng;
use crate::record::geneval_words::COLORS;
use crate::record::{Item, Object, Tags, Task};
use serde_json::{Value, json};
use std::collections::HashSet;

/// The official prompts.
pub(super) static GENEVAL: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "geneval",
    about: "The 553 prompts of GenEval, drawn as the official script draws them.",
    make: Make::Items(items),
    official: Some(official_jsonl),
};

const SEED: u64 = 43;
const PROMPTS_PER_TASK: usize = 100;

/// The classes in the order of `object_names.txt`.
const OBJECTS: [&str; 80] = [
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "computer mouse",
    "tv remote",
    "computer keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
];
const RELATIONS: [&str; 4] = ["left of", "right of", "above", "below"];
const NUMBERS: [&str; 5] = ["zero", "one", "two", "three", "four"];

/// The official metadata file: 553 lines, sha256
/// `5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13`.
fn official_jsonl() -> String {
    let lines = samples().into_iter().map(Value::Object);
    lines
        .map(|line| python::json::dumps(&line) + "\n")
        .collect()
}

/// The items: id is the line's 0-based number as in the official image folders (`00017`), tag is the task.
fn items() -> Vec<Item> {
    samples()
        .into_iter()
        .enumerate()
        .map(|(index, sample)| Item {
            item: format!("{index:05}"),
            task: Task::TextToImage,
            prompt: text(&sample, "prompt"),
            images: Vec::new(),
            tags: Tags::from_iter([("tag".to_owned(), text(&sample, "tag"))]),
            expect: sample,
            extra: Object::new(),
        })
        .collect()
}

fn text(sample: &Object, key: &str) -> String {
    let value = sample.get(key).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

/// All tasks from one generator in the script's order, without repetitions of a prompt.
fn samples() -> Vec<Object> {
    let mut rng = NumpyRng::new(SEED);
    let mut samples = single_object(&mut rng);
    for task in [two_object, counting, colors, position, color_attr] {
        samples.extend((0..PROMPTS_PER_TASK).map(|_| task(&mut rng)));
    }
    let mut seen = HashSet::new();
    samples.retain(|sample| seen.insert(text(sample, "prompt")));
    samples
}

fn single_object(rng: &mut NumpyRng) -> Vec<Object> {
    let order = rng.sample(80, 80);
    let sample = |index| {
        let prompt = format!("a photo of {}", with_article(object(index)));
        metadata("single_object", vec![clause(index, 1)], None, prompt)
    };
    order.into_iter().map(sample).collect()
}

fn two_object(rng: &mut NumpyRng) -> Object {
    let (a, b) = rng.pair(80);
    let prompt = format!(
        "a photo of {} and {}",
        with_article(object(a)),
        with_article(object(b))
    );
    metadata("two_object", vec![clause(a, 1), clause(b, 1)], None, prompt)
}

fn counting(rng: &mut NumpyRng) -> Object {
    let index = rng.choice(80);
    let count = rng.integers(2, 4) as u32;
    let prompt = format!(
        "a photo of {} {}",
        NUMBERS[count as usize],
        plural(object(index))
    );
    let exclude = Some(clause(index, count + 1));
    metadata("counting", vec![clause(index, count)], exclude, prompt)
}

fn colors(rng: &mut NumpyRng) -> Object {
    let index = rng.choice(79) + 1;
    let color = COLORS[rng.choice(10) as usize];
    let prompt = format!("a photo of {} {}", with_article(color), object(index));
    metadata("colors", vec![colored(index, color)], None, prompt)
}

fn position(rng: &mut NumpyRng) -> Object {
    let (a, b) = rng.pair(80);
    let relation = RELATIONS[rng.choice(4) as usize];
    let prompt = format!(
        "a photo of {} {relation} {}",
        with_article(object(a)),
        with_article(object(b))
    );
    let mut placed = clause(a, 1);
    placed["position"] = json!([relation, 0]);
    metadata("position", vec![clause(b, 1), placed], None, prompt)
}

fn color_attr(rng: &mut NumpyRng) -> Object {
    let (a, b) = rng.pair(79);
    let (a, b) = (a + 1, b + 1);
    let (first, second) = rng.pair(10);
    let (first, second) = (COLORS[first as usize], COLORS[second as usize]);
    let prompt = format!(
        "a photo of {} {} and {} {}",
        with_article(first),
        object(a),
        with_article(second),
        object(b)
    );
    let include = vec![colored(a, first), colored(b, second)];
    metadata("color_attr", include, None, prompt)
}

fn metadata(tag: &str, include: Vec<Value>, exclude: Option<Value>, prompt: String) -> Object {
    let mut metadata = Object::new();
    metadata.insert("tag".to_owned(), tag.into());
    metadata.insert("include".to_owned(), include.into());
    if let Some(exclude) = exclude {
        metadata.insert("exclude".to_owned(), vec![exclude].into());
    }
    metadata.insert("prompt".to_owned(), prompt.into());
    metadata
}

fn clause(index: u32, count: u32) -> Value {
    json!({"class": object(index), "count": count})
}

fn colored(index: u32, color: &str) -> Value {
    json!({"class": object(index), "count": 1, "color": color})
}

fn object(index: u32) -> &'static str {
    OBJECTS[index as usize]
}

/// The script looks at the first letter only.
fn with_article(phrase: &str) -> String {
    let article = if phrase.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {phrase}")
}

/// The script's plural: "buses", and also "sheeps".
fn plural(word: &str) -> String {
    let ending = if word.ends_with('s') { "es" } else { "s" };
    format!("{word}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_official_file_is_drawn_byte_for_byte() {
        let file = official_jsonl();
        assert_eq!(file.len(), 85_209);
        let digest = Sha256::digest(&file);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13"
        );
    }

    // States of numpy's PCG64 after each task of the official script.
    #[test]
    fn the_generator_is_in_numpys_state_after_each_task() {
        let mut rng = NumpyRng::new(SEED);
        single_object(&mut rng);
        assert_eq!(rng.state(), Some(0x7011158c4cd2431de68ad673752ef2b9));
        let after = [
            (
                two_object as fn(&mut NumpyRng) -> Object,
                0x8dd54695fa4911f5ecd9951bce7d7d4f,
            ),
            (counting, 0x15816a8a68e62d5964561628301b79a3),
            (colors, 0xc188b19bd73cd8469269bc12740968b7),
            (position, 0xb03b6084c53c80571225e2bd7e8d2f1f),
            (color_attr, 0x640e4046327f4575969a2140752d095b),
        ];
        for (task, state) in after {
            for _ in 0..PROMPTS_PER_TASK {
                task(&mut rng);
            }
            assert_eq!(rng.state(), Some(state));
        }
    }
}

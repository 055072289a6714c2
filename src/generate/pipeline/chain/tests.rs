//! Tests with chains of stages without networks.

use super::*;
use crate::generate::pipeline::stage::Stage;
use crate::record::Item;
use candle_core::DType;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes one number and an addition to the record. The last stage answers with the sum of all numbers.
struct Number {
    name: &'static str,
    value: f32,
    extra: Value,
    last: bool,
    runs: Arc<AtomicUsize>,
}

impl Stage for Number {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([self.name, request.item.prompt]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(&mut self, _: &Request<'_>, before: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let number = |tensor: &Tensor| tensor.to_vec1::<f32>().unwrap()[0];
        let sum: f32 = before.values().map(number).sum::<f32>() + self.value;
        let tensor = Tensor::new(&[self.value], &Device::Cpu).unwrap();
        Ok(Step {
            made: if self.last {
                Made::Text(sum.to_string())
            } else {
                Made::Tensors([(self.name.to_owned(), tensor)].into())
            },
            extra: self.extra.as_object().cloned().unwrap_or_default(),
        })
    }
}

/// Three phases that share one folder, and the numbers of runs of the first two.
fn chain(folder: &Path) -> (Chain, [Arc<AtomicUsize>; 2]) {
    let runs = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let phase = |name, value, extra, runs: &Arc<AtomicUsize>| {
        let stage = Number {
            name,
            value,
            extra,
            last: name == "c",
            runs: runs.clone(),
        };
        Phase::new(name, Vec::new(), |_| Ok(stage))
    };
    let first = json!({"logits": [1, 2], "notes": ["turned"]});
    let second = json!({"cut": ["clip"], "notes": ["cut", "turned"]});
    let phases = vec![
        phase("a", 1.0, first, &runs[0]),
        phase("b", 20.0, second, &runs[1]),
        phase("c", 300.0, json!({"notes": "decoded"}), &Arc::default()),
    ];
    let place = Place {
        device: Device::Cpu,
        vram_budget: None,
        scratch: folder.into(),
    };
    let checkpoint = CheckpointFolder::new(Path::new(""), DType::F32);
    let chain = Chain::open(&[Task::Understand], phases, &checkpoint, &place).unwrap();
    (chain, runs)
}

fn ask(chain: &mut Chain) -> Generated {
    let item: Item =
        serde_json::from_value(json!({"item": "x", "task": "understand", "prompt": "p"})).unwrap();
    let request = Request {
        item: &item,
        base: Path::new(""),
        repeat: 0,
        seed: 0,
    };
    chain.generate(&request, &Cancel::default()).unwrap()
}

fn text(generated: &Generated) -> &str {
    match &generated.answer {
        Answer::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn expected_record() -> Value {
    json!({"logits": [1, 2], "cut": ["clip"], "notes": ["turned", "cut", "decoded"]})
}

#[test]
fn the_remarks_of_all_stages_reach_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let (mut chain, _) = chain(dir.path());
    let made = ask(&mut chain);
    assert_eq!(text(&made), "321");
    assert_eq!(Value::Object(made.extra), expected_record());
}

#[test]
fn what_is_gone_or_damaged_between_stages_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("scratch");
    let (mut first, _) = chain(&folder);
    ask(&mut first);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 2);
    // Each file, and both, are damaged, emptied or replaced.
    for damaged in [&files[..1], &files[1..], &files[..]] {
        for content in [&b"nonsense"[..], &[]] {
            for file in damaged {
                std::fs::write(file, content).unwrap();
            }
            let (mut again, runs) = chain(&folder);
            let made = ask(&mut again);
            assert_eq!(text(&made), "321");
            assert_eq!(Value::Object(made.extra), expected_record());
            let runs = runs.map(|runs| runs.load(Ordering::SeqCst));
            assert_eq!(runs.iter().sum::<usize>(), damaged.len());
            // Its files are kept for the next round.
            std::mem::forget(again);
        }
    }
    drop(first);
    assert!(!folder.exists());
}

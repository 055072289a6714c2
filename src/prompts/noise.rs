//! A ladder of noise: each picture of a source becomes an item for each level.
//!
//! The noise is `torch.randn(3, H, W)` on a CPU generator, whose seed follows from the source's id. All levels
//! of a source have the same noise.

use super::description::Keep;
use crate::image::encode_png;
use crate::image::noise::{Ladder, coarse, noised};
use crate::image::pillow::{Filter, resize};
use crate::model::noise::{Generator, randn};
use crate::record::{Item, Tags};
use crate::world::random::Random;
use candle_core::DType;
use image::RgbImage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The largest number of options of a question.
const MOST_OPTIONS: usize = 10;

/// Noise that is put on the first input picture of each item. An item becomes one item for each kind, level
/// and field, such as `dog-00@mix0.4`. The grader also gets `clean` and `target` (the clean picture),
/// `other` (that of another source), `source`, `level` and `noise`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseLadder {
    /// How noise n and picture x are put together: `mix` is (1 − t) x + t n, `add` is x + t n. Default:
    /// `mix`.
    pub kinds: Vec<Ladder>,
    /// The levels t, 0 to below 1. Default: 0, 0.1 … 0.9.
    pub levels: Vec<f64>,
    /// How many different fields of noise a source gets. Default: 1.
    pub fields: u32,
    /// The longest side, in pixels, to which larger pictures are resized first, since noise disturbs less in
    /// larger pictures. Default: 512.
    pub longest_side: u32,
    /// The side of the blocks, in pixels, that have one value of noise. Default: 1.
    pub grain: u32,
    /// Each pixel becomes a square of this side after the noise was added. Default: 1.
    pub scale: u32,
    /// Ask for the label of the picture among options (`expect.options`, or up to ten labels of all items),
    /// which are added to the prompt.
    pub choose: bool,
}

impl Default for NoiseLadder {
    fn default() -> Self {
        Self {
            kinds: vec![Ladder::Mix],
            levels: (0..10_u8).map(|step| f64::from(step) / 10.0).collect(),
            fields: 1,
            longest_side: 512,
            grain: 1,
            scale: 1,
            choose: false,
        }
    }
}

/// Opens a picture by the path that an item gives.
pub type OpenPicture<'a> = dyn Fn(&str) -> Result<RgbImage, String> + 'a;

impl NoiseLadder {
    /// The first setting that is out of its range, in words.
    pub fn mistake(&self) -> Option<String> {
        if self.kinds.is_empty() || self.levels.is_empty() {
            return Some("`kinds` and `levels` need one value or more".to_owned());
        }
        let odd = self
            .levels
            .iter()
            .find(|level| !(0.0..1.0).contains(*level));
        if let Some(level) = odd {
            return Some(format!(
                "`levels` has {level}; a level is 0 or more and below 1"
            ));
        }
        let counts = [
            ("fields", self.fields, 1000),
            ("longest_side", self.longest_side, 8192),
            ("grain", self.grain, 512),
            ("scale", self.scale, 64),
        ];
        let wrong = counts
            .into_iter()
            .find(|(_, value, most)| !(1..=*most).contains(value));
        wrong.map(|(name, value, most)| format!("`{name}` is {value}; it must be 1 to {most}"))
    }

    /// The items of all levels.
    ///
    /// # Errors
    /// Fails if an item has no picture or one that cannot be opened, or if a picture cannot be kept.
    pub fn climb(
        &self,
        items: &[Item],
        open: &OpenPicture<'_>,
        keep: &Keep<'_>,
    ) -> Result<Vec<Item>, String> {
        let labels = labels(items);
        let (mut bases, mut pictures) = (Vec::new(), Vec::new());
        for item in items {
            let wrong = |why: String| format!("`{}`: {why}", item.item);
            let path = item.images.first().ok_or_else(|| {
                wrong("noise needs an input picture, but this item has none".to_owned())
            })?;
            let picture = self.fitted(open(path).map_err(wrong)?);
            let clean = self.kept(&picture, keep).map_err(wrong)?;
            bases.push(self.prepared(item, &labels, clean));
            pictures.push(picture);
        }
        name_others(&mut bases);
        let mut noisy = Vec::new();
        for ((item, base), picture) in items.iter().zip(&bases).zip(&pictures) {
            let wrong = |why: String| format!("`{}`: {why}", item.item);
            for field in 0..self.fields {
                let noise = self.field(&item.item, field, picture);
                for kind in &self.kinds {
                    for level in &self.levels {
                        let shown = noised(picture, &noise, *kind, *level);
                        let path = self.kept(&shown, keep).map_err(wrong)?;
                        noisy.push(step(base, path, (*kind, *level, field)));
                    }
                }
            }
        }
        Ok(noisy)
    }

    /// The picture at the size that noise is added to.
    fn fitted(&self, picture: RgbImage) -> RgbImage {
        let (width, height) = picture.dimensions();
        let longest = width.max(height);
        if longest <= self.longest_side {
            return picture;
        }
        let share = f64::from(self.longest_side) / f64::from(longest);
        let side = |side: u32| ((f64::from(side) * share).round() as u32).max(1);
        resize(&picture, side(width), side(height), Filter::Bicubic)
    }

    /// Keeps a picture, enlarged.
    fn kept(&self, picture: &RgbImage, keep: &Keep<'_>) -> Result<String, String> {
        let large = enlarged(picture, self.scale);
        keep(&encode_png(&large).map_err(|error| error.to_string())?)
    }

    /// The noise of a source.
    fn field(&self, source: &str, field: u32, picture: &RgbImage) -> Vec<f32> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let grain = self.grain.max(1) as usize;
        let count = 3 * width.div_ceil(grain) * height.div_ceil(grain);
        let mut generator = Generator::new(u64::from(seed(source, field)));
        let blocks = randn(&mut generator, count, DType::F32);
        if grain == 1 {
            blocks
        } else {
            coarse(&blocks, (width, height), grain)
        }
    }

    /// The item with what all its levels share.
    fn prepared(&self, item: &Item, labels: &BTreeSet<String>, clean: String) -> Item {
        let mut base = item.clone();
        for key in ["clean", "target"] {
            base.expect.insert(key.into(), clean.clone().into());
        }
        base.expect
            .insert("source".into(), item.item.clone().into());
        let label = item.expect.get("label").and_then(Value::as_str);
        if let Some(label) = label {
            base.tags = with_tags(&base.tags, [("label", label)]);
        }
        if let Some(label) = label.filter(|_| self.choose) {
            let options = options(item, label, labels);
            let question = format!("{}\n{}", item.prompt, lettered(&options));
            let answer = options.iter().position(|option| option == label);
            let answer = answer.map_or_else(String::new, letter);
            base.expect.insert(
                "propositions".into(),
                json!([{"id": "what", "question": question}]),
            );
            base.expect.insert("options".into(), json!(options));
            base.expect.insert("answer".into(), answer.into());
            if item.task == crate::record::Task::Understand {
                base.prompt = question;
            }
        }
        base
    }
}

/// Gives each item as `expect.other` the clean picture of the next one that shows something else.
fn name_others(bases: &mut [Item]) {
    let shown = |item: &Item| -> [Option<Value>; 2] {
        ["label", "scene"].map(|key| item.expect.get(key).cloned())
    };
    let all: Vec<_> = bases
        .iter()
        .map(|base| (shown(base), base.expect.get("clean").cloned()))
        .collect();
    for (place, base) in bases.iter_mut().enumerate() {
        let own = &all[place].0;
        let mut later = all.iter().cycle().skip(place + 1).take(all.len() - 1);
        if let Some((_, Some(clean))) = later.find(|(other, _)| other != own) {
            base.expect.insert("other".into(), clean.clone());
        }
    }
}

/// The first 32 bits, little-endian, of the hash of `noise`, the number of the field and the id.
fn seed(source: &str, field: u32) -> u32 {
    let mut hash = Sha256::new();
    hash.update(b"noise");
    hash.update(field.to_le_bytes());
    hash.update(source);
    let digest = hash.finalize();
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// One level of a source.
fn step(base: &Item, path: String, (kind, level, field): (Ladder, f64, u32)) -> Item {
    let mut item = base.clone();
    item.item = match field {
        0 => format!("{}@{}{level}", base.item, kind.name()),
        _ => format!("{}@{}{level}#{field}", base.item, kind.name()),
    };
    if let Some(first) = item.images.first_mut() {
        *first = path;
    }
    item.expect.insert("level".into(), level.into());
    item.expect.insert("noise".into(), kind.name().into());
    let level = level.to_string();
    item.tags = with_tags(
        &item.tags,
        [("level", level.as_str()), ("noise", kind.name())],
    );
    item
}

fn with_tags<const N: usize>(tags: &Tags, more: [(&str, &str); N]) -> Tags {
    let more = more.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let old = tags.iter().map(|(key, value)| (key.clone(), value.clone()));
    old.chain(more).collect()
}

/// Each pixel as a square.
fn enlarged(picture: &RgbImage, scale: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width * scale, height * scale, |x, y| {
        *picture.get_pixel(x / scale, y / scale)
    })
}

/// All labels, in the order of the alphabet.
fn labels(items: &[Item]) -> BTreeSet<String> {
    let each = items.iter().filter_map(|item| item.expect.get("label"));
    each.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The options of a question in an order that follows from the id, with the right one among them.
fn options(item: &Item, label: &str, labels: &BTreeSet<String>) -> Vec<String> {
    let given = item.expect.get("options").and_then(Value::as_array);
    let given = given.map(|list| {
        let texts = list.iter().filter_map(Value::as_str).map(str::to_owned);
        texts.collect::<Vec<String>>()
    });
    let all = given.unwrap_or_else(|| labels.iter().cloned().collect());
    let others: Vec<&String> = all.iter().filter(|option| *option != label).collect();
    let mut random = Random::new(u64::from(seed(&item.item, 0)), 1);
    let mut chosen: Vec<String> = random
        .several(&others, MOST_OPTIONS - 1)
        .into_iter()
        .cloned()
        .collect();
    let place = random.below(chosen.len() + 1);
    chosen.insert(place, label.to_owned());
    chosen
}

/// The options with letters, one on each line.
fn lettered(options: &[String]) -> String {
    let lines = options.iter().enumerate();
    let lines = lines.map(|(place, option)| format!("{}. {option}", letter(place)));
    lines.collect::<Vec<String>>().join("\n")
}

fn letter(place: usize) -> String {
    char::from(b'A' + (place % 26) as u8).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use std::cell::RefCell;

    fn halves() -> RgbImage {
        RgbImage::from_fn(4, 4, |_, y| Rgb([if y < 2 { 200 } else { 40 }; 3]))
    }

    fn hash(picture: &RgbImage) -> String {
        let digest = Sha256::digest(picture.as_raw());
        digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    // tests/golden/probes/make.py: `noise`.
    #[test]
    fn both_ladders_are_torchs() {
        assert_eq!(seed("dog-00", 0), 3_634_619_378);
        let field = randn(&mut Generator::new(42), 48, DType::F32);
        let at = |kind, level| noised(&halves(), &field, kind, level);
        let red: Vec<u8> = at(Ladder::Mix, 0.4)
            .pixels()
            .map(|pixel| pixel.0[0])
            .collect();
        let expected = [
            255, 247, 217, 64, 206, 108, 169, 89, 37, 159, 55, 3, 38, 46, 36, 114,
        ];
        assert_eq!(red, expected);
        for (kind, level, expected) in [
            (Ladder::Mix, 0.0, "42cd7313a19642d6"),
            (Ladder::Mix, 0.4, "595e5d8dd7b748b4"),
            (Ladder::Mix, 0.6, "daef55e131f2db35"),
            (Ladder::Add, 0.4, "a5064780fb6796f2"),
            (Ladder::Add, 0.6, "edfde5b056f861c1"),
        ] {
            assert_eq!(hash(&at(kind, level)), expected, "{kind:?} {level}");
        }
    }

    fn item(id: &str, label: &str) -> Item {
        serde_json::from_value(
            json!({"item": id, "task": "understand", "prompt": "What is it?",
            "images": ["a.png"], "expect": {"label": label}}),
        )
        .unwrap()
    }

    fn climbed(ladder: &NoiseLadder, items: &[Item]) -> (Vec<Item>, Vec<(u32, u32)>) {
        let sizes = RefCell::new(Vec::new());
        let keep = |bytes: &[u8]| {
            let picture = crate::image::decode_bytes(bytes, "kept").unwrap().rgb;
            sizes.borrow_mut().push(picture.dimensions());
            Ok(format!("{}.png", sizes.borrow().len()))
        };
        let items = ladder.climb(items, &|_| Ok(halves()), &keep).unwrap();
        (items, sizes.into_inner())
    }

    #[test]
    fn each_level_is_an_item_with_its_clean_picture() {
        let ladder = NoiseLadder {
            kinds: vec![Ladder::Mix, Ladder::Add],
            levels: vec![0.0, 0.4],
            scale: 2,
            ..NoiseLadder::default()
        };
        let (items, sizes) = climbed(&ladder, &[item("dog-00", "dog")]);
        let ids: Vec<&str> = items.iter().map(|item| item.item.as_str()).collect();
        assert_eq!(
            ids,
            [
                "dog-00@mix0",
                "dog-00@mix0.4",
                "dog-00@add0",
                "dog-00@add0.4"
            ]
        );
        assert_eq!(sizes, [(8, 8); 5]);
        assert!(!items[0].expect.contains_key("other"));
        let last = &items[3];
        assert_eq!(last.images, ["5.png"]);
        assert_eq!(last.expect["clean"], "1.png");
        assert_eq!(last.expect["source"], "dog-00");
        assert_eq!(
            (&last.expect["level"], &last.expect["noise"]),
            (&json!(0.4), &json!("add"))
        );
        assert_eq!(last.tags.get("level").map(String::as_str), Some("0.4"));
        assert_eq!(last.tags.get("label").map(String::as_str), Some("dog"));
    }

    #[test]
    fn a_question_has_the_right_option_and_ten_at_most() {
        let names: Vec<String> = (0..14).map(|number| format!("kind{number}")).collect();
        let items: Vec<Item> = names.iter().map(|name| item(name, name)).collect();
        let ladder = NoiseLadder {
            levels: vec![0.5],
            choose: true,
            ..NoiseLadder::default()
        };
        let (asked, _) = climbed(&ladder, &items);
        let mut answers = BTreeSet::new();
        for (item, label) in asked.iter().zip(&names) {
            let options = item.expect["options"].as_array().unwrap();
            let answer = item.expect["answer"].as_str().unwrap();
            assert_eq!(options.len(), 10);
            assert_ne!(item.expect["other"], item.expect["clean"]);
            assert_eq!(options[usize::from(answer.as_bytes()[0] - b'A')], **label);
            assert!(item.prompt.contains(&format!("{answer}. {label}")));
            answers.insert(answer.to_owned());
        }
        assert!(answers.len() > 3, "{answers:?}");
    }

    #[test]
    fn settings_out_of_their_ranges_are_told() {
        let with = |level| NoiseLadder {
            levels: vec![level],
            ..NoiseLadder::default()
        };
        assert_eq!(with(0.9).mistake(), None);
        assert!(with(1.0).mistake().is_some() && with(f64::NAN).mistake().is_some());
    }
}

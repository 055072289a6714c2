//! How good the policy is, by what its pictures show.

use super::XOmniGrpoTask;
use super::curve::mean;
use super::prompts::{Shows, Wish};
use super::rollout::Group;
use crate::train::TrainError;
use crate::train::samples::{CHECKS, stream};
use crate::train::task::Numbers;
use crate::world::caption::Task;
use crate::world::random::Random;
use crate::world::read::{self, Eyes, Found};
use crate::world::split::Split;
use std::collections::BTreeSet;

/// The prompts of a check that are judged together.
struct Section {
    /// How their numbers are called.
    name: String,
    wishes: Vec<Wish>,
}

/// A group whose pictures were looked at.
struct Seen {
    found: Vec<Vec<Found>>,
    shows: Vec<Shows>,
    /// By other eyes than those that rewards look with.
    other: Vec<Shows>,
    /// How many things there are beyond those that were asked for.
    extras: Vec<f64>,
    codes: Vec<Vec<u32>>,
}

impl XOmniGrpoTask {
    /// What a check asks for, the same every time.
    fn sections(&self) -> Vec<Section> {
        let count = self.settings.check.prompts;
        let mut random = Random::new(self.seed, stream(CHECKS, 0));
        let mut sections = Vec::new();
        for task in Task::ALL {
            sections.push(Section {
                name: task.tag().to_owned(),
                wishes: Wish::captions(task, Split::Seen, count, &mut random),
            });
        }
        let tasks = Task::ALL.into_iter();
        let held_out: Vec<Wish> = tasks
            .flat_map(|task| Wish::captions(task, Split::HeldOut, count, &mut random))
            .collect();
        sections.push(Section {
            name: "held_out".into(),
            wishes: random.several(&held_out, count),
        });
        for (name, split) in [("signs", Split::Seen), ("held_out_signs", Split::HeldOut)] {
            sections.push(Section {
                name: name.into(),
                wishes: Wish::signs(split, count, &mut random),
            });
        }
        sections
    }

    /// The shares of drawings that show what was asked, by GenEval's rule and exactly, for each task; the
    /// things beyond those, and how different the drawings of a prompt are.
    ///
    /// # Errors
    /// Fails if a network cannot be computed.
    pub(super) fn checked(&self) -> Result<Numbers, TrainError> {
        let policy = self.still()?;
        let count = self.settings.check.drawings;
        let mut of_sections = Numbers::new();
        let (mut strict, mut exact, mut scenes) = (Vec::new(), Vec::new(), Vec::new());
        let mut other = Vec::new();
        for (place, section) in self.sections().into_iter().enumerate() {
            let place = [CHECKS, place as u64];
            let mut groups = self.draw(&policy, &section.wishes, count, &place)?;
            self.decode(&mut groups, &place)?;
            let seen: Vec<Seen> = groups.into_iter().map(Seen::new).collect();
            let share = |holds: fn(&Shows) -> f64| {
                mean(seen.iter().flat_map(|seen| seen.shows.iter().map(holds)))
            };
            let right = share(|shows| f64::from(u8::from(shows.strict)));
            let alone = share(|shows| f64::from(u8::from(shows.exact)));
            let mut push = |name: String, value: Option<f64>| {
                of_sections.extend(value.map(|value| (name, value)));
            };
            let name = section.name;
            if name.ends_with("signs") {
                push(format!("right_{name}"), right);
                push(format!("text_{name}"), share(|shows| shows.text));
                continue;
            }
            push(format!("strict_{name}"), right);
            push(format!("exact_{name}"), alone);
            if name != "held_out" {
                strict.extend(right);
                exact.extend(alone);
                let shows = seen.iter().flat_map(|seen| &seen.other);
                other.extend(mean(shows.map(|shows| f64::from(u8::from(shows.exact)))));
                scenes.extend(seen);
            }
        }
        // What a person reads first comes first.
        let mut numbers = Numbers::new();
        for (name, value) in [
            ("exact", mean(exact.into_iter())),
            ("strict", mean(strict.into_iter())),
            ("exact_other_eyes", mean(other.into_iter())),
            (
                "extras",
                mean(scenes.iter().flat_map(|seen| seen.extras.iter().copied())),
            ),
            ("distinct", mean(scenes.iter().map(Seen::distinct))),
            ("codes_apart", mean(scenes.iter().filter_map(Seen::apart))),
        ] {
            numbers.extend(value.map(|value| (name.to_owned(), value)));
        }
        numbers.append(&mut of_sections);
        Ok(numbers)
    }
}

impl Seen {
    fn new(group: Group) -> Self {
        let found: Vec<Vec<Found>> = group.pictures.iter().map(read::things).collect();
        let asked = group.wish.things();
        Self {
            extras: found
                .iter()
                .map(|found| found.len().saturating_sub(asked) as f64)
                .collect(),
            shows: found.iter().map(|found| group.wish.shown(found)).collect(),
            other: group
                .pictures
                .iter()
                .map(|picture| group.wish.shown(&read::things_by(picture, Eyes::OTHER)))
                .collect(),
            found,
            codes: group.codes,
        }
    }

    /// Different layouts of form, colour and cell, over the number of drawings.
    fn distinct(&self) -> f64 {
        let layout = |found: &Vec<Found>| {
            let things = found.iter().map(|thing| {
                let cell = thing.cell();
                format!("{:?} {:?} {cell:?}", thing.form, thing.color)
            });
            things.collect::<BTreeSet<String>>()
        };
        let layouts: BTreeSet<BTreeSet<String>> = self.found.iter().map(layout).collect();
        layouts.len() as f64 / self.found.len().max(1) as f64
    }

    /// The share of codes in which two drawings of the prompt differ. `None` of a single drawing.
    fn apart(&self) -> Option<f64> {
        let pairs = self.codes.iter().enumerate();
        let pairs =
            pairs.flat_map(|(number, a)| self.codes[number + 1..].iter().map(move |b| (a, b)));
        mean(pairs.flat_map(|(a, b)| {
            let codes = a.iter().zip(b);
            codes.map(|(a, b)| f64::from(u8::from(a != b)))
        }))
    }
}

//! What the policy is asked to draw, and whether a picture shows it.

use super::settings::{Asked, PromptSection};
use crate::prompts::{caption_item, sign_item};
use crate::record::Item;
use crate::text::distance::levenshtein;
use crate::world::caption::{Caption, Task};
use crate::world::random::Random;
use crate::world::read::{self, Found};
use crate::world::split::Split;
use crate::world::thing::Form;
use crate::world::words;

/// Something to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wish {
    /// The scene of a caption.
    Scene(Task, Caption),
    /// A sign with a word, by its place in the list.
    Sign(usize),
}

/// How well a picture shows a wish.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shows {
    /// By GenEval's rule, which allows further things where nothing is counted; of a sign, the word read
    /// whole.
    pub strict: bool,
    /// And nothing else.
    pub exact: bool,
    /// The share of a sign's word that was read: 1 − edits / letters, at least 0.
    pub text: f64,
}

impl Wish {
    /// Something that a training asks for. What may not be asked takes no share from signs or from a task.
    pub(super) fn sampled(section: &PromptSection, random: &mut Random) -> Self {
        let may = |split: Split| section.split == Asked::All || split == Split::Seen;
        if random.chance(section.signs) {
            let words = 0..words::WORDS.len();
            let words: Vec<usize> = words.filter(|index| may(words::split(*index))).collect();
            return Self::Sign(random.pick(&words));
        }
        let task = section.tasks.pick(random);
        let mut captions = Caption::all_of(task);
        captions.retain(|caption| may(caption.split()));
        Self::Scene(task, random.pick(&captions))
    }

    /// So many captions of a task and a split; fewer different ones come again. None if there are none.
    pub(super) fn captions(
        task: Task,
        split: Split,
        count: usize,
        random: &mut Random,
    ) -> Vec<Self> {
        let mut all = Caption::all_of(task);
        all.retain(|caption| caption.split() == split);
        let order = random.several(&all, all.len());
        let wishes = order.into_iter().map(|caption| Self::Scene(task, caption));
        wishes.cycle().take(count).collect()
    }

    /// So many words of a split.
    pub(super) fn signs(split: Split, count: usize, random: &mut Random) -> Vec<Self> {
        let all: Vec<usize> = (0..words::WORDS.len())
            .filter(|index| words::split(*index) == split)
            .collect();
        let order = random.several(&all, all.len());
        order
            .into_iter()
            .map(Self::Sign)
            .cycle()
            .take(count)
            .collect()
    }

    /// How many things it asks for; of a sign, its letters.
    pub(super) fn things(self) -> usize {
        match self {
            Self::Scene(_, Caption::Some(count, _)) => count,
            Self::Scene(..) => 2,
            Self::Sign(index) => words::WORDS[index].len(),
        }
    }

    /// As an item of a suite has it.
    pub(super) fn item(self, id: String) -> Item {
        match self {
            Self::Scene(task, caption) => caption_item(id, task, caption),
            Self::Sign(index) => sign_item(id, words::WORDS[index], words::split(index)),
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Scene(_, caption) => caption.words(),
            Self::Sign(index) => words::prompt(words::WORDS[index]),
        }
    }

    /// How well a picture with these things shows it.
    pub(super) fn shown(self, found: &[Found]) -> Shows {
        match self {
            Self::Scene(_, caption) => {
                let strict = caption.shown(found);
                let shapes = found
                    .iter()
                    .all(|thing| matches!(thing.form, Some(Form::Shape(_))));
                Shows {
                    strict,
                    exact: strict && shapes && found.len() == self.things(),
                    text: 0.0,
                }
            }
            Self::Sign(index) => {
                let word: Vec<char> = words::WORDS[index].chars().collect();
                let seen: Vec<char> = read::text(found)
                    .chars()
                    .filter(|letter| !letter.is_whitespace())
                    .collect();
                let edits = levenshtein(&word, &seen).min(word.len());
                Shows {
                    strict: seen == word,
                    exact: seen == word && found.len() == word.len(),
                    text: 1.0 - edits as f64 / word.len() as f64,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::samples::Tasks;
    use crate::world::draw;

    /// Whether other trainings see it.
    fn split(wish: &Wish) -> Split {
        match wish {
            Wish::Scene(_, caption) => caption.split(),
            Wish::Sign(index) => words::split(*index),
        }
    }

    #[test]
    fn training_asks_only_for_what_it_may_see_unless_told_to() {
        let mut random = Random::new(3, 1);
        let mut section = PromptSection {
            signs: 0.5,
            tasks: Tasks::default(),
            split: Asked::Seen,
        };
        let mut asked = |section: &PromptSection| -> Vec<Wish> {
            (0..500)
                .map(|_| Wish::sampled(section, &mut random))
                .collect()
        };
        let seen = asked(&section);
        assert!(seen.iter().all(|wish| split(wish) == Split::Seen));
        section.split = Asked::All;
        let all = asked(&section);
        assert!(all.iter().any(|wish| split(wish) == Split::HeldOut));
    }

    #[test]
    fn held_out_captions_and_words_leave_the_shares_as_they_are() {
        let mut random = Random::new(5, 1);
        let section = PromptSection {
            signs: 0.3,
            tasks: Tasks::default(),
            split: Asked::Seen,
        };
        let count = 20_000;
        let asked: Vec<Wish> = (0..count)
            .map(|_| Wish::sampled(&section, &mut random))
            .collect();
        let share = |is: &dyn Fn(&Wish) -> bool| {
            asked.iter().filter(|wish| is(wish)).count() as f64 / f64::from(count)
        };
        assert!((share(&|wish| matches!(wish, Wish::Sign(_))) - 0.3).abs() < 0.015);
        for task in Task::ALL {
            let of_task = share(&|wish| matches!(wish, Wish::Scene(own, _) if *own == task));
            assert!((of_task - 0.7 / 6.0).abs() < 0.012, "{task:?}: {of_task}");
        }
    }

    #[test]
    fn drawn_scenes_and_signs_show_what_was_asked_and_further_things_are_not_exact() {
        let mut random = Random::new(7, 1);
        for task in Task::ALL {
            for wish in Wish::captions(task, Split::Seen, 8, &mut random) {
                let Wish::Scene(_, caption) = wish else {
                    panic!("{wish:?}");
                };
                let mut found = read::things(&draw::scene(&caption.scene(&mut random)));
                let shows = wish.shown(&found);
                assert!(shows.strict && shows.exact, "{wish:?} {found:?}");
                let mut more = found[0].clone();
                more.form = None;
                found.push(more);
                assert!(wish.shown(&found).strict && !wish.shown(&found).exact);
            }
        }
        for wish in Wish::signs(Split::HeldOut, 4, &mut random) {
            let Wish::Sign(index) = wish else {
                panic!("{wish:?}");
            };
            let color = crate::world::thing::Color::Red;
            let found = read::things(&words::sign(words::WORDS[index], color, &mut random));
            let shows = wish.shown(&found);
            assert!(shows.exact && shows.text == 1.0, "{wish:?}");
            assert_eq!(wish.shown(&[]).text, 0.0);
        }
        assert!(Wish::captions(Task::SingleObject, Split::HeldOut, 3, &mut random).is_empty());
    }
}

//! METEOR of one sentence against one reference (Lavie and Agarwal, WMT 2007), as NLTK's
//! `single_meteor_score` computes it by default. The stages are exact match, Porter stem and WordNet synonym,
//! with α = 0.9, β = 3 and γ = 0.5.

use super::porter;
use super::wordnet::WordNet;
use std::borrow::Cow;
use std::collections::HashMap;

/// Weight of the precision in the harmonic mean.
const ALPHA: f64 = 0.9;
/// The largest penalty.
const GAMMA: f64 = 0.5;

/// METEOR in 0..=1 of words in any case. Without WordNet, the synonym stage is left out, so the score is a
/// lower bound of the official one.
pub fn meteor(reference: &[&str], hypothesis: &[&str], synonyms: Option<&WordNet>) -> f64 {
    let mut left = Left {
        hypothesis: lower(hypothesis),
        reference: lower(reference),
        pairs: Vec::new(),
    };
    left.match_equal();
    left.stem();
    left.match_equal();
    if let Some(wordnet) = synonyms {
        left.match_synonyms(wordnet);
    }
    let mut pairs = left.pairs;
    if pairs.is_empty() {
        return 0.0;
    }
    pairs.sort_unstable();
    let matched = pairs.len() as f64;
    let precision = matched / hypothesis.len() as f64;
    let recall = matched / reference.len() as f64;
    let mean = (precision * recall) / (ALPHA * precision + (1.0 - ALPHA) * recall);
    let fragmentation = chunks(&pairs) as f64 / matched;
    (1.0 - GAMMA * fragmentation.powi(3)) * mean
}

/// A word with its index in its sentence.
type Word<'a> = (usize, Cow<'a, str>);

/// The words without a partner, in order, and the pairs (hypothesis, reference) found so far.
struct Left<'a> {
    hypothesis: Vec<Word<'a>>,
    reference: Vec<Word<'a>>,
    pairs: Vec<(usize, usize)>,
}

impl Left<'_> {
    /// Pairs equal words.
    fn match_equal(&mut self) {
        self.pair(|word, free| free.get_mut(word)?.pop());
    }

    /// Replaces every word by its stem. The synonym stage sees the stems too.
    fn stem(&mut self) {
        for (_, word) in self.hypothesis.iter_mut().chain(&mut self.reference) {
            *word = Cow::Owned(porter::stem(word));
        }
    }

    /// Pairs words if the reference's word is a synonym of the hypothesis' word.
    fn match_synonyms(&mut self, wordnet: &WordNet) {
        self.pair(|word, free| {
            let synonyms = wordnet.synonyms(word);
            let all = synonyms.into_iter().chain([word]);
            let of_last = |name: &str| free.get(name).and_then(|places| places.last().copied());
            let (_, name) = all.filter_map(|name| Some((of_last(name)?, name))).max()?;
            free.get_mut(name)?.pop()
        });
    }

    /// Goes through the hypothesis from its last word to its first. `choose` takes the partner of a word from
    /// the free indices of the reference, which are listed by word in ascending order.
    fn pair(&mut self, choose: impl Fn(&str, &mut HashMap<&str, Vec<usize>>) -> Option<usize>) {
        let mut free: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, word) in &self.reference {
            free.entry(word).or_default().push(*place);
        }
        let mut found = Vec::new();
        for (place, word) in self.hypothesis.iter().rev() {
            if let Some(partner) = choose(word, &mut free) {
                found.push((*place, partner));
            }
        }
        let mut taken: Vec<usize> = found.iter().map(|pair| pair.1).collect();
        taken.sort_unstable();
        self.reference
            .retain(|(place, _)| taken.binary_search(place).is_err());
        let mut given = found.iter().rev().map(|pair| pair.0).peekable();
        self.hypothesis
            .retain(|(place, _)| given.next_if_eq(place).is_none());
        self.pairs.append(&mut found);
    }
}

fn lower<'a>(words: &[&str]) -> Vec<Word<'a>> {
    let lowered = words.iter().map(|word| Cow::Owned(word.to_lowercase()));
    lowered.enumerate().collect()
}

/// The number of runs of pairs that advance by one on both sides.
fn chunks(pairs: &[(usize, usize)]) -> usize {
    let breaks = pairs.windows(2).filter(|two| {
        let [(a, x), (b, y)] = two else { return false };
        (a + 1, x + 1) != (*b, *y)
    });
    1 + breaks.count()
}

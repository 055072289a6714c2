//! From questions to rewards: room, decoding, looks, arithmetic.

use super::app::{App, Ready};
use super::known::KnownItems;
use super::lane::{Key, Ticket};
use super::pool::{Pool, here};
use super::question::{Question, Sight};
use super::refusal::Refusal;
use crate::grade::reward::{Fault, Scored, WHOLE};
use crate::record::Evidence;
use crate::reward::{Eye, OpenReward, Seen};
use futures_util::future::{join_all, try_join_all};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// So many outputs are scored by the connection's own thread: handing them over would cost more.
const FEW: usize = 8;

/// What one output is worth.
pub(super) struct Worth {
    /// One for each reward that was asked for, in order.
    pub scored: Vec<Scored>,
    /// What the observers of these rewards saw.
    pub evidence: Vec<Evidence>,
}

/// One output on its way.
struct Asked {
    rewards: Vec<Arc<OpenReward>>,
    group: Option<String>,
    sight: Result<Arc<Sight>, Fault>,
    /// What the look of each observer depends on.
    keys: BTreeMap<usize, Key>,
    /// What each observer saw.
    seen: BTreeMap<usize, Result<Arc<Seen>, Fault>>,
}

/// The rewards of all questions of a request, in order.
///
/// # Errors
/// Refuses when there is no room until the deadline, or when nothing was looked at before it.
pub(super) async fn worth(
    app: &Arc<App>,
    questions: Vec<Question>,
    deadline: Instant,
) -> Result<Vec<Worth>, Refusal> {
    let ready = app.ready()?;
    let pictures = questions.iter().filter(|question| question.decoded() > 0);
    let bytes: u64 = questions.iter().map(Question::decoded).sum();
    let _room = app.room.pictures(pictures.count(), bytes, deadline).await?;
    let mut asked = decode(app, ready, questions, deadline).await?;
    let looked = look(ready, &mut asked, deadline).await;
    if looked.late > 0 && looked.done == 0 {
        return Err(Refusal::timeout());
    }
    if asked.len() <= FEW {
        return here(|| score(app, ready, asked));
    }
    let again = app.clone();
    let scored = app.pool.run_at_once(move || {
        let ready = again.ready()?;
        Ok(score(&again, ready, asked))
    });
    scored.await?
}

/// Decodes the pictures, in as many parts as there are threads for it.
async fn decode(
    app: &Arc<App>,
    ready: &Ready,
    questions: Vec<Question>,
    deadline: Instant,
) -> Result<Vec<Asked>, Refusal> {
    let part = questions.len().div_ceil(Pool::threads()).max(1);
    let mut parts: Vec<Vec<(usize, Question)>> = Vec::new();
    for (number, question) in questions.into_iter().enumerate() {
        if number % part == 0 {
            parts.push(Vec::with_capacity(part));
        }
        if let Some(last) = parts.last_mut() {
            last.push((number, question));
        }
    }
    let decoded = parts.into_iter().map(|part| {
        let bytes: u64 = part.iter().map(|(_, question)| question.bytes()).sum();
        let eyes = ready.scorer.eyes().to_vec();
        let app = app.clone();
        async move {
            let known = app.clone();
            let work = move || {
                let asked = part.into_iter();
                asked
                    .map(|(number, question)| Asked::new(question, number, &known.known, &eyes))
                    .collect::<Vec<_>>()
            };
            app.pool.run(bytes, deadline, work).await
        }
    });
    Ok(try_join_all(decoded).await?.into_iter().flatten().collect())
}

/// How the looks of a request went.
#[derive(Default)]
struct Looked {
    done: usize,
    late: usize,
}

/// Puts all looks into the queue, and waits for them until the deadline.
async fn look(ready: &Ready, asked: &mut [Asked], deadline: Instant) -> Looked {
    let group = ready.looks.group();
    let mut waiting = Vec::new();
    for (number, one) in asked.iter_mut().enumerate() {
        let Ok(sight) = &one.sight else { continue };
        for (eye, key) in &one.keys {
            match ready
                .looks
                .ask(*eye, *key, sight, deadline.into_std(), group)
            {
                Ok(ticket) => waiting.push(wait(number, *eye, ticket, deadline)),
                Err(fault) => {
                    one.seen.insert(*eye, Err(fault));
                }
            }
        }
    }
    let mut looked = Looked::default();
    for (number, eye, seen) in join_all(waiting).await {
        let seen = match seen {
            Some(seen) => {
                looked.done += 1;
                seen
            }
            None => {
                looked.late += 1;
                let why = "there was no look before the deadline of the request";
                Arc::new(Seen::nothing(Seen::failed("timeout", why)))
            }
        };
        asked[number].seen.insert(eye, Ok(seen));
    }
    looked
}

/// A look, or `None` at the deadline.
async fn wait(
    number: usize,
    eye: usize,
    mut ticket: Ticket,
    deadline: Instant,
) -> (usize, usize, Option<Arc<Seen>>) {
    let seen = timeout_at(deadline, ticket.seen()).await;
    let ended = || {
        let why = "the observer has ended";
        Arc::new(Seen::nothing(Seen::failed("observer", why)))
    };
    let seen = seen.ok().map(|seen| seen.unwrap_or_else(ended));
    (number, eye, seen)
}

/// The arithmetic, group by group where there are groups.
fn score(app: &App, ready: &Ready, asked: Vec<Asked>) -> Vec<Worth> {
    let mut all: Vec<Worth> = asked.iter().map(|one| one.worth(ready)).collect();
    // Rewards are the same if they have the same fingerprint; an output without a group is one of its own.
    let mut groups: BTreeMap<(String, String), Vec<(usize, usize)>> = BTreeMap::new();
    for (number, one) in asked.iter().enumerate() {
        for (place, open) in one.rewards.iter().enumerate() {
            let group = match &one.group {
                Some(group) => format!("group {group}"),
                None => format!("output {number}"),
            };
            let key = (open.reward.fingerprint(), group);
            groups.entry(key).or_default().push((number, place));
        }
    }
    for members in groups.into_values() {
        let taken = members
            .iter()
            .map(|(number, place)| std::mem::take(&mut all[*number].scored[*place]));
        let mut scored: Vec<Scored> = taken.collect();
        let (number, place) = members[0];
        asked[number].rewards[place].reward.settle(&mut scored);
        for ((number, place), scored) in members.into_iter().zip(scored) {
            all[number].scored[place] = scored;
        }
    }
    for (one, worth) in asked.iter().zip(&all) {
        for (open, scored) in one.rewards.iter().zip(&worth.scored) {
            let known = ready
                .scorer
                .rewards()
                .iter()
                .any(|known| Arc::ptr_eq(known, open));
            app.metrics.scored(open, known, scored);
        }
    }
    all
}

impl Asked {
    /// Decodes the picture of an output, and finds out what its looks depend on.
    fn new(mut question: Question, number: usize, known: &KnownItems, eyes: &[Arc<Eye>]) -> Self {
        let rewards = std::mem::take(&mut question.rewards);
        let group = question.group.take();
        let needed = rewards.iter().flat_map(|open| open.eyes.iter().copied());
        let needed: BTreeSet<usize> = needed.collect();
        let in_file = needed.iter().any(|eye| eyes[*eye].needs_file());
        let sight = question.sight(known, number, in_file);
        let (mut keys, mut seen) = (BTreeMap::new(), BTreeMap::new());
        // Nobody looks at an output that is not there.
        if let Some(sight) = sight.as_ref().ok().filter(|sight| sight.is_there()) {
            for eye in needed {
                match sight.key(&eyes[eye]) {
                    Ok(key) => {
                        keys.insert(eye, key);
                    }
                    Err(fault) => {
                        seen.insert(eye, Err(fault));
                    }
                }
            }
        }
        Self {
            rewards,
            group,
            sight: sight.map(Arc::new),
            keys,
            seen,
        }
    }

    fn worth(&self, ready: &Ready) -> Worth {
        let sight = match &self.sight {
            Ok(sight) => sight,
            Err(fault) => {
                let scored = self.rewards.iter().map(|_| failed(fault.clone()));
                return Worth {
                    scored: scored.collect(),
                    evidence: Vec::new(),
                };
            }
        };
        let eyes = ready.scorer.eyes();
        let scored = self.rewards.iter().map(|open| {
            let mut evidence = Vec::with_capacity(open.eyes.len());
            for eye in &open.eyes {
                match self.seen.get(eye) {
                    Some(Ok(seen)) => evidence.push(seen.record(eyes[*eye].name(), &sight.output)),
                    Some(Err(fault)) => return failed(fault.clone()),
                    None => {}
                }
            }
            open.reward.score(&sight.item, &sight.output, &evidence)
        });
        Worth {
            scored: scored.collect(),
            evidence: self.evidence(ready, sight),
        }
    }

    fn evidence(&self, ready: &Ready, sight: &Sight) -> Vec<Evidence> {
        let seen = self
            .seen
            .iter()
            .filter_map(|(eye, seen)| Some((eye, seen.as_ref().ok()?)));
        seen.map(|(eye, seen)| seen.record(ready.scorer.eyes()[*eye].name(), &sight.output))
            .collect()
    }
}

/// An output that has no reward.
fn failed(fault: Fault) -> Scored {
    Scored {
        errors: BTreeMap::from([(WHOLE.to_owned(), fault)]),
        ..Scored::default()
    }
}

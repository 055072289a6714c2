//! Steps with given codes and rewards beside those of torch. tests/golden/grpo_step/make_grpo_step.py says
//! what the numbers are.

use super::super::network;
use super::super::prompts::Wish;
use super::super::rollout::Group;
use super::super::settings::GrpoSettings;
use super::{Chosen, Round, Update};
use crate::model::weights::{Files, Variables};
use crate::model::xomni::{XOmniAr, XOmniConfig};
use crate::train::TrainError;
use crate::train::optimizer::{AdamW, Moved, OptimizerSection};
use crate::train::scores::Scored;
use crate::train::sources::files;
use crate::train::task::{Loss, Numbers};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `case.json`.
#[derive(Deserialize)]
struct Case {
    /// How many values of a tensor are known.
    values: usize,
    tolerance: Tolerance,
    trainings: Vec<Training>,
}

/// How far numbers may be from those of torch.
#[derive(Deserialize)]
struct Tolerance {
    /// Of the number, and as much of 0.01.
    number: f64,
    /// Of log p and of a ratio.
    score: f64,
    /// Of the largest value of a tensor.
    gradient: f64,
    /// Of the weight, and what the tolerance of the gradient makes of it.
    weight: f64,
}

#[derive(Deserialize)]
struct Training {
    name: String,
    definition: Definition,
    rounds: Vec<Vec<Given>>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Definition {
    steps: u64,
    optimizer: OptimizerSection,
    settings: GrpoSettings,
}

/// The drawings of a prompt.
#[derive(Deserialize)]
struct Given {
    prompt: Vec<u32>,
    codes: Vec<Vec<u32>>,
    rewards: Vec<Option<f64>>,
}

/// What torch says of a step.
#[derive(Deserialize)]
struct Step {
    numbers: BTreeMap<String, f64>,
    /// The length of the gradient after it is clipped.
    clipped: f64,
    /// The drawings that count, in the order of the tensors: group, member, advantage.
    chosen: Vec<(usize, usize, f64)>,
    /// The length and the largest value of the gradient of each weight.
    gradients: BTreeMap<String, (f64, f64)>,
}

type Tensors = BTreeMap<String, Tensor>;

fn golden(path: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(path)
}

fn stored(path: &str) -> Tensors {
    let tensors = candle_core::safetensors::load(golden(path), &Device::Cpu).unwrap();
    tensors.into_iter().collect()
}

const CHECKPOINT: &str = "parity/xomni_ar/checkpoint";

/// The weights of the policy: the checkpoint's, with other values in four tensors.
fn variables() -> Arc<Variables> {
    let mut tensors = stored(&format!("{CHECKPOINT}/model.safetensors"));
    let others = stored("grpo_step/policy.safetensors");
    assert_eq!(others.len(), 4);
    for (name, tensor) in others {
        assert!(tensors.insert(name, tensor).is_some());
    }
    let made = Arc::new(Files::made(Path::new("the policy"), tensors));
    let base = vec![(String::new(), made)];
    Variables::from_base(0, Device::Cpu, base, vec!["*".into()])
}

/// Drawings as a step makes them, with the codes and rewards that are given.
fn drawn(update: &Update<'_>, first: u64, given: &[Given]) -> Result<Round, TrainError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut scored: Vec<Vec<Scored>> = Vec::new();
    for given in given {
        assert_eq!(given.codes.len(), update.settings.group);
        assert_eq!(given.rewards.len(), update.settings.group);
        groups.push(Group {
            wish: Wish::Sign(0),
            prompt: given.prompt.clone(),
            codes: given.codes.clone(),
            pictures: Vec::new(),
        });
        let rewards = given.rewards.iter().map(|reward| Scored {
            reward: *reward,
            ..Scored::default()
        });
        scored.push(rewards.collect());
    }
    let weighed = update.weighed(first, &scored, false)?;
    Ok(Round {
        first,
        chosen: update.choose(&groups, &weighed)?,
        numbers: Numbers::new(),
    })
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The length of a vector, in f64.
fn length(values: &[f32]) -> f64 {
    let squares = values.iter().map(|value| f64::from(*value).powi(2));
    squares.sum::<f64>().sqrt()
}

fn assert_near(what: &str, got: &[f32], want: &[f32], bound: impl Fn(usize, f64) -> f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        let (got, want) = (f64::from(*got), f64::from(*want));
        let (off, bound) = ((got - want).abs(), bound(at, want));
        assert!(
            off <= bound,
            "{what}, value {at}: {got} is {off:e} from {want}, and {bound:e} is allowed"
        );
    }
}

/// A step beside what torch says of it.
struct Beside<'a> {
    case: &'a Case,
    /// The name of the training and the number of the step.
    place: String,
    want: &'a Step,
    /// The tensors that were not compared yet.
    expected: &'a mut Tensors,
}

impl Beside<'_> {
    fn expected(&mut self, part: &str) -> Vec<f32> {
        let name = format!("{}.{part}", self.place);
        let tensor = self.expected.remove(&name);
        floats(&tensor.unwrap_or_else(|| panic!("{name} is not there")))
    }

    /// The values of a tensor that are known.
    fn shown(&self, tensor: &[f32]) -> Vec<f32> {
        let count = tensor.len().min(self.case.values);
        let places = (0..count).map(|number| number * tensor.len() / count);
        places.map(|place| tensor[place]).collect()
    }

    fn assert_number(&self, name: &str, got: f64, want: f64) {
        let bound = self.case.tolerance.number * (want.abs() + 0.01);
        assert!(
            (got - want).abs() <= bound,
            "{} {name}: {got} and {want}",
            self.place
        );
    }

    /// The drawings that count, their advantages, and what the networks say of them.
    fn drawings(&mut self, update: &Update<'_>, chosen: &Chosen, round: &[Given]) {
        let alike = chosen.alike.iter();
        let codes = alike.flat_map(|alike| alike.codes.to_vec2::<u32>().unwrap());
        let codes: Vec<Vec<u32>> = codes.collect();
        let wanted = self.want.chosen.iter();
        let wanted = wanted.map(|(group, member, _)| round[*group].codes[*member].clone());
        assert_eq!(codes, wanted.collect::<Vec<_>>(), "{}", self.place);
        let advantages = &chosen.advantages;
        assert_eq!(advantages.kept, vec![true; codes.len()]);
        assert_eq!(advantages.values.len(), self.want.chosen.len());
        for (got, (_, _, want)) in advantages.values.iter().zip(&self.want.chosen) {
            assert!((got - want).abs() < 1e-12, "{}: {got} {want}", self.place);
        }
        let own = update.log_p(update.model, &chosen.alike).unwrap().0;
        let ratio = (&own - chosen.old.as_ref().unwrap()).unwrap();
        let bound = self.case.tolerance.score;
        for (part, got) in [
            ("log_p", own),
            ("reference", chosen.reference.clone()),
            ("ratio", ratio.exp().unwrap()),
        ] {
            let what = format!("{} {part}", self.place);
            assert_near(&what, &floats(&got), &self.expected(part), |_, _| bound);
        }
    }

    /// The gradient of every weight. Returns what is known of it.
    fn gradients(
        &mut self,
        grads: &GradStore,
        vars: &BTreeMap<String, Var>,
    ) -> BTreeMap<String, Vec<f32>> {
        let want = self.want;
        assert!(vars.keys().eq(want.gradients.keys()), "{:?}", vars.keys());
        let mut known = BTreeMap::new();
        for (name, (long, largest)) in &want.gradients {
            let var = &vars[name];
            let got = match grads.get(var) {
                Some(grad) => floats(grad),
                None => vec![0.0; var.elem_count()],
            };
            let what = format!("{} gradient of {name}", self.place);
            assert_eq!(got.len(), var.elem_count(), "{what}");
            let tolerance = self.case.tolerance.gradient;
            let own = length(&got);
            assert!(
                (own - long).abs() <= tolerance * long,
                "{what}: its length is {own}, not {long}"
            );
            let wanted = self.expected(&format!("gradient.{name}"));
            assert_near(&what, &self.shown(&got), &wanted, |_, _| {
                tolerance * largest
            });
            known.insert(name.clone(), wanted);
        }
        known
    }

    /// The numbers that the step leaves in the curve.
    fn numbers(&self, loss: &Loss, moved: Moved) {
        let mut numbers: BTreeMap<String, f64> = loss.numbers().unwrap().into_iter().collect();
        numbers.insert("gradient".into(), moved.gradient);
        numbers.insert("learning_rate".into(), moved.learning_rate);
        let want = &self.want.numbers;
        assert!(numbers.keys().eq(want.keys()), "{:?}", numbers.keys());
        for (name, want) in want {
            self.assert_number(name, numbers[name], *want);
        }
    }

    /// The weights after the step.
    fn weights(&mut self, vars: &BTreeMap<String, Var>, allowed: &Allowed) {
        for (name, var) in vars {
            let what = format!("{} weight {name}", self.place);
            let wanted = self.expected(&format!("weight.{name}"));
            let (relative, moves) = (self.case.tolerance.weight, &allowed.moves[name]);
            assert_eq!(moves.len(), wanted.len(), "{what}");
            let bound = |at: usize, want: f64| moves[at] + relative * want.abs();
            assert_near(&what, &self.shown(&floats(var)), &wanted, bound);
        }
    }
}

/// How far weights may be since the first step. A step moves a weight by the learning rate times g / |g|, so
/// what a gradient may be off counts beside its size: the root of the mean square of this step's and earlier
/// ones. Where there was no gradient, nothing moves.
#[derive(Default)]
struct Allowed {
    /// Of each tensor, by place, the sum of the squares of the gradients so far.
    squares: BTreeMap<String, Vec<f64>>,
    moves: BTreeMap<String, Vec<f64>>,
}

impl Allowed {
    fn add(
        &mut self,
        step: u64,
        want: &Step,
        known: &BTreeMap<String, Vec<f32>>,
        tolerance: &Tolerance,
    ) {
        for (name, gradient) in known {
            let none = || vec![0.0; gradient.len()];
            let squares = self.squares.entry(name.clone()).or_insert_with(none);
            let moves = self.moves.entry(name.clone()).or_insert_with(none);
            let off = 3.0 * tolerance.gradient * want.gradients[name].1;
            for (at, value) in gradient.iter().enumerate() {
                squares[at] += f64::from(*value).powi(2);
                if squares[at] > 0.0 {
                    let size = (squares[at] / step as f64).sqrt();
                    moves[at] += want.numbers["learning_rate"] * (off / size).min(2.0);
                }
            }
        }
    }
}

/// The length of the optimizer's first moments.
fn first_moments(optimizer: &AdamW) -> f64 {
    let state = optimizer.state().unwrap();
    let moments = state
        .iter()
        .filter(|(name, _)| name.starts_with("adam_first/"));
    let lengths: Vec<f64> = moments.map(|(_, moment)| length(&floats(moment))).collect();
    assert_eq!(4 * lengths.len(), state.len());
    lengths
        .iter()
        .map(|length| length.powi(2))
        .sum::<f64>()
        .sqrt()
}

fn check(training: &Training, case: &Case, expected: &mut Tensors) {
    let folder = golden(CHECKPOINT);
    let config = XOmniConfig::read(&folder).unwrap();
    let reference = network(&config, &files(&folder).unwrap(), &Device::Cpu).unwrap();
    let variables = variables();
    let model = XOmniAr::new(&config, &variables.weights()).unwrap();
    let vars = variables.by_name();
    let Definition {
        steps,
        optimizer: section,
        settings,
    } = &training.definition;
    settings.check().unwrap();
    let update = Update {
        settings,
        model: &model,
        reference: &reference,
        device: &Device::Cpu,
    };
    let mut optimizer = AdamW::new(section, *steps, vars.clone()).unwrap();
    assert_eq!(training.steps.len(), 2);
    assert_eq!(training.rounds.len() as u64 * settings.inner, 2);
    let (mut kept, mut allowed) = (None, Allowed::default());
    for (step, want) in (1_u64..).zip(&training.steps) {
        let round = &training.rounds[((step - 1) / settings.inner) as usize];
        let loss = update
            .loss(step, &mut kept, |first| drawn(&update, first, round))
            .unwrap();
        let mut beside = Beside {
            case,
            place: format!("{}.{step}", training.name),
            want,
            expected: &mut *expected,
        };
        let chosen = kept.as_ref().and_then(|round| round.chosen.as_ref());
        beside.drawings(&update, chosen.unwrap(), round);
        let grads = loss.total.backward().unwrap();
        let known = beside.gradients(&grads, &vars);
        allowed.add(step, want, &known, &case.tolerance);
        let moved = optimizer.step(step, &grads).unwrap();
        if step == 1 {
            let clipped = first_moments(&optimizer) / (1.0 - section.betas[0]);
            beside.assert_number("clipped", clipped, want.clipped);
        }
        beside.numbers(&loss, moved);
        beside.weights(&vars, &allowed);
    }
}

#[test]
fn steps_with_given_codes_and_rewards_are_those_of_torch() {
    let text = std::fs::read(golden("grpo_step/case.json")).unwrap();
    let case: Case = serde_json::from_slice(&text).unwrap();
    let mut expected = stored("grpo_step/expected.safetensors");
    let names = case.trainings.iter().map(|training| &training.name);
    assert_eq!(names.collect::<Vec<_>>(), ["once", "twice"]);
    for training in &case.trainings {
        check(training, &case, &mut expected);
    }
    let left: Vec<&String> = expected.keys().collect();
    assert!(left.is_empty(), "not compared: {left:?}");
}

//! Linear probes of how much the patch tokens of an encoder say about their cells, by ridge regression onto
//! classes. Alain and Bengio, arXiv 1610.01644, probe in the same way with a classifier.

use super::TrainError;
use super::samples::{CHECKS, Content, stream};
use super::task::Numbers;
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::thing::{Cell, Color, Shape};
use crate::world::{GRID, draw};
use candle_core::Tensor;
use image::RgbImage;
use nalgebra::DMatrix;

/// How many scenes a probe is fitted on, and how many it is asked about.
const FITTED: usize = 384;
const ASKED: usize = 192;
/// How many scenes a second probe is fitted on. With many scenes, a probe reads everything from the tokens
/// even of an untrained network, since each token belongs to one cell. With few scenes, it finds only what is
/// easy to read.
const FEW: usize = 16;
/// How many pictures are encoded at a time.
const BATCH: usize = 64;
/// What is added to the diagonal, as a share of its mean.
const RIDGE: f64 = 1e-4;
/// The streams of checks that the scenes come from.
const STREAM: u64 = 7;

/// What is asked of a token: a name, how many answers there are, and the right one for a cell.
struct Question {
    name: &'static str,
    classes: usize,
    answer: fn(&Scene, Cell) -> usize,
}

/// Three questions: the shape of the thing in the token's cell, or nothing; its colour, or nothing; and which
/// cell it is.
const QUESTIONS: [Question; 3] = [
    Question {
        name: "probe_shape",
        classes: 1 + Shape::ALL.len(),
        answer: |scene, cell| {
            let thing = scene.things.iter().find(|thing| thing.cell == cell);
            thing.map_or(0, |thing| 1 + thing.shape as usize)
        },
    },
    Question {
        name: "probe_color",
        classes: 1 + Color::ALL.len(),
        answer: |scene, cell| {
            let thing = scene.things.iter().find(|thing| thing.cell == cell);
            thing.map_or(0, |thing| 1 + thing.color as usize)
        },
    },
    Question {
        name: "probe_cell",
        classes: GRID * GRID,
        answer: |_, cell| usize::from(cell.row) * GRID + usize::from(cell.column),
    },
];

/// Shares of tokens of unseen scenes whose class a linear probe names: the mean over classes, so that chance
/// is one over their number. A name that ends in `_few` is of a probe that was fitted on few scenes. `tokens`
/// gives the patch tokens [B, N, D] of pictures, N a square.
///
/// # Errors
/// Fails when `tokens` fails.
pub(super) fn probe(
    seed: u64,
    tokens: impl Fn(&[RgbImage]) -> Result<Tensor, TrainError>,
) -> Result<Numbers, TrainError> {
    let fitted = Seen::new(seed, 0, FITTED, &tokens)?;
    let asked = Seen::new(seed, 1, ASKED, &tokens)?;
    let few = fitted.first(FEW);
    let each = [(&fitted, ""), (&few, "_few")]
        .into_iter()
        .flat_map(|(fitted, end)| {
            QUESTIONS.iter().map({
                let asked = &asked;
                move |question| {
                    let weights = fitted.fit(question);
                    let share = weights.map_or(0.0, |weights| asked.right(question, &weights));
                    (format!("{}{end}", question.name), share)
                }
            })
        });
    Ok(each.collect())
}

/// The tokens of scenes, one in each row, with a 1 at its end.
struct Seen {
    rows: DMatrix<f64>,
    scenes: Vec<Scene>,
}

impl Seen {
    fn new(
        seed: u64,
        number: u64,
        count: usize,
        tokens: impl Fn(&[RgbImage]) -> Result<Tensor, TrainError>,
    ) -> Result<Self, TrainError> {
        let mut random = Random::new(seed, stream(CHECKS, STREAM + number));
        let mut scenes = Vec::with_capacity(count);
        while scenes.len() < count {
            if let Content::Scene(scene) = Content::sampled(&mut random) {
                scenes.push(scene);
            }
        }
        let (mut values, mut width): (Vec<f32>, usize) = (Vec::new(), 0);
        for scenes in scenes.chunks(BATCH) {
            let pictures: Vec<RgbImage> = scenes.iter().map(draw::scene).collect();
            let tokens = tokens(&pictures)?;
            width = tokens.dim(2)?;
            values.extend(tokens.flatten_all()?.to_vec1::<f32>()?);
        }
        let count = values.len() / width.max(1);
        let at = |row: usize, column: usize| values.get(row * width + column).copied();
        let rows = DMatrix::from_fn(count, width + 1, |row, column| {
            if column == width {
                1.0
            } else {
                at(row, column).map_or(0.0, f64::from)
            }
        });
        Ok(Self { rows, scenes })
    }

    /// Only the first of the scenes.
    fn first(&self, count: usize) -> Self {
        let each = self.rows.nrows() / self.scenes.len().max(1);
        let count = count.min(self.scenes.len());
        Self {
            rows: self.rows.rows(0, count * each).into_owned(),
            scenes: self.scenes.iter().take(count).cloned().collect(),
        }
    }

    /// The right answers, token by token.
    fn answers(&self, question: &Question) -> Vec<usize> {
        let each = self.rows.nrows() / self.scenes.len().max(1);
        let side = each.isqrt().max(1);
        let place = |at: usize| (at * GRID / side) as u8;
        let answers = self.scenes.iter().flat_map(|scene| {
            (0..each).map(move |token| {
                let (row, column) = (place(token / side), place(token % side));
                (question.answer)(scene, Cell { row, column })
            })
        });
        answers.collect()
    }

    /// The weights [D + 1, classes] of least squared error against 1 for the right class and 0 for the
    /// others, each class counting as much as another. `None` if the tokens are not finite numbers.
    fn fit(&self, question: &Question) -> Option<DMatrix<f64>> {
        let answers = self.answers(question);
        let counts = counts(question, answers.iter().copied());
        let mut weighted = self.rows.clone();
        for (mut row, answer) in weighted.row_iter_mut().zip(&answers) {
            row /= counts[*answer] as f64;
        }
        let targets = DMatrix::from_fn(answers.len(), question.classes, |row, class| {
            f64::from(u8::from(answers[row] == class))
        });
        let mut gram = weighted.tr_mul(&self.rows);
        let ridge = RIDGE * gram.trace() / gram.nrows() as f64;
        for at in 0..gram.nrows() {
            gram[(at, at)] += ridge;
        }
        let solved = gram.cholesky()?.solve(&weighted.tr_mul(&targets));
        Some(solved)
    }

    /// The share of right answers of a class, on average over the classes that there are.
    fn right(&self, question: &Question, weights: &DMatrix<f64>) -> f64 {
        let scores = &self.rows * weights;
        let answers = self.answers(question);
        let right = scores.row_iter().zip(&answers).filter(|(scores, answer)| {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.is_some_and(|(class, _)| class == **answer)
        });
        let right = counts(question, right.map(|(_, answer)| *answer));
        let all = counts(question, answers.iter().copied());
        let shares = right.iter().zip(&all).filter(|(_, all)| **all > 0);
        let shares: Vec<f64> = shares
            .map(|(right, all)| *right as f64 / *all as f64)
            .collect();
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }
}

fn counts(question: &Question, answers: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut counts = vec![0; question.classes];
    for answer in answers {
        counts[answer] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::samples;
    use candle_core::Device;

    fn shares(tokens: impl Fn(&[RgbImage]) -> Result<Tensor, TrainError>) -> [f64; 3] {
        let numbers = probe(1, tokens).unwrap();
        let names: Vec<&str> = numbers.iter().map(|(name, _)| name.as_str()).collect();
        let few = ["probe_shape_few", "probe_color_few", "probe_cell_few"];
        let many = ["probe_shape", "probe_color", "probe_cell"];
        assert_eq!(names, [many, few].concat());
        // A probe of fewer scenes finds less, or as much.
        for (many, few) in numbers[..3].iter().zip(&numbers[3..]) {
            assert!(few.1 <= many.1 + 0.05, "{numbers:?}");
        }
        std::array::from_fn(|at| numbers[at].1)
    }

    /// A token has everything about its own cell, nothing, or only where it is.
    #[test]
    fn a_probe_finds_what_tokens_say_and_nothing_else() {
        let pixels = shares(|pictures| {
            let pixels = samples::batch(pictures, &Device::Cpu)?;
            let count = pictures.len();
            // The 8 × 8 pixels of each cell.
            let cells = pixels.reshape(vec![count, 3, GRID, 8, GRID, 8])?;
            let cells = cells.permute(vec![0, 2, 4, 1, 3, 5])?;
            Ok(cells.reshape((count, GRID * GRID, 3 * 8 * 8))?)
        });
        assert!(pixels[1] > 0.95, "{pixels:?}");
        assert!(pixels[2] < 0.1, "{pixels:?}");
        let constant = shares(|pictures| {
            let shape = (pictures.len(), GRID * GRID, 2);
            Ok(Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu)?)
        });
        let chance = [1.0 / 4.0, 1.0 / 7.0, 1.0 / 16.0];
        for (got, chance) in constant.iter().zip(chance) {
            assert!((got - chance).abs() < 1e-9, "{constant:?}");
        }
        let places = shares(|pictures| {
            let one = Tensor::eye(GRID * GRID, candle_core::DType::F32, &Device::Cpu)?;
            Ok(one.unsqueeze(0)?.repeat((pictures.len(), 1, 1))?)
        });
        assert_eq!(places[2], 1.0);
        assert!(places[0] < 0.4 && places[1] < 0.3, "{places:?}");
    }
}

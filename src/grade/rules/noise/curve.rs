//! The curves of a run over the levels, for each kind of noise.

use crate::grade::rule::Board;
use crate::record::{Grade, Item};
use crate::stats::ladder::{Cell, Half, Ladder, interval};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The seed of the resampling.
pub(super) const SEED: u64 = 20_260_130;

/// The results by kind of noise.
pub(super) struct Curves(pub(super) BTreeMap<String, Curve>);

/// The results of one kind.
pub(super) struct Curve {
    /// The ids of the sources, in the order of the ladders.
    pub sources: Vec<String>,
    pub recognised: Ladder,
    gain: Ladder,
    /// The score by chance.
    pub chance: f64,
}

/// Where an output is: its source and its level, and what is known of it.
struct Row<'a> {
    source: &'a str,
    level: f64,
    chance: f64,
    grade: &'a Grade,
}

impl Curves {
    /// The curves of all graded outputs that have a level.
    pub(super) fn of(board: &Board<'_>) -> Self {
        let items: HashMap<&str, &Item> = board
            .items
            .iter()
            .map(|item| (item.item.as_str(), item))
            .collect();
        let mut kinds: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
        for grade in board.grades {
            let Some(item) = items.get(grade.item.as_str()) else {
                continue;
            };
            let expect = &item.expect;
            let level = expect.get("level").and_then(Value::as_f64);
            let (Some(level), Some(source)) = (level, text(item, "source")) else {
                continue;
            };
            let options = expect.get("options").and_then(Value::as_array);
            let kind = text(item, "noise").unwrap_or_default();
            kinds.entry(kind.to_owned()).or_default().push(Row {
                source,
                level,
                chance: options.map_or(0.0, |options| 1.0 / options.len().max(1) as f64),
                grade,
            });
        }
        let curves = kinds.into_iter();
        Self(
            curves
                .map(|(kind, rows)| (kind, Curve::of(&rows)))
                .collect(),
        )
    }

    /// The metrics of the rule.
    pub(super) fn metrics(&self) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        for (kind, curve) in &self.0 {
            let ending = if self.0.len() > 1 {
                format!("_{kind}")
            } else {
                String::new()
            };
            curve.add_metrics(&ending, &mut metrics);
        }
        metrics
    }
}

fn text<'a>(item: &'a Item, key: &str) -> Option<&'a str> {
    item.expect.get(key).and_then(Value::as_str)
}

impl Curve {
    fn of(rows: &[Row<'_>]) -> Self {
        let mut levels: Vec<f64> = rows.iter().map(|row| row.level).collect();
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let (mut recognised, mut gain, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let place = *places.entry(row.source).or_insert_with(|| {
                recognised.push(vec![Cell::default(); levels.len()]);
                gain.push(vec![Cell::default(); levels.len()]);
                sources.push(row.source.to_owned());
                recognised.len() - 1
            });
            let level = levels.partition_point(|level| *level < row.level);
            add(&mut recognised[place][level], row.grade.score);
            add(
                &mut gain[place][level],
                row.grade.parts.get("gain").copied(),
            );
        }
        let chances = rows.iter().map(|row| row.chance).sum::<f64>();
        let ladder = |cells| Ladder {
            levels: levels.clone(),
            sources: cells,
        };
        Self {
            sources,
            recognised: ladder(recognised),
            gain: ladder(gain),
            chance: chances / rows.len().max(1) as f64,
        }
    }

    /// The highest level. 0 without levels.
    pub(super) fn highest(&self) -> f64 {
        self.recognised.levels.last().copied().unwrap_or_default()
    }

    fn add_metrics(&self, ending: &str, metrics: &mut BTreeMap<String, f64>) {
        let mut put = |name: &str, value: Option<f64>| {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                metrics.insert(format!("{name}{ending}"), value);
            }
        };
        let (half, ends) = self.recognised.half(self.chance, SEED);
        if half != Half::Undefined {
            put("t_half", half.number());
            put("t_half_low", ends.map(|ends| ends[0]));
            put("t_half_high", ends.map(|ends| ends[1]));
            let reached = f64::from(u8::from(half != Half::Beyond));
            put("t_half_reached", Some(reached));
        }
        let sources = self.gain.sources.len();
        let crossed = self.gain.zero_of(0..sources);
        if crossed.is_some() {
            let ends = interval(sources, SEED, |drawn| {
                self.gain.zero_of(drawn.iter().copied())
            });
            put("t_gain", crossed);
            put("t_gain_low", ends.map(|ends| ends[0]));
            put("t_gain_high", ends.map(|ends| ends[1]));
        }
    }
}

fn add(cell: &mut Cell, value: Option<f64>) {
    if let Some(value) = value {
        cell.sum += value;
        cell.count += 1.0;
    }
}

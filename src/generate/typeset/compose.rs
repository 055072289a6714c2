//! The place of each line: the arrangements, and the largest size at which all text fits.

use super::random::SplitMix64;
use super::settings::{Arrangement, Auto, Size, TypesetSettings};
use super::shape::{Line, Paragraph};

/// The smallest font size that `auto` chooses, in pixels.
const LEGIBLE: f32 = 10.0;
/// The smallest font size that is drawn, in pixels.
const SMALLEST: f32 = 4.0;
/// The distance between base lines, in multiples of the font size.
const LEADING: f32 = 1.35;
/// The distance from the top of a line to its base line, in multiples of the font size.
const BASELINE: f32 = 1.02;

/// Everything that is drawn on a page. All lengths are in pixels.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The lines with their places.
    pub lines: Vec<Placed>,
    /// The rectangles behind texts.
    pub boards: Vec<Board>,
    /// The number of lines that are left out, because they lie below their area.
    pub clipped: usize,
    /// Whether words were broken or lines were cut.
    pub forced: bool,
}

/// A line with its place.
#[derive(Debug)]
pub(super) struct Placed {
    /// The number of its text.
    pub text: usize,
    /// The number of its paragraph in the text.
    pub paragraph: usize,
    /// The glyphs.
    pub line: Line,
    /// The font size, in pixels.
    pub size: f32,
    /// The left end, in pixels.
    pub x: f32,
    /// The base line, in pixels from the top.
    pub baseline: f32,
    /// Whether it has the colour of the paper, on a filled board.
    pub inverted: bool,
}

/// A rectangle behind a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Board {
    /// The place of the rectangle.
    pub area: Area,
    /// The thickness of the frame, in pixels. `None` means a filled rectangle.
    pub frame: Option<f32>,
}

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    /// Left end.
    pub x: f32,
    /// Top end.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

/// The paragraphs of a shaped text.
pub(super) type Text = Vec<Paragraph>;

/// Arranges the texts on a page.
pub(super) fn compose(texts: &[Text], settings: &TypesetSettings, seed: u64) -> Plan {
    let margin = settings.margin as f32;
    let page = Area {
        x: margin,
        y: margin,
        width: settings.width as f32 - 2.0 * margin,
        height: settings.height as f32 - 2.0 * margin,
    };
    let mut plan = Plan::default();
    let cap = (settings.height as f32 / 8.0).max(LEGIBLE);
    let sizing = Sizing { settings, cap };
    match settings.layout {
        Arrangement::Page => {
            let size = sizing.choose(
                texts,
                &mut plan,
                |_| page.width,
                |size| flow_height(texts, size, page.width) <= page.height,
            );
            flow(texts, 0, size, page, &mut plan);
        }
        Arrangement::Columns => columns(texts, &sizing, page, &mut plan),
        Arrangement::Sign => boards(texts, &sizing, page, &mut plan),
        Arrangement::Scattered => scatter(texts, &sizing, page, seed, &mut plan),
    }
    plan
}

/// How the font size is chosen.
struct Sizing<'a> {
    settings: &'a TypesetSettings,
    cap: f32,
}

impl Sizing<'_> {
    /// The font size of the settings, or the largest whole number of pixels at which every word fits into
    /// `width` and all text fits into the height (`fits`). It is then multiplied by `scale`.
    fn choose(
        &self,
        texts: &[Text],
        plan: &mut Plan,
        width: impl Fn(f32) -> f32,
        fits: impl Fn(f32) -> bool,
    ) -> f32 {
        let fits = |size: f32| widest(texts) * size <= width(size) && fits(size);
        let size = match self.settings.size {
            Size::Pixels(size) => size,
            Size::Auto(Auto::Auto) => largest(self.cap, fits).unwrap_or(LEGIBLE),
        };
        let size = (size * self.settings.scale).max(SMALLEST);
        plan.forced |= !fits(size);
        size
    }
}

/// The largest whole number from `LEGIBLE` to `cap` that fits. If a number fits, all smaller numbers are
/// assumed to fit.
fn largest(cap: f32, fits: impl Fn(f32) -> bool) -> Option<f32> {
    let (mut low, mut high) = (LEGIBLE as u32, cap as u32);
    if !fits(low as f32) {
        return None;
    }
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle as f32) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Some(low as f32)
}

fn widest(texts: &[Text]) -> f32 {
    let widths = texts.iter().flatten().map(Paragraph::widest);
    widths.fold(0.0, f32::max)
}

/// The height of texts that are set one below the other, with half a line between them.
fn flow_height(texts: &[Text], size: f32, width: f32) -> f32 {
    let lines: usize = texts
        .iter()
        .flatten()
        .map(|paragraph| paragraph.lines(width / size).len())
        .sum();
    let gaps = texts.len().saturating_sub(1) as f32 * 0.5;
    (lines as f32 + gaps) * LEADING * size
}

/// Sets texts one below the other, aligned at the left. `first` is the number of the first text.
fn flow(texts: &[Text], first: usize, size: f32, area: Area, plan: &mut Plan) {
    let mut y = area.y;
    for (text, paragraphs) in texts.iter().enumerate() {
        if text > 0 {
            y += 0.5 * LEADING * size;
        }
        for (paragraph, shaped) in paragraphs.iter().enumerate() {
            for line in shaped.lines(area.width / size) {
                let placed = Placed {
                    text: first + text,
                    paragraph,
                    line,
                    size,
                    x: area.x,
                    baseline: y + BASELINE * size,
                    inverted: false,
                };
                y += LEADING * size;
                plan.add_line(placed, y, area);
            }
        }
    }
}

impl Plan {
    /// Adds a line whose lower edge is at `bottom`, or counts it as clipped.
    fn add_line(&mut self, line: Placed, bottom: f32, area: Area) {
        if bottom > area.y + area.height + 0.01 {
            self.clipped += 1;
        } else {
            self.lines.push(line);
        }
    }
}

/// Two columns of nearly equal height. The second column is filled after the first.
fn columns(texts: &[Text], sizing: &Sizing<'_>, page: Area, plan: &mut Plan) {
    let gutter = (page.width * 0.06).max(16.0);
    let width = (page.width - gutter) / 2.0;
    let rows = |size: f32| -> usize {
        let lines = texts.iter().flatten();
        let lines: usize = lines.map(|shaped| shaped.lines(width / size).len()).sum();
        lines + texts.len().saturating_sub(1)
    };
    let size = sizing.choose(
        texts,
        plan,
        |_| width,
        |size| rows(size).div_ceil(2) as f32 * LEADING * size <= page.height,
    );
    let rows_first = rows(size).div_ceil(2).max(1);
    let (mut column, mut row) = (0, 0);
    for (text, paragraphs) in texts.iter().enumerate() {
        // There is an empty row between texts, but not at the top of a column.
        row += usize::from(row > 0);
        for (paragraph, shaped) in paragraphs.iter().enumerate() {
            for line in shaped.lines(width / size) {
                if column == 0 && row >= rows_first {
                    (column, row) = (1, 0);
                }
                let top = page.y + row as f32 * LEADING * size;
                let placed = Placed {
                    text,
                    paragraph,
                    line,
                    size,
                    x: page.x + column as f32 * (width + gutter),
                    baseline: top + BASELINE * size,
                    inverted: false,
                };
                plan.add_line(placed, top + LEADING * size, page);
                row += 1;
            }
        }
    }
}

/// One centred board for each text. The boards are one below the other in the middle of the page.
fn boards(texts: &[Text], sizing: &Sizing<'_>, page: Area, plan: &mut Plan) {
    // Multiples of the size.
    const PADDING: f32 = 0.5;
    const GAP: f32 = 0.45;
    let inner = |size: f32| page.width - 2.0 * PADDING * size;
    let height = |size: f32| {
        let boards = texts.iter().map(|text| {
            flow_height(std::slice::from_ref(text), size, inner(size)) + 2.0 * PADDING * size
        });
        boards.sum::<f32>() + texts.len().saturating_sub(1) as f32 * GAP * size
    };
    let size = sizing.choose(texts, plan, inner, |size| height(size) <= page.height);
    let mut y = page.y + ((page.height - height(size)) / 2.0).max(0.0);
    for (text, paragraphs) in texts.iter().enumerate() {
        let inverted = text % 2 == 0;
        let top = y;
        let (before, mut longest) = (plan.lines.len(), 0.0f32);
        y += PADDING * size;
        for (paragraph, shaped) in paragraphs.iter().enumerate() {
            for line in shaped.lines(inner(size) / size) {
                let width = line.width * size;
                longest = longest.max(width);
                let placed = Placed {
                    text,
                    paragraph,
                    line,
                    size,
                    x: page.x + (page.width - width) / 2.0,
                    baseline: y + BASELINE * size,
                    inverted,
                };
                y += LEADING * size;
                plan.add_line(placed, y + PADDING * size, page);
            }
        }
        y += PADDING * size;
        if plan.lines.len() > before {
            let width = longest + 2.0 * PADDING * size;
            let area = Area {
                x: page.x + (page.width - width) / 2.0,
                y: top,
                width,
                height: y.min(page.y + page.height) - top,
            };
            let frame = (!inverted).then(|| (size / 16.0).max(2.0));
            plan.boards.push(Board { area, frame });
        }
        y += GAP * size;
    }
}

/// Each text in a cell of a grid, with its own size and place.
fn scatter(texts: &[Text], sizing: &Sizing<'_>, page: Area, seed: u64, plan: &mut Plan) {
    let mut random = SplitMix64::new(seed, 2);
    let columns = (texts.len() as f32).sqrt().ceil().max(1.0) as usize;
    let rows = texts.len().div_ceil(columns).max(1);
    let count = texts.len();
    for (text, shaped) in texts.iter().enumerate() {
        let (row, column) = (text / columns, text % columns);
        // The last row may have fewer cells, which are then wider.
        let in_row = columns.min(count - row * columns);
        let pitch = (page.width / in_row as f32, page.height / rows as f32);
        let pad = 0.04 * pitch.0.min(pitch.1);
        let cell = Area {
            x: page.x + column as f32 * pitch.0 + pad,
            y: page.y + row as f32 * pitch.1 + pad,
            width: pitch.0 - 2.0 * pad,
            height: pitch.1 - 2.0 * pad,
        };
        let texts = std::slice::from_ref(shaped);
        let mut size = sizing.choose(
            texts,
            plan,
            |_| cell.width,
            |size| flow_height(texts, size, cell.width) <= cell.height,
        );
        let factor = 0.6 + 0.4 * random.unit() as f32;
        if matches!(sizing.settings.size, Size::Auto(_)) {
            size = (size * factor).max(LEGIBLE.min(size)).round();
        }
        let lines = texts
            .iter()
            .flatten()
            .flat_map(|p| p.lines(cell.width / size));
        let width = lines.map(|line| line.width * size).fold(0.0, f32::max);
        let height = flow_height(texts, size, cell.width);
        let slack = (
            (cell.width - width).max(0.0),
            (cell.height - height).max(0.0),
        );
        let area = Area {
            x: cell.x + slack.0 * random.unit() as f32,
            y: cell.y + slack.1 * random.unit() as f32,
            // This is the measured width, so that lines break in the same places.
            width: cell.width,
            height: height.min(cell.height),
        };
        flow(texts, text, size, area, plan);
    }
}

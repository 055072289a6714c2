//! Lines of text: they are cut out, turned upright and read.

use super::prepare::Normalise;
use super::quad::{Quad, distance};
use super::runtime::{Network, Output};
use crate::image::cv::{crop_quad, resize_linear};
use image::RgbImage;
use image::imageops::{rotate180_in_place, rotate270};

/// Lines enter the networks with this height, in pixels.
const HEIGHT: u32 = 48;
/// Width of the direction network's input.
const DIRECTION_WIDTH: u32 = 192;
/// The smallest width of the recognition network's input.
const RECOGNITION_WIDTH: u32 = 320;
/// A crop contains vertical text if its height is at least this many times its width.
const VERTICAL: f64 = 1.5;

/// The text of one line.
pub(super) struct Reading {
    pub text: String,
    /// Mean probability of the characters, 0 for an empty text.
    pub score: f64,
}

/// The line in its box, made straight. Vertical text is turned onto its left side.
pub(super) fn crop(page: &RgbImage, quad: &Quad) -> Option<RgbImage> {
    let [a, b, c, d] = *quad;
    let width = distance(a, b).max(distance(c, d)) as u32;
    let height = distance(a, d).max(distance(b, c)) as u32;
    let line = crop_quad(page, *quad, width, height)?;
    if f64::from(height) / f64::from(width) >= VERTICAL {
        return Some(rotate270(&line));
    }
    Some(line)
}

fn aspect(line: &RgbImage) -> f64 {
    f64::from(line.width()) / f64::from(line.height())
}

/// The indices of the lines by aspect ratio, with the narrow lines first.
fn by_aspect(lines: &[RgbImage]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|&a, &b| aspect(&lines[a]).total_cmp(&aspect(&lines[b])));
    order
}

/// The lines as one batch. Each is 48 pixels high, at most `width` pixels wide, and padded with zeros on the
/// right.
fn batch<'a>(
    lines: impl ExactSizeIterator<Item = &'a RgbImage>,
    width: u32,
    normalise: &Normalise,
) -> ([usize; 4], Vec<f32>) {
    let shape = [lines.len(), 3, HEIGHT as usize, width as usize];
    let size = 3 * (HEIGHT * width) as usize;
    let mut values = vec![0.0; lines.len() * size];
    for (line, planes) in lines.zip(values.chunks_exact_mut(size)) {
        let wanted = (f64::from(HEIGHT) * aspect(line)).ceil() as u32;
        let resized = resize_linear(line, wanted.clamp(1, width), HEIGHT);
        normalise.fill_planes(&resized, planes, width as usize);
    }
    (shape, values)
}

/// Turns the lines that are upside down.
pub(super) fn turn_upright(
    network: &mut Network,
    lines: &mut [RgbImage],
    normalise: &Normalise,
    batch_size: usize,
    thresh: f32,
) -> Result<(), ort::Error> {
    for chosen in by_aspect(lines).chunks(batch_size) {
        let (shape, values) = batch(
            chosen.iter().map(|&index| &lines[index]),
            DIRECTION_WIDTH,
            normalise,
        );
        let turned: Vec<bool> = network.run(shape, &values, |output| {
            output
                .values
                .chunks_exact(output.shape.last().copied().unwrap_or(2).max(2))
                .map(|row| row[1] > row[0] && row[1] > thresh)
                .collect()
        })?;
        for (&index, _) in chosen.iter().zip(turned).filter(|(_, turned)| *turned) {
            rotate180_in_place(&mut lines[index]);
        }
    }
    Ok(())
}

/// Reads the lines. The readings are in the order of `lines`.
///
/// Lines are padded to the widest line of their batch, as in the Python package. But they run one by one,
/// since the intermediate values of one line fit into the processor's cache.
pub(super) fn read(
    network: &mut Network,
    lines: &[RgbImage],
    characters: &Characters,
    normalise: &Normalise,
    batch_size: usize,
) -> Result<Vec<Reading>, ort::Error> {
    let mut readings: Vec<(usize, Reading)> = Vec::with_capacity(lines.len());
    for chosen in by_aspect(lines).chunks(batch_size) {
        let least = f64::from(RECOGNITION_WIDTH) / f64::from(HEIGHT);
        let widest = chosen
            .iter()
            .fold(least, |widest, &index| widest.max(aspect(&lines[index])));
        let width = (f64::from(HEIGHT) * widest) as u32;
        for &index in chosen {
            let (shape, values) = batch(std::iter::once(&lines[index]), width, normalise);
            let read = network.run(shape, &values, |output| characters.decode(&output))?;
            readings.extend(read.into_iter().map(|reading| (index, reading)));
        }
    }
    readings.sort_by_key(|(index, _)| *index);
    Ok(readings.into_iter().map(|(_, reading)| reading).collect())
}

/// The meaning of the recognition network's classes. Class 0 is the CTC blank. Each further class is a
/// string.
pub(super) struct Characters(Vec<String>);

impl Characters {
    /// Reads a list with one character on each line. A space is added as the last class.
    pub(super) fn new(list: &str) -> Self {
        let characters = list.lines().map(str::to_owned);
        Self(characters.chain(std::iter::once(" ".to_owned())).collect())
    }

    /// The number of classes, including the blank.
    pub(super) fn classes(&self) -> usize {
        self.0.len() + 1
    }

    /// Greedy CTC decoding of an output of the shape (N, steps, classes). Repeats and blanks are dropped.
    fn decode(&self, output: &Output<'_>) -> Vec<Reading> {
        let [lines, steps, classes] = output.shape[..] else {
            return Vec::new();
        };
        if steps * classes == 0 {
            return Vec::new();
        }
        output
            .values
            .chunks_exact(steps * classes)
            .take(lines)
            .map(|line| self.decode_line(line, classes))
            .collect()
    }

    fn decode_line(&self, line: &[f32], classes: usize) -> Reading {
        let mut text = String::new();
        let mut sum = 0.0;
        let mut count = 0usize;
        let mut previous = 0;
        for step in line.chunks_exact(classes) {
            let (class, probability) = greatest(step);
            if class != previous && class != 0 {
                if let Some(character) = self.0.get(class - 1) {
                    text.push_str(character);
                }
                sum += f64::from(probability);
                count += 1;
            }
            previous = class;
        }
        let score = if count == 0 { 0.0 } else { sum / count as f64 };
        Reading { text, score }
    }
}

/// The class with the greatest probability, and this probability. Of equal classes, the first counts.
fn greatest(step: &[f32]) -> (usize, f32) {
    const LANES: usize = 16;
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = step.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    let greatest = lanes
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |greatest, &value| greatest.max(value));
    let class = step.iter().position(|&value| value == greatest);
    (class.unwrap_or(0), greatest)
}

//! `text-drift` and `mini-drift`: the text of a picture before and after an edit, read by the same reader at
//! the same size, and whether the edit was done.
//!
//! An output of another size is resized to the input's by Pillow's bicubic filter. `expect.mask` is the region
//! that was to be edited (white), and `expect.target` the expected picture.

use super::edit_pixels::annotated_mask;
use super::pictures::{
    at_size_of, expected_text, files, input_picture, open_picture, output_pixels,
};
use super::ppocr::{PpOcr, PpOcrSettings};
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::config::Settings;
use crate::image::edit::Mask;
use crate::record::Item;
use crate::record::evidence::{DriftReading, EditSeen, ReadLine, TextReading, read, written};
use crate::world::read::{things, words};
use image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Increases when the numbers change.
const VERSION: u32 = 1;
/// A pixel changed if one of its channels differs by this, in 8-bit values.
const CHANGED: u8 = 24;

/// Reads the lines of a picture.
type ReadLines<'a> = dyn Fn(&Subject<'_>) -> Result<Vec<ReadLine>, ObserveError> + 'a;

/// Reads both pictures of an edit.
fn look(
    subject: &Subject<'_>,
    observer: &str,
    lines_of: &ReadLines<'_>,
) -> Result<Value, ObserveError> {
    let output = output_pixels(subject, observer)?;
    let input = input_picture(subject, observer)?;
    let resized = at_size_of(output, &input);
    let shown = resized.as_ref().unwrap_or(output);
    let of = |image| Subject {
        image: Some(image),
        ..*subject
    };
    let mut source = lines_of(&of(&input))?;
    let after = lines_of(&of(shown))?;
    let (width, height) = input.dimensions();
    let mask = annotated_mask(subject, (width as usize, height as usize))?;
    if let Some(mask) = &mask {
        for line in &mut source {
            line.in_edit = meets(mask, line.bbox);
        }
    }
    let target = expected_text(subject.item, "target")
        .map(|path| open_picture(subject, path, "target picture"))
        .transpose()?;
    let edit = target.map(|target| {
        let target = at_size_of(&target, &input).unwrap_or(target);
        edit_seen(&input, shown, &target, mask.as_ref())
    });
    Ok(written(&DriftReading {
        source,
        after,
        width,
        height,
        resized: resized.is_some(),
        edited: mask.as_ref().and_then(bounds),
        edit,
    })?)
}

/// Whether a box, grown by half of its height, has a pixel of the mask.
fn meets(mask: &Mask, [left, top, right, bottom]: [f64; 4]) -> bool {
    let grown = (right - left).min(bottom - top) / 2.0;
    let first = |at: f64| (at - grown).max(0.0) as usize;
    let last = |at: f64, side: usize| ((at + grown).max(0.0) as usize).min(side);
    let rows = mask.rows().take(last(bottom, mask.height()));
    let columns = first(left)..last(right, mask.width());
    let mut rows = rows.skip(first(top));
    rows.any(|row| {
        row.get(columns.clone())
            .is_some_and(|row| row.contains(&true))
    })
}

/// The box of a mask. `None` if it is empty.
fn bounds(mask: &Mask) -> Option<[f64; 4]> {
    let white = mask.pixels().iter().enumerate();
    let places = white.filter(|(_, white)| **white).map(|(place, _)| {
        let (x, y) = (place % mask.width(), place / mask.width());
        [x as f64, y as f64, (x + 1) as f64, (y + 1) as f64]
    });
    places.reduce(|a, b| {
        [
            a[0].min(b[0]),
            a[1].min(b[1]),
            a[2].max(b[2]),
            a[3].max(b[3]),
        ]
    })
}

/// Whether what should change inside the mask changed, and got the right colour. Pictures have one size.
fn edit_seen(
    input: &RgbImage,
    output: &RgbImage,
    target: &RgbImage,
    mask: Option<&Mask>,
) -> EditSeen {
    let differs = |a: [u8; 3], b: [u8; 3]| {
        let mut channels = a.iter().zip(b);
        channels.any(|(a, b)| a.abs_diff(b) >= CHANGED)
    };
    let (mut both, mut either, mut wanted) = (0.0, 0.0, 0.0);
    let mut sums = [[0.0; 3]; 2];
    let pixels = input.pixels().zip(output.pixels()).zip(target.pixels());
    for (place, ((before, after), goal)) in pixels.enumerate() {
        if mask.is_some_and(|mask| !mask.pixels()[place]) {
            continue;
        }
        let should = differs(before.0, goal.0);
        let did = differs(before.0, after.0);
        both += f64::from(u8::from(should && did));
        either += f64::from(u8::from(should || did));
        if should {
            wanted += 1.0;
            for (sum, pixel) in sums.iter_mut().zip([after, goal]) {
                for (sum, value) in sum.iter_mut().zip(pixel.0) {
                    *sum += f64::from(value);
                }
            }
        }
    }
    let off = |channel: usize| (sums[0][channel] - sums[1][channel]) / f64::max(wanted, 1.0);
    EditSeen {
        iou: if either > 0.0 { both / either } else { 0.0 },
        color: (0..3)
            .map(|channel| off(channel).powi(2))
            .sum::<f64>()
            .sqrt(),
    }
}

/// The observer with PP-OCR.
pub struct TextDrift(PpOcr);

impl TextDrift {
    fn lines(&self, subject: &Subject<'_>) -> Result<Vec<ReadLine>, ObserveError> {
        let seen = self.0.observe(&[*subject]).pop();
        let none = || ObserveError::new("ocr", "the reader saw nothing");
        let evidence = seen.ok_or_else(none)??;
        let reading: TextReading<'_> = read(&evidence);
        let lines = reading.lines.get().into_iter().flatten();
        let lines = lines.filter_map(|line| {
            let line = line.get()?;
            let points = line.polygon.get()?;
            let axis = |axis: usize| points.iter().filter_map(move |point| point.get(axis));
            let least = |axis_| axis(axis_).copied().fold(f64::INFINITY, f64::min);
            let most = |axis_| axis(axis_).copied().fold(f64::NEG_INFINITY, f64::max);
            Some(ReadLine {
                text: line.text.text().to_owned(),
                bbox: [least(0), least(1), most(0), most(1)],
                in_edit: false,
            })
        });
        Ok(lines.collect())
    }
}

impl Described for TextDrift {
    type Settings = PpOcrSettings;
    const NAME: &'static str = "text-drift";
    const ABOUT: &'static str = "the lines of text before and after an edit, read by PP-OCR";

    fn assets(settings: &Settings) -> Result<Vec<&'static str>, BuildError> {
        PpOcr::assets(settings)
    }

    fn open(settings: PpOcrSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        Ok(Self(PpOcr::open(settings, means)?))
    }
}

impl Observer for TextDrift {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION, "reader": self.0.identity()})
    }

    fn asked(&self, item: &Item) -> Value {
        json!(item.expect.get("mask"))
    }

    fn files(&self, item: &Item) -> Vec<String> {
        files(item)
    }

    fn batch(&self) -> usize {
        self.0.batch()
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        let lines_of = |subject: &Subject<'_>| self.lines(subject);
        let one = |subject: &Subject<'_>| look(subject, Self::NAME, &lines_of);
        subjects.par_iter().map(one).collect()
    }
}

/// Settings of the observer `mini-drift`. There are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MiniDriftSettings {}

/// The observer with the exact reader of the miniature world.
pub struct MiniDrift;

fn mini_lines(subject: &Subject<'_>) -> Result<Vec<ReadLine>, ObserveError> {
    let picture = output_pixels(subject, MiniDrift::NAME)?;
    let words = words(&things(picture)).into_iter();
    let lines = words.map(|word| {
        let [x1, y1, x2, y2] = word.bbox.map(f64::from);
        ReadLine {
            text: word.text,
            bbox: [x1, y1, x2 + 1.0, y2 + 1.0],
            in_edit: false,
        }
    });
    Ok(lines.collect())
}

impl Described for MiniDrift {
    type Settings = MiniDriftSettings;
    const NAME: &'static str = "mini-drift";
    const ABOUT: &'static str =
        "the words of a picture of the miniature world before and after an edit";

    fn open(_: MiniDriftSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Observer for MiniDrift {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION})
    }

    fn asked(&self, item: &Item) -> Value {
        json!(item.expect.get("mask"))
    }

    fn files(&self, item: &Item) -> Vec<String> {
        files(item)
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        let one = |subject: &Subject<'_>| look(subject, Self::NAME, &mini_lines);
        subjects.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn square(color: [u8; 3], left: u32) -> RgbImage {
        RgbImage::from_fn(20, 20, |x, y| {
            let inside = (left..left + 6).contains(&x) && (6..12).contains(&y);
            Rgb(if inside { color } else { [200; 3] })
        })
    }

    #[test]
    fn an_edit_is_done_where_and_as_the_target_has_it() {
        let (input, target) = (square([250, 0, 0], 4), square([0, 0, 250], 4));
        let seen = |output: &RgbImage| edit_seen(&input, output, &target, None);
        let done = seen(&target);
        assert_eq!((done.iou, done.color), (1.0, 0.0));
        assert_eq!(seen(&input).iou, 0.0);
        let green = seen(&square([0, 250, 0], 4));
        assert_eq!(green.iou, 1.0);
        assert!(green.color > 300.0);
        // The square moved by half of its width: it changed more than it should.
        assert_eq!(seen(&square([0, 0, 250], 7)).iou, 36.0 / 54.0);
        let nowhere = Mask::from_fn(20, 20, |_, _| false);
        assert_eq!(edit_seen(&input, &target, &target, Some(&nowhere)).iou, 0.0);
    }

    #[test]
    fn a_line_next_to_the_region_is_in_the_edit() {
        let mask = Mask::from_fn(100, 100, |x, y| {
            (40..60).contains(&x) && (40..60).contains(&y)
        });
        assert_eq!(bounds(&mask), Some([40.0, 40.0, 60.0, 60.0]));
        assert_eq!(bounds(&Mask::from_fn(4, 4, |_, _| false)), None);
        assert!(meets(&mask, [10.0, 26.0, 90.0, 36.0]));
        assert!(!meets(&mask, [10.0, 20.0, 90.0, 30.0]));
        assert!(meets(&mask, [50.0, 50.0, 55.0, 55.0]));
        assert!(!meets(&mask, [90.0, 80.0, 120.0, 130.0]));
    }

    #[test]
    fn words_of_the_miniature_world_have_places() {
        use crate::world::draw::{blank, draw_form};
        use crate::world::thing::{Cell, Color, Form};
        let mut picture = blank();
        for (column, letter) in (1..).zip(b"CAT") {
            let form = Form::Letter(letter - b'A');
            draw_form(&mut picture, form, Color::White, Cell { row: 2, column });
        }
        let found = words(&things(&picture));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text, "CAT");
        let [left, top, right, bottom] = found[0].bbox;
        assert!((8..12).contains(&left) && (16..20).contains(&top));
        assert!(right < 32 && bottom < 24);
    }
}

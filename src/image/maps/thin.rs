//! Thinning of lines (Zhang and Suen, CACM 27(3), 1984).

use crate::image::edit::Mask;

/// The lines of a mask, one pixel wide. Pixels beyond the border are black.
pub fn thin(mask: &Mask) -> Mask {
    let (width, height) = (mask.width(), mask.height());
    let mut white = mask.pixels().to_vec();
    let mut left: Vec<usize> = (0..white.len()).filter(|place| white[*place]).collect();
    loop {
        let before = left.len();
        for step in [0, 2] {
            let gone: Vec<usize> = left
                .iter()
                .copied()
                .filter(|place| removable(&ring(&white, width, height, *place), step))
                .collect();
            for place in gone {
                white[place] = false;
            }
            left.retain(|place| white[*place]);
        }
        if left.len() == before {
            break;
        }
    }
    Mask::from_fn(width, height, |x, y| white[y * width + x])
}

/// The eight neighbours of a pixel, from the one above clockwise.
fn ring(white: &[bool], width: usize, height: usize, place: usize) -> [bool; 8] {
    const STEPS: [(isize, isize); 8] = [
        (0, -1),
        (1, -1),
        (1, 0),
        (1, 1),
        (0, 1),
        (-1, 1),
        (-1, 0),
        (-1, -1),
    ];
    let (x, y) = (place % width, place / width);
    STEPS.map(|(right, down)| {
        let (x, y) = (x.checked_add_signed(right), y.checked_add_signed(down));
        match (x, y) {
            (Some(x), Some(y)) if x < width && y < height => white[y * width + x],
            _ => false,
        }
    })
}

/// Whether a pixel goes in one half of a round: with `step` 0 those at the lower right, with 2 those at the
/// upper left.
fn removable(ring: &[bool; 8], step: usize) -> bool {
    let count = ring.iter().filter(|white| **white).count();
    let starts = (0..8).filter(|at| !ring[*at] && ring[(at + 1) % 8]).count();
    // Above, right, below and left.
    let sides = [ring[0], ring[2], ring[4], ring[6]];
    let (first, second) = match step {
        0 => ([0, 1, 2], [1, 2, 3]),
        _ => ([0, 1, 3], [0, 2, 3]),
    };
    let all = |of: [usize; 3]| of.iter().all(|side| sides[*side]);
    (2..=6).contains(&count) && starts == 1 && !all(first) && !all(second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn mask(rows: &[&str]) -> Mask {
        let width = rows.first().map_or(0, |row| row.len());
        Mask::from_fn(width, rows.len(), |x, y| rows[y].as_bytes()[x] == b'#')
    }

    fn rows(mask: &Mask) -> Vec<String> {
        let text = |row: &[bool]| row.iter().map(|w| if *w { '#' } else { '.' }).collect();
        mask.rows().map(text).collect()
    }

    // The same rounds in numpy: tests/golden/probes/make.py, `thin`.
    #[test]
    fn thick_lines_become_thin() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../tests/golden/probes/thin.json")).unwrap();
        for case in golden.as_array().unwrap() {
            let [before, after] = ["before", "after"].map(|key| -> Vec<&str> {
                let rows = case[key].as_array().unwrap().iter();
                rows.map(|row| row.as_str().unwrap()).collect()
            });
            assert_eq!(rows(&thin(&mask(&before))), after);
        }
    }

    #[test]
    fn thin_lines_stay() {
        let line = mask(&["......", ".####.", "......"]);
        assert_eq!(thin(&line), line);
        let none = mask(&[]);
        assert_eq!(thin(&none), none);
    }
}

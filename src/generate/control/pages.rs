//! Pages of text that are drawn again with lines elsewhere, respelled or left out.

use super::{Asked, Control};
use crate::generate::error::GenerateError;
use crate::generate::generator::{Answer, Generated};
use crate::page::{Page, TextLine, Typesetter};
use crate::record::Object;
use crate::world::random::Random;
use serde_json::json;

/// The stream of random numbers of these controls.
const STREAM: u64 = 7;

/// The item's page with what a control does to its lines.
///
/// # Errors
/// Fails if the item has no page.
pub(super) fn redrawn(
    asked: &Asked<'_>,
    control: Control,
    amount: Option<f64>,
    seed: u64,
) -> Result<Generated, GenerateError> {
    let page = asked.item().expect.get("page").cloned();
    let page: Option<Page> = page.and_then(|page| serde_json::from_value(page).ok());
    let mut page = page.ok_or_else(|| {
        let message =
            "this control needs the item's `expect.page`, which the pages of text-drift-en and text-drift-zh have";
        GenerateError::item("expect", message)
    })?;
    let before = page.lines.clone();
    let random = &mut Random::new(seed, STREAM);
    change(&mut page.lines, control, amount, random);
    let typesetter = Typesetter::of_page(&page);
    let mut typesetter =
        typesetter.map_err(|error| GenerateError::item("font", error.to_string()))?;
    let picture = typesetter.draw(&page).picture;
    let mut generated = Generated::from(Answer::Pixels(picture));
    if control == Control::Jitter {
        let offsets = before.iter().zip(&page.lines).map(|(before, after)| {
            // The rule `text-drift` knows lines by their characters without white space.
            let text = before.text.split_whitespace().collect::<String>();
            (text, json!([after.x - before.x, after.y - before.y]))
        });
        let offsets: Object = offsets.collect();
        generated.extra.insert("offsets".to_owned(), offsets.into());
    }
    Ok(generated)
}

fn change(lines: &mut Vec<TextLine>, control: Control, amount: Option<f64>, random: &mut Random) {
    match control {
        Control::Jitter => {
            for line in lines.iter_mut() {
                let reach = (f64::from(line.size) * amount.unwrap_or(1.0)).round() as usize;
                let mut offset = || random.below(2 * reach + 1) as i32 - reach as i32;
                line.x += offset();
                line.y += offset();
            }
        }
        Control::Respell => {
            for line in lines.iter_mut() {
                if random.chance(amount.unwrap_or(0.3)) {
                    respell(&mut line.text, random);
                }
            }
        }
        Control::Swap => {
            if let [first, .., last] = lines.as_mut_slice() {
                std::mem::swap(&mut first.x, &mut last.x);
                std::mem::swap(&mut first.y, &mut last.y);
            }
        }
        Control::Drop if !lines.is_empty() => {
            lines.remove(0);
        }
        _ => {}
    }
}

/// Chinese characters for the place of another one.
const CHARACTERS: [char; 6] = ['山', '水', '火', '木', '金', '土'];

/// Another small letter, or another Chinese character, in place of one that is not white space.
fn respell(text: &mut String, random: &mut Random) {
    let places: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, c)| c.is_alphanumeric())
        .collect();
    if places.is_empty() {
        return;
    }
    let (place, old) = random.pick(&places);
    let all: Vec<char> = if old.is_ascii() {
        ('a'..='z').collect()
    } else {
        CHARACTERS.to_vec()
    };
    let others: Vec<char> = all.into_iter().filter(|letter| *letter != old).collect();
    let new = random.pick(&others);
    text.replace_range(place..place + old.len_utf8(), new.encode_utf8(&mut [0; 4]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::distance::levenshtein;

    fn lines() -> Vec<TextLine> {
        let line = |(place, text): (i32, &str)| TextLine {
            text: text.to_owned(),
            size: 40,
            x: 100 + place,
            y: 100 * place,
            color: [0; 3],
        };
        (0..).zip(["one", "two 22", "three"]).map(line).collect()
    }

    fn changed(control: Control, amount: Option<f64>) -> Vec<TextLine> {
        let mut lines = lines();
        change(&mut lines, control, amount, &mut Random::new(1, 1));
        lines
    }

    #[test]
    fn each_control_does_one_thing() {
        let dropped = changed(Control::Drop, None);
        assert_eq!(dropped, lines()[1..]);
        let swapped = changed(Control::Swap, None);
        assert_eq!((swapped[0].x, swapped[0].y), (102, 200));
        assert_eq!((swapped[2].x, swapped[2].y), (100, 0));
        assert_eq!(swapped[1], lines()[1]);
        for (before, after) in lines().iter().zip(changed(Control::Jitter, Some(0.5))) {
            assert!((after.x - before.x).abs() <= 20 && (after.y - before.y).abs() <= 20);
            assert_eq!(after.text, before.text);
        }
        for (before, after) in lines().iter().zip(changed(Control::Respell, Some(1.0))) {
            let [a, b] =
                [&before.text, &after.text].map(|text| text.chars().collect::<Vec<char>>());
            assert_eq!(levenshtein(&a, &b), 1, "{} {}", before.text, after.text);
        }
        assert_eq!(changed(Control::Respell, Some(0.0)), lines());
        let mut chinese = "花园".to_owned();
        respell(&mut chinese, &mut Random::new(1, 1));
        let [a, b] = ["花园", &chinese].map(|text| text.chars().collect::<Vec<char>>());
        assert_eq!(levenshtein(&a, &b), 1, "{chinese}");
    }
}

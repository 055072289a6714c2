//! The cards in parts, which a page reads one by one.

use super::data::Card;
use rayon::prelude::*;

/// A part of the cards.
#[derive(Debug)]
pub(super) struct Chunk {
    /// How many cards it has.
    pub items: usize,
    /// The cards as a JSON array that can stand in a script element.
    pub json: String,
    /// The file beside the page that has it.
    pub file: Option<String>,
}

/// A part has at most so many cards …
const MOST_ITEMS: usize = 120;
/// … and is closed when it has so many bytes.
const FULL: usize = 256 << 10;

/// Cuts the cards into parts, in their order.
///
/// # Errors
/// Fails if a card cannot be written as JSON.
pub(super) fn chunks(cards: &[Card]) -> Result<Vec<Chunk>, serde_json::Error> {
    let texts = cards.par_iter().map(script_json);
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    let mut chunks: Vec<Chunk> = Vec::new();
    for text in texts {
        let open = |chunk: &&mut Chunk| chunk.items < MOST_ITEMS && chunk.json.len() < FULL;
        match chunks.last_mut().filter(open) {
            Some(chunk) => {
                chunk.json.push(',');
                chunk.json.push_str(&text);
                chunk.items += 1;
            }
            None => chunks.push(Chunk {
                items: 1,
                json: format!("[{text}"),
                file: None,
            }),
        }
    }
    chunks.iter_mut().for_each(|chunk| chunk.json.push(']'));
    Ok(chunks)
}

/// JSON that cannot end the script element around it. It has no line break that only JavaScript knows,
/// either.
///
/// # Errors
/// Fails if the value cannot be written as JSON.
pub(super) fn script_json(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    Ok(json
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: &str, prompt: &str) -> Card {
        Card {
            id: id.to_owned(),
            suite: "S".to_owned(),
            prompt: prompt.to_owned(),
            expected: None,
            tags: Default::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn parts_hold_all_cards_in_their_order_and_long_cards_make_short_parts() {
        let long = "word ".repeat(FULL / 20);
        let cards: Vec<Card> = (0..300)
            .map(|at| card(&at.to_string(), if at < 20 { &long } else { "short" }))
            .collect();
        let chunks = chunks(&cards).unwrap();
        assert_eq!(chunks[0].items, 4);
        let mut ids = Vec::new();
        for chunk in &chunks {
            let read: Vec<serde_json::Value> = serde_json::from_str(&chunk.json).unwrap();
            assert_eq!(read.len(), chunk.items);
            assert!(chunk.items <= MOST_ITEMS);
            ids.extend(
                read.iter()
                    .map(|card| card["id"].as_str().unwrap().to_owned()),
            );
        }
        assert_eq!(ids, (0..300).map(|at| at.to_string()).collect::<Vec<_>>());
        assert!(super::chunks(&[]).unwrap().is_empty());
    }

    #[test]
    fn json_of_a_script_has_no_tag() {
        let json = script_json(&"</script><!-- \u{2028}").unwrap();
        assert_eq!(json, "\"\\u003c/script>\\u003c!-- \\u2028\"");
    }
}

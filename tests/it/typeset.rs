//! What a user sees of the `typeset` generator: pages, their degradations, their records.

use image::RgbImage;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use unigauge::cancel::Cancel;
use unigauge::generate::typeset::{Typeset, TypesetSettings};
use unigauge::generate::{Answer, GenerateError, Generator, Request};
use unigauge::record::Item;

const LAYOUTS: [&str; 4] = ["page", "sign", "columns", "scattered"];

fn item(prompt: &str, expect: Value) -> Item {
    serde_json::from_value(json!({
        "item": "1", "task": "text-to-image", "prompt": prompt, "expect": expect
    }))
    .unwrap()
}

fn generator(settings: Value) -> Typeset {
    Typeset::new(serde_json::from_value::<TypesetSettings>(settings).unwrap()).unwrap()
}

fn try_draw(
    typeset: &mut Typeset,
    item: &Item,
    seed: u64,
) -> Result<(RgbImage, Value), GenerateError> {
    let request = Request {
        item,
        base: Path::new("."),
        repeat: 0,
        seed,
    };
    let generated = typeset.generate(&request, &Cancel::default())?;
    match generated.answer {
        Answer::Pixels(rgb) => Ok((rgb, generated.extra["typeset"].clone())),
        other => panic!("{other:?}"),
    }
}

fn draw(settings: Value, item: &Item, seed: u64) -> (RgbImage, Value) {
    try_draw(&mut generator(settings), item, seed).unwrap()
}

/// Left, top, right, bottom of everything that is not paper (white).
fn ink_box(page: &RgbImage) -> Option<(u32, u32, u32, u32)> {
    let inked = page
        .enumerate_pixels()
        .filter(|(_, _, pixel)| pixel.0 != [255; 3]);
    inked.fold(None, |found, (x, y, _)| {
        let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    })
}

fn ink(page: &RgbImage) -> f64 {
    page.pixels().map(|pixel| 255.0 - f64::from(pixel[0])).sum()
}

fn speech() -> Item {
    let texts = [
        "Ask what your printer can do for you",
        "Åby, jäger & Co.: quality since 1899",
        "A long sentence that has to be broken into several lines, whatever the layout of the page may be.",
    ];
    item("x", json!({"texts": texts, "language": "en"}))
}

#[test]
fn ink_stays_inside_the_margins_in_every_layout() {
    for layout in LAYOUTS {
        for (font, width, height, margin) in [
            ("sans", 1024, 1024, 64),
            ("serif", 640, 400, 40),
            ("mono", 300, 700, 20),
        ] {
            let settings = json!({
                "layout": layout, "font": font, "width": width, "height": height, "margin": margin
            });
            let (page, record) = draw(settings, &speech(), 3);
            assert_eq!(page.dimensions(), (width, height));
            let (left, top, right, bottom) = ink_box(&page).unwrap();
            // Letters may reach a pixel or two beyond their advance width.
            let slack = 2;
            assert!(
                left + slack >= margin && right < width - margin + slack,
                "{layout} {left} {right}"
            );
            assert!(
                top >= margin && bottom < height - margin,
                "{layout} {top} {bottom}"
            );
            assert_eq!(record["notes"], json!([]), "{layout}");
            // 8, 7 and 19 words, counted by hand.
            assert_eq!(record["units"], 8 + 7 + 19, "{layout}");
        }
    }
}

#[test]
fn the_largest_size_that_fits_is_taken() {
    // One short word: an eighth of the height.
    let (_, record) = draw(json!({}), &item("x", json!({"texts": ["OPEN"]})), 0);
    assert_eq!(record["size"], 128.0);
    // More text, smaller type; and it fills the page: one pixel more would not have fitted.
    let long = ["The same eight words again and again, wearily."; 12].join(" ");
    let long = item("x", json!({"texts": [long]}));
    let (page, record) = draw(json!({}), &long, 0);
    let size = record["size"].as_f64().unwrap();
    assert!((30.0..128.0).contains(&size), "{size}");
    let (_, _, _, bottom) = ink_box(&page).unwrap();
    assert!(f64::from(bottom) > 960.0 - 2.0 * 1.35 * size);
    let (_, larger) = draw(json!({"size": size + 1.0}), &long, 0);
    assert_eq!(
        larger["notes"][0],
        "the text does not fit: words were broken or lines were cut"
    );
    // A fixed size is kept, small type is a fraction of it.
    let (_, fixed) = draw(json!({"size": 20}), &long, 0);
    assert_eq!(fixed["size"], 20.0);
    let (_, small) = draw(json!({"size": 20, "scale": 0.5}), &long, 0);
    assert_eq!(small["size"], 10.0);
}

#[test]
fn a_seed_gives_the_same_page_and_another_seed_another() {
    let settings =
        json!({"drop": 0.3, "noise": 8, "blur": 1.0, "rotate": 2, "layout": "scattered"});
    let (first, _) = draw(settings.clone(), &speech(), 11);
    // Also when the generator has drawn something else before.
    let mut used = generator(settings.clone());
    try_draw(&mut used, &item("x", json!({"texts": ["other"]})), 5).unwrap();
    assert!(first == try_draw(&mut used, &speech(), 11).unwrap().0);
    assert!(first != draw(settings, &speech(), 12).0);
    // Without anything random the seed does not matter.
    assert!(draw(json!({}), &speech(), 1).0 == draw(json!({}), &speech(), 2).0);
}

#[test]
fn degradations_do_what_they_say() {
    let (clean, _) = draw(json!({"size": 40}), &speech(), 1);
    // Blur moves ink, it makes none (the page's margins are wider than its reach).
    let (blurred, _) = draw(json!({"size": 40, "blur": 2}), &speech(), 1);
    assert!((ink(&blurred) / ink(&clean) - 1.0).abs() < 0.01);
    let darkest = |page: &RgbImage| page.pixels().map(|pixel| pixel[0]).min().unwrap();
    assert_eq!(darkest(&clean), 0);
    assert!(darkest(&blurred) > 20);
    // Half the size, a quarter of the ink, roughly: strokes shrink in both directions.
    let (small, _) = draw(json!({"size": 40, "scale": 0.5}), &speech(), 1);
    assert!(
        (0.2..0.3).contains(&(ink(&small) / ink(&clean))),
        "{}",
        ink(&small) / ink(&clean)
    );
    // Every word dropped leaves the paper.
    let (empty, record) = draw(json!({"drop": 1.0}), &speech(), 1);
    assert_eq!(ink_box(&empty), None);
    assert_eq!(
        (record["dropped"].clone(), record["size"].clone()),
        (json!(34), Value::Null)
    );
    // A quarter of 2000 words: binomial with mean 500 and standard deviation 19; five of them.
    let words = item("x", json!({"texts": [vec!["word"; 2000].join(" ")]}));
    let (_, record) = draw(json!({"drop": 0.25}), &words, 9);
    assert!(
        record["dropped"].as_i64().unwrap().abs_diff(500) < 95,
        "{record}"
    );
}

#[test]
fn colours_are_those_of_the_settings() {
    let settings = json!({"ink": "#102030", "paper": "#F0E0D0", "layout": "sign"});
    let (page, _) = draw(settings, &item("x", json!({"texts": ["OPEN", "LATE"]})), 0);
    let colours: BTreeSet<[u8; 3]> = page.pixels().map(|pixel| pixel.0).collect();
    assert!(colours.contains(&[0x10, 0x20, 0x30]) && colours.contains(&[0xf0, 0xe0, 0xd0]));
    for colour in colours {
        assert!((0x10..=0xf0).contains(&colour[0]) && (0x30..=0xd0).contains(&colour[2]));
    }
}

#[test]
fn odd_texts_have_a_defined_page() {
    let (blank, record) = draw(json!({}), &item("x", json!({"texts": []})), 0);
    assert_eq!(ink_box(&blank), None);
    assert_eq!(
        record["notes"],
        json!(["no target text: the page is blank"])
    );
    assert_eq!(
        ink_box(&draw(json!({}), &item(" \n", json!({})), 0).0),
        None
    );

    // Too much for a page: 10 pixels, and the rest is cut with a note.
    for layout in LAYOUTS {
        let much = item(
            "x",
            json!({"texts": [vec!["overflowing"; 20_000].join(" "), "tail"]}),
        );
        let (page, record) = draw(json!({"layout": layout}), &much, 0);
        assert_eq!(record["size"], 10.0, "{layout}");
        let notes = record["notes"].to_string();
        assert!(
            notes.contains("does not fit") && notes.contains("lines were cut off"),
            "{notes}"
        );
        let (_, _, right, bottom) = ink_box(&page).unwrap();
        assert!(right < 962 && bottom < 960, "{layout} {right} {bottom}");

        // One endless word is broken, none of it lost.
        let word = item("x", json!({"texts": ["m".repeat(400)]}));
        let (page, record) = draw(json!({"layout": layout}), &word, 0);
        assert!(record["lines"].as_i64().unwrap() > 3, "{layout}");
        assert!(ink_box(&page).unwrap().2 < 962, "{layout}");
        assert!(!record["notes"].to_string().contains("cut off"), "{layout}");
    }

    let (_, record) = draw(
        json!({}),
        &item("x", json!({"texts": ["what \u{10ffff} is it"]})),
        0,
    );
    assert!(
        record["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("no font has"),
        "{record}"
    );
}

#[test]
fn line_feeds_start_lines() {
    let (_, record) = draw(
        json!({}),
        &item("x", json!({"texts": ["one\ntwo\r\nthree", "four"]})),
        0,
    );
    assert_eq!(record["lines"], 4);
}

#[test]
fn settings_out_of_range_name_the_key() {
    let message = |settings: Value| {
        let settings = serde_json::from_value::<TypesetSettings>(settings).unwrap();
        Typeset::new(settings).err().unwrap().to_string()
    };
    assert_eq!(
        message(json!({"width": 9})),
        "typeset generator: `width` = 9, expected 64 to 8192"
    );
    assert_eq!(
        message(json!({"margin": 500})),
        "typeset generator: `margin` = 500, expected 0 to 496"
    );
    assert_eq!(
        message(json!({"scale": 0})),
        "typeset generator: `scale` = 0, expected 0.01 to 1"
    );
    assert_eq!(
        message(json!({"ink": "black"})),
        "typeset generator: `ink` = \"black\", expected a colour like \"#1a2b3c\""
    );
    assert_eq!(
        message(json!({"cjk_font": "nowhere.ttf"})),
        "typeset generator: `cjk_font` = nowhere.ttf: no such file"
    );
    let unreadable = |settings: Value| {
        serde_json::from_value::<TypesetSettings>(settings)
            .unwrap_err()
            .to_string()
    };
    assert!(unreadable(json!({"blurr": 1})).contains("unknown field `blurr`"));
    assert!(unreadable(json!({"size": "huge"})).contains("\"auto\" or a number of pixels"));
}

/// A Chinese page, or none where the system has no font for it.
fn chinese(texts: Value) -> Option<(RgbImage, Value)> {
    let item = item("x", json!({"texts": texts, "language": "zh"}));
    match try_draw(&mut generator(json!({})), &item, 0) {
        Ok(drawn) => Some(drawn),
        Err(GenerateError::Item { kind, message }) => {
            assert_eq!(kind, "font");
            assert!(
                message.contains("fonts-noto-cjk") && message.contains("cjk_font"),
                "{message}"
            );
            crate::support::skip("no Chinese font is on this system");
            None
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn chinese_is_drawn_with_a_font_of_the_system() {
    let Some((page, record)) = chinese(json!(["本地烘焙，始于1998", "中央公园 - 2公里"]))
    else {
        return;
    };
    assert_eq!(record["notes"], json!([]));
    assert_eq!(record["units"], 11 + 8);
    let (left, top, right, bottom) = ink_box(&page).unwrap();
    assert!(left >= 62 && top >= 64 && right < 962 && bottom < 960);
    // Chinese breaks between characters, so long texts fill their lines: 100 characters in 10 to 12 lines.
    let (_, record) = chinese(json!(["字".repeat(100)])).unwrap();
    assert!(
        (9..=12).contains(&record["lines"].as_i64().unwrap()),
        "{record}"
    );
}

#[test]
fn a_latin_font_is_refused_for_chinese() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dejavu::sans::regular()).unwrap();
    let settings = TypesetSettings {
        cjk_font: Some(file.path().to_owned()),
        ..TypesetSettings::default()
    };
    let error = Typeset::new(settings).err().unwrap().to_string();
    assert!(
        error.ends_with("this font has no Chinese characters"),
        "{error}"
    );
}

#[test]
fn the_quick_suite_quotes_its_texts_and_fits_every_layout() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("suites/quick.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let mut ids = BTreeSet::new();
    let mut pages = LAYOUTS.map(|layout| generator(json!({"layout": layout})));
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let id = row["id"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let prompt = row["prompt"].as_str().unwrap();
        for text in row["texts"].as_array().unwrap() {
            let text = text.as_str().unwrap();
            assert!(
                prompt.contains(&format!("\"{text}\"")) || prompt.contains(&format!("“{text}”")),
                "{id}: {text}"
            );
        }
        if row["language"] == "zh" && chinese(json!(["字"])).is_none() {
            continue;
        }
        // The prompt alone names the same texts as the list.
        let listed = item(
            prompt,
            json!({"texts": row["texts"], "language": row["language"]}),
        );
        let quoted = item(prompt, json!({"language": row["language"]}));
        for typeset in &mut pages {
            let (page, record) = try_draw(typeset, &listed, 7).unwrap();
            assert_eq!(record["notes"], json!([]), "{id}");
            assert!(record["size"].as_f64().unwrap() >= 14.0, "{id}: {record}");
            assert!(page == try_draw(typeset, &quoted, 7).unwrap().0, "{id}");
        }
    }
    let language = |language: &str| ids.iter().filter(|id| id.starts_with(language)).count();
    assert_eq!((language("en"), language("zh")), (36, 24));
}

//! Scoring pictures that somebody else made: the `folder` generator on real folders.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use std::path::Path;
use unigauge::cancel::Cancel;
use unigauge::generate::folder::{Folder, FolderSettings};
use unigauge::generate::{Answer, GenerateError, Generated, Generator, Request};
use unigauge::record::Item;

fn item(id: &str, expect: Value) -> Item {
    serde_json::from_value(json!({
        "item": id, "task": "text-to-image", "prompt": "a prompt", "expect": expect
    }))
    .unwrap()
}

fn open(path: &Path, more: Value) -> Folder {
    let mut settings = json!({"path": path});
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    Folder::open(serde_json::from_value::<FolderSettings>(settings).unwrap()).unwrap()
}

fn ask(folder: &mut Folder, item: &Item, repeat: u32) -> Result<Generated, GenerateError> {
    let request = Request {
        item,
        base: Path::new("."),
        repeat,
        seed: 0,
    };
    folder.generate(&request, &Cancel::default())
}

/// The grey of a one-colour picture; which one was answered.
fn grey(answer: &Generated) -> u8 {
    match &answer.answer {
        Answer::Encoded { bytes, .. } => {
            image::load_from_memory(bytes).unwrap().to_rgb8()[(0, 0)][0]
        }
        Answer::Pixels(rgb) => rgb[(0, 0)][0],
        Answer::Text(text) => panic!("a text: {text}"),
    }
}

fn failure(result: Result<Generated, GenerateError>) -> (&'static str, String) {
    match result {
        Err(GenerateError::Item { kind, message }) => (kind, message),
        other => panic!("{other:?}"),
    }
}

/// Writes a one-colour picture in the format that the name says.
fn put(root: &Path, name: &str, grey: u8) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(8, 8, Rgb([grey; 3]))
        .save(path)
        .unwrap();
}

#[test]
fn geneval_samples_come_in_the_order_of_their_numbers() {
    let root = tempfile::tempdir().unwrap();
    // Four digits as in the README of GenEval, five as its script writes, written in another order; a grid
    // beside.
    for (name, grey) in [
        ("0002.png", 30),
        ("0000.png", 10),
        ("00001.png", 20),
        ("10.png", 40),
    ] {
        put(root.path(), &format!("00017/samples/{name}"), grey);
    }
    put(root.path(), "00017/grid.png", 99);
    put(root.path(), "00017/samples/notes.png", 99);
    let mut folder = open(root.path(), json!({"layout": "geneval"}));
    let bench = item("00017", json!({}));
    let greys: Vec<u8> = (0..4)
        .map(|repeat| grey(&ask(&mut folder, &bench, repeat).unwrap()))
        .collect();
    assert_eq!(greys, [10, 20, 30, 40]);

    let (kind, message) = failure(ask(&mut folder, &bench, 4));
    assert_eq!(kind, "missing");
    assert!(message.contains("00017/samples/00004.png"), "{message}");

    let inventory = folder.inventory(&[bench, item("00018", json!({}))], 4);
    assert_eq!((inventory.expected, inventory.found), (8, 4));
    assert_eq!(inventory.missing[0], "00018/samples/00000.png");
    assert_eq!(inventory.missing.len(), 4);
    assert_eq!(inventory.extra, ["00017/samples/notes.png"]);
}

#[test]
fn a_dpg_grid_is_cut_into_tiles() {
    let root = tempfile::tempdir().unwrap();
    let grid = RgbImage::from_fn(20, 20, |x, y| {
        Rgb([(10 * (1 + x / 10 + 2 * (y / 10))) as u8; 3])
    });
    grid.save(root.path().join("drawtext7.png")).unwrap();
    let prompt = item("drawtext7", json!({}));

    let mut folder = open(root.path(), json!({"layout": "dpg"}));
    let tiles: Vec<_> = (0..4)
        .map(|repeat| ask(&mut folder, &prompt, repeat).unwrap())
        .collect();
    assert_eq!(tiles.iter().map(grey).collect::<Vec<_>>(), [10, 20, 30, 40]);
    for tile in &tiles {
        let Answer::Pixels(rgb) = &tile.answer else {
            panic!("expected pixels");
        };
        assert_eq!(rgb.dimensions(), (10, 10));
        assert!(rgb.pixels().all(|pixel| pixel == rgb.get_pixel(0, 0)));
    }
    assert_eq!(folder.inventory(std::slice::from_ref(&prompt), 4).found, 4);

    let mut narrow = open(root.path(), json!({"layout": "dpg", "resolution": 16}));
    let (kind, message) = failure(ask(&mut narrow, &prompt, 1));
    assert_eq!(kind, "image");
    assert!(
        message.contains("20x20") && message.contains("resolution"),
        "{message}"
    );

    // One picture a prompt: the file is the picture, byte for byte.
    let mut whole = open(root.path(), json!({"layout": "dpg", "pic_num": 1}));
    let answer = ask(&mut whole, &prompt, 0).unwrap().answer;
    let Answer::Encoded { bytes, extension } = answer else {
        panic!("expected the file");
    };
    assert_eq!(
        bytes,
        std::fs::read(root.path().join("drawtext7.png")).unwrap()
    );
    assert_eq!(extension, "png");
    assert_eq!(failure(ask(&mut whole, &prompt, 1)).0, "missing");
}

#[test]
fn the_other_layouts_find_their_files() {
    let root = tempfile::tempdir().unwrap();
    let key = "4a7d36259ad94d238a6e7e7e0bd6b643";
    put(root.path(), "long/0007_1.png", 1);
    put(root.path(), "long/0007_4.png", 4);
    put(root.path(), "imgedit/1082.png", 5);
    put(
        root.path(),
        &format!("gedit/fullset/text_change/cn/{key}.png"),
        6,
    );
    put(
        root.path(),
        &format!("gedit/fullset/text_change/cn/{key}_SRCIMG.png"),
        99,
    );
    put(
        root.path(),
        &format!("gedit-bare/text_change/cn/{key}.png"),
        7,
    );
    put(root.path(), "wise/701.png", 8);
    put(root.path(), "flat/cat.webp", 9);
    put(root.path(), "flat/cat_1.jpg", 10);
    put(root.path(), "flat/animal/3.png", 11);

    let find = |folder: &str, layout: &str, item: &Item, repeat| {
        let mut folder = open(&root.path().join(folder), json!({"layout": layout}));
        grey(&ask(&mut folder, item, repeat).unwrap())
    };
    let long = item("7", json!({"prompt_id": 7, "texts": []}));
    assert_eq!(find("long", "longtext", &long, 0), 1);
    assert_eq!(find("long", "longtext", &long, 3), 4);
    assert_eq!(find("imgedit", "imgedit", &item("1082", json!({})), 0), 5);
    let gedit = item(key, json!({"edit_type": "text_change", "language": "cn"}));
    assert_eq!(find("gedit", "gedit", &gedit, 0), 6);
    assert_eq!(find("gedit-bare", "gedit", &gedit, 0), 7);
    let inventory =
        open(&root.path().join("gedit"), json!({"layout": "gedit"})).inventory(&[gedit], 1);
    assert_eq!((inventory.found, inventory.extra.len()), (1, 0));
    assert_eq!(
        find("wise", "wise", &item("x", json!({"prompt_id": 701})), 0),
        8
    );
    let cat = item("cat", json!({}));
    assert_eq!(find("flat", "flat", &cat, 0), 9);
    assert!(find("flat", "flat", &cat, 1).abs_diff(10) <= 1);
    assert_eq!(find("flat", "flat", &item("animal/3", json!({})), 0), 11);
}

#[test]
fn the_bytes_are_untouched_and_the_format_told_from_them() {
    let root = tempfile::tempdir().unwrap();
    let mut jpeg = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(RgbImage::from_pixel(8, 8, Rgb([7; 3])))
        .write_to(&mut jpeg, ImageFormat::Jpeg)
        .unwrap();
    let jpeg = jpeg.into_inner();
    std::fs::write(root.path().join("misnamed.png"), &jpeg).unwrap();
    let mut folder = open(root.path(), json!({}));
    let generated = ask(&mut folder, &item("misnamed", json!({})), 0).unwrap();
    assert_eq!(generated.extra["source"], "misnamed.png");
    let Answer::Encoded { bytes, extension } = generated.answer else {
        panic!("expected the file");
    };
    assert_eq!((bytes, extension), (jpeg, "jpg"));
}

#[test]
fn ids_and_links_cannot_leave_the_folder() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "secret.png", 1);
    put(root.path(), "pictures/inside.png", 2);
    let pictures = root.path().join("pictures");
    for layout in [
        "flat", "imgedit", "geneval", "dpg", "wise", "longtext", "gedit", "oneig",
    ] {
        let mut folder = open(&pictures, json!({"layout": layout}));
        let absolute = root.path().join("secret").display().to_string();
        for id in ["../secret", "x/../../secret", absolute.as_str()] {
            let (kind, message) = failure(ask(&mut folder, &item(id, json!({})), 0));
            assert_eq!(kind, "path", "{layout} {id}");
            assert!(message.contains("leads out of the folder"), "{message}");
        }
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.path().join("secret.png"), pictures.join("out.png"))
            .unwrap();
        std::os::unix::fs::symlink("inside.png", pictures.join("in.png")).unwrap();
        let mut folder = open(&pictures, json!({}));
        let (kind, message) = failure(ask(&mut folder, &item("out", json!({})), 0));
        assert_eq!(kind, "path");
        assert!(message.contains("outside of the folder"), "{message}");
        assert_eq!(
            grey(&ask(&mut folder, &item("in", json!({})), 0).unwrap()),
            2
        );
    }
}

#[test]
fn pictures_that_cannot_be_used_are_named() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("empty.png"), b"").unwrap();
    std::fs::write(root.path().join("words.png"), b"not a picture").unwrap();
    let mut folder = open(root.path(), json!({}));
    let (kind, message) = failure(ask(&mut folder, &item("empty", json!({})), 0));
    assert_eq!(kind, "image");
    assert!(
        message.contains("empty.png: the file is empty"),
        "{message}"
    );
    let (kind, message) = failure(ask(&mut folder, &item("words", json!({})), 0));
    assert_eq!(kind, "image");
    assert!(message.contains("words.png: not a picture"), "{message}");
    let (kind, message) = failure(ask(&mut folder, &item("absent", json!({})), 0));
    assert_eq!(kind, "missing");
    assert!(
        message.contains("absent.png") && message.contains("`flat`"),
        "{message}"
    );

    let settings = |value: Value| serde_json::from_value::<FolderSettings>(value).unwrap();
    let error = Folder::open(settings(json!({"path": root.path().join("nowhere")}))).unwrap_err();
    assert!(
        error.to_string().contains("nowhere: no such folder"),
        "{error}"
    );
    let error = Folder::open(settings(json!({"path": root.path().join("words.png")}))).unwrap_err();
    assert!(error.to_string().contains("this is a file"), "{error}");
    let error = Folder::open(settings(json!({"path": root.path(), "pic_num": 9}))).unwrap_err();
    assert!(
        error.to_string().contains("`pic_num` = 9, expected 1 to 4"),
        "{error}"
    );
    let unknown = json!({"path": ".", "layuot": "dpg"});
    assert!(serde_json::from_value::<FolderSettings>(unknown).is_err());
}

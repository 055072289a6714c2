//! Names of outputs in every layout.

use super::*;
use crate::record::Item;
use serde_json::{Value, json};
use std::path::PathBuf;

fn item(id: &str, expect: Value) -> Item {
    serde_json::from_value(json!({
        "item": id, "task": "text-to-image", "prompt": "p", "expect": expect
    }))
    .unwrap()
}

fn path(layout: &dyn FolderLayout, item: &Item, repeat: u32) -> String {
    layout.path(item, repeat, "png").display().to_string()
}

#[test]
fn paths_are_those_of_the_official_scripts() {
    let plain = item("00017", json!({}));
    assert_eq!(
        path(&geneval::Geneval, &plain, 3),
        "00017/samples/00003.png"
    );
    assert_eq!(
        path(&imgedit::ImgEdit, &item("1082", json!({})), 0),
        "1082.png"
    );
    // LongText-Bench numbers the four pictures from 1; its ids are not contiguous.
    let long = item("longtext-7", json!({"prompt_id": 7}));
    assert_eq!(path(&longtext::LongText, &long, 0), "0007_1.png");
    assert_eq!(
        path(&longtext::LongText, &item("199", json!({})), 3),
        "0199_4.png"
    );
    let wise = item("701", json!({"prompt_id": 701, "Category": "Biology"}));
    assert_eq!(path(&wise::Wise, &wise, 0), "701.png");
    let genai = item("00042", json!({"id": "00042"}));
    assert_eq!(
        genai::GenAi.path(&genai, 0, "jpg"),
        PathBuf::from("000000042.jpg")
    );
    let key = "4a7d36259ad94d238a6e7e7e0bd6b643";
    let gedit = item(
        key,
        json!({"edit_type": "background_change", "language": "en"}),
    );
    assert_eq!(
        path(&Gedit, &gedit, 0),
        format!("fullset/background_change/en/{key}.png")
    );
    let oneig = item("007", json!({"prompt_id": "007"}));
    assert_eq!(path(&oneig::OneIg, &oneig, 2), "007_2.png");
    let coco = item("COCOval2014000000000192", json!({}));
    assert_eq!(path(&dpg::Dpg, &coco, 2), "COCOval2014000000000192_2.png");
}

#[test]
fn every_layout_is_described() {
    crate::named::check_list::<dyn FolderLayout>();
}

#[test]
fn flat_names_never_meet() {
    // "a" repeat 1 and "a_1" repeat 0 must not share a file.
    assert_eq!(path(&flat::Flat, &item("a", json!({})), 1), "a_1.png");
    assert_eq!(path(&flat::Flat, &item("a_1", json!({})), 0), "a_1_0.png");
    // "%2F" as an id, and "/" as an id.
    assert_eq!(safe_name("%2F"), "%252F");
    assert_eq!(safe_name("/"), "%2F");
}

#[test]
fn ids_cannot_leave_the_folder() {
    assert_eq!(safe_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
    assert_eq!(safe_name(".."), "%2E%2E");
    assert_eq!(safe_name("C:\\x"), "C%3A%5Cx");
    assert_eq!(safe_name(""), "%");
    assert_eq!(safe_name("daily object/3.jpg"), "daily object%2F3.jpg");
    assert_eq!(safe_name("招牌"), "%E6%8B%9B%E7%89%8C");
    let long = "x".repeat(400);
    assert_eq!(safe_name(&long).len(), 180);
    assert_ne!(safe_name(&long), safe_name(&"x".repeat(401)));
    let gedit = item("k", json!({"edit_type": "../up", "language": "en"}));
    assert_eq!(path(&Gedit, &gedit, 0), "fullset/%2E.%2Fup/en/k.png");
}

#[test]
fn geneval_metadata_is_as_python_writes_it() {
    // First line of the official evaluation_metadata.jsonl.
    let official = r#"{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}"#;
    let bench = item("00000", serde_json::from_str(official).unwrap());
    assert_eq!(
        geneval::Geneval.sidecars(&bench),
        [(PathBuf::from("00000/metadata.jsonl"), official.to_owned())]
    );
    assert_eq!(flat::Flat.sidecars(&bench), []);
    // Python: json.dumps({"a": ["é\"\n", "😀", "\x7f"], "b": {}, "c": []})
    let odd = item(
        "1",
        json!({"a": ["é\"\n", "😀", "\u{7f}"], "b": {}, "c": []}),
    );
    assert_eq!(
        geneval::Geneval.sidecars(&odd)[0].1,
        "{\"a\": [\"\\u00e9\\\"\\n\", \"\\ud83d\\ude00\", \"\\u007f\"], \"b\": {}, \"c\": []}"
    );
}

proptest::proptest! {
    #[test]
    fn a_safe_name_is_one_plain_component(id in ".*") {
        let name = safe_name(&id);
        let components: Vec<_> = std::path::Path::new(&name).components().collect();
        proptest::prop_assert_eq!(components.len(), 1);
        proptest::prop_assert!(matches!(components[0], std::path::Component::Normal(_)));
        proptest::prop_assert!(name.len() <= 180);
    }
}

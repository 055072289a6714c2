//! Where benchmarks keep their pictures: the official folder layouts, so that official scripts run on our outputs
//! and we read other people's.

use crate::files::hex;
use crate::python;
use crate::record::Item;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// A folder layout. Paths are relative to the folder of outputs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `NNNNN/samples/NNNNN.png` beside `NNNNN/metadata.jsonl`: prompt number, then picture number from 0
    /// (geneval's `diffusers_generate.py`).
    Geneval,
    /// `{stem}.png` holding a 2x2 grid; single tiles are `{stem}_{repeat}.png` (ELLA's `compute_dpg_bench.py`).
    Dpg,
    /// `{prompt_id:04}_{k}.png`, k from 1 (X-Omni's `textbench`).
    Longtext,
    /// `{key}.png` (ImgEdit's `basic_bench.py`).
    Imgedit,
    /// `fullset/{task}/{lang}/{key}.png` beside the judge's source `{key}_SRCIMG.png`, where that is known (Step1X-Edit's
    /// GEdit-Bench).
    Gedit,
    /// `{prompt_id}.png` (WISE).
    Wise,
    /// `{prompt_id}.webp` (or any picture) holding a grid, 2x2 by default; single tiles are `{prompt_id}_{repeat}.png`
    /// (OneIG-Bench's `text_score.py`).
    Oneig,
    /// `{id:09}.jpg` (GenAI-Bench as UniWorld-V1 runs it).
    Genai,
    /// `{item}_{repeat}.png`.
    #[default]
    Flat,
}

impl Layout {
    /// The relative path of one output. Different outputs get different paths, all of them inside the folder.
    pub fn path(self, item: &Item, repeat: u32, extension: &str) -> PathBuf {
        let name = self.name(item);
        match self {
            Self::Geneval => PathBuf::from(name)
                .join("samples")
                .join(format!("{repeat:05}.{extension}")),
            Self::Longtext => format!("{name}_{}.{extension}", repeat + 1).into(),
            Self::Dpg | Self::Flat | Self::Oneig => format!("{name}_{repeat}.{extension}").into(),
            Self::Imgedit | Self::Wise | Self::Genai => single(&name, repeat, extension).into(),
            Self::Gedit => ["fullset".to_owned(), gedit_task(item), gedit_language(item)]
                .iter()
                .collect::<PathBuf>()
                .join(single(&name, repeat, extension)),
        }
    }

    /// The item's part of the path, safe as a file name.
    pub fn name(self, item: &Item) -> String {
        match self {
            Self::Longtext => match text_of(item.expect.get("prompt_id")) {
                Some(id) => padded(&id, 4),
                None => padded(&item.item, 4),
            },
            Self::Genai => padded(
                &text_of(item.expect.get("id")).unwrap_or(item.item.clone()),
                9,
            ),
            Self::Oneig | Self::Wise => {
                safe_name(&text_of(item.expect.get("prompt_id")).unwrap_or(item.item.clone()))
            }
            Self::Gedit => safe_name(&text_of(item.expect.get("key")).unwrap_or(item.item.clone())),
            Self::Geneval | Self::Dpg | Self::Imgedit | Self::Flat => safe_name(&item.item),
        }
    }

    /// The picture that the official script expects beside an item's: relative path, and where it lies.
    pub fn source(self, item: &Item) -> Option<(PathBuf, &str)> {
        let source = item.compared_with().first().copied()?;
        let known = self == Self::Gedit && item.extra.contains_key("compare_with");
        let name = format!("{}_SRCIMG", self.name(item));
        known.then(|| {
            (
                self.path(item, 0, "png")
                    .with_file_name(format!("{name}.png")),
                source,
            )
        })
    }

    /// Further files that the official scripts expect beside an item's pictures: relative path and content.
    pub fn sidecars(self, item: &Item) -> Vec<(PathBuf, String)> {
        match self {
            Self::Geneval => {
                let path = PathBuf::from(self.name(item)).join("metadata.jsonl");
                vec![(
                    path,
                    python::json::dumps(&Value::Object(item.expect.clone())),
                )]
            }
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Geneval => "geneval",
            Self::Dpg => "dpg",
            Self::Longtext => "longtext",
            Self::Imgedit => "imgedit",
            Self::Gedit => "gedit",
            Self::Wise => "wise",
            Self::Oneig => "oneig",
            Self::Genai => "genai",
            Self::Flat => "flat",
        })
    }
}

/// GEdit's task folder.
pub fn gedit_task(item: &Item) -> String {
    safe_name(&expected_or_tag(item, "edit_type").unwrap_or_else(|| "unknown".to_owned()))
}

/// GEdit's language folder: `en` or `cn`.
pub fn gedit_language(item: &Item) -> String {
    safe_name(&expected_or_tag(item, "language").unwrap_or_else(|| "en".to_owned()))
}

fn expected_or_tag(item: &Item, key: &str) -> Option<String> {
    text_of(item.expect.get(key)).or_else(|| item.tags.get(key).cloned())
}

fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The official name of an item's only picture; further ones, which no official script knows, get a suffix.
fn single(name: &str, repeat: u32, extension: &str) -> String {
    match repeat {
        0 => format!("{name}.{extension}"),
        _ => format!("{name}_{repeat}.{extension}"),
    }
}

fn padded(id: &str, digits: usize) -> String {
    match id.parse::<u64>() {
        Ok(number) => format!("{number:0digits$}"),
        Err(_) => safe_name(id),
    }
}

/// One path component made of `A-Z a-z 0-9 . _ - blank`; any other byte of the UTF-8 text becomes `%XX`, and so do
/// dots and blanks at either end. Names over 180 bytes are cut and made unique by a hash.
pub fn safe_name(text: &str) -> String {
    const LONGEST: usize = 180;
    let bytes = text.as_bytes();
    let mut name = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let at_end = at == 0 || at + 1 == bytes.len();
        match byte {
            b'.' | b' ' if at_end => _ = write!(name, "%{byte:02X}"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b' ' => {
                name.push(char::from(byte));
            }
            _ => _ = write!(name, "%{byte:02X}"),
        }
    }
    if name.is_empty() {
        name.push('%');
    }
    if name.len() > LONGEST {
        let digest = Sha256::digest(bytes);
        name.truncate(LONGEST - 17);
        name.push('-');
        name.push_str(&hex(&digest[..8]));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(id: &str, expect: Value) -> Item {
        serde_json::from_value(json!({
            "item": id, "task": "text-to-image", "prompt": "p", "expect": expect
        }))
        .unwrap()
    }

    fn path(layout: Layout, item: &Item, repeat: u32) -> String {
        layout.path(item, repeat, "png").display().to_string()
    }

    #[test]
    fn paths_are_those_of_the_official_scripts() {
        let plain = item("00017", json!({}));
        assert_eq!(path(Layout::Geneval, &plain, 3), "00017/samples/00003.png");
        assert_eq!(
            path(Layout::Imgedit, &item("1082", json!({})), 0),
            "1082.png"
        );
        // LongText-Bench numbers the four pictures from 1; its ids are not contiguous.
        let long = item("longtext-7", json!({"prompt_id": 7}));
        assert_eq!(path(Layout::Longtext, &long, 0), "0007_1.png");
        assert_eq!(
            path(Layout::Longtext, &item("199", json!({})), 3),
            "0199_4.png"
        );
        let wise = item("701", json!({"prompt_id": 701, "Category": "Biology"}));
        assert_eq!(path(Layout::Wise, &wise, 0), "701.png");
        let genai = item("00042", json!({"id": "00042"}));
        assert_eq!(
            Layout::Genai.path(&genai, 0, "jpg"),
            PathBuf::from("000000042.jpg")
        );
        let key = "4a7d36259ad94d238a6e7e7e0bd6b643";
        let gedit = item(
            key,
            json!({"edit_type": "background_change", "language": "en"}),
        );
        assert_eq!(
            path(Layout::Gedit, &gedit, 0),
            format!("fullset/background_change/en/{key}.png")
        );
        let oneig = item("007", json!({"prompt_id": "007"}));
        assert_eq!(path(Layout::Oneig, &oneig, 2), "007_2.png");
        let coco = item("COCOval2014000000000192", json!({}));
        assert_eq!(path(Layout::Dpg, &coco, 2), "COCOval2014000000000192_2.png");
    }

    #[test]
    fn flat_names_never_meet() {
        // "a" repeat 1 and "a_1" repeat 0 must not share a file.
        assert_eq!(path(Layout::Flat, &item("a", json!({})), 1), "a_1.png");
        assert_eq!(path(Layout::Flat, &item("a_1", json!({})), 0), "a_1_0.png");
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
        assert_eq!(path(Layout::Gedit, &gedit, 0), "fullset/%2E.%2Fup/en/k.png");
    }

    #[test]
    fn geneval_metadata_is_as_python_writes_it() {
        // First line of the official evaluation_metadata.jsonl.
        let official = r#"{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}"#;
        let bench = item("00000", serde_json::from_str(official).unwrap());
        assert_eq!(
            Layout::Geneval.sidecars(&bench),
            [(PathBuf::from("00000/metadata.jsonl"), official.to_owned())]
        );
        assert_eq!(Layout::Flat.sidecars(&bench), []);
        // Python: json.dumps({"a": ["é\"\n", "😀", "\x7f"], "b": {}, "c": []})
        let odd = item(
            "1",
            json!({"a": ["é\"\n", "😀", "\u{7f}"], "b": {}, "c": []}),
        );
        assert_eq!(
            Layout::Geneval.sidecars(&odd)[0].1,
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
}

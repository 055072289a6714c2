//! Names of files that come from items.

use crate::files::hex;
use crate::record::Item;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The longest name of a file that an item gives, in bytes.
const LONGEST: usize = 180;

/// One path component made of `A-Z a-z 0-9 . _ - blank`; any other byte of the UTF-8 text becomes `%XX`, and
/// so do dots and blanks at either end. A name over 180 bytes is cut and made unique by a hash.
pub fn safe_name(text: &str) -> String {
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

/// A number with leading zeros, or the safe name of any other id.
pub(super) fn padded(id: &str, digits: usize) -> String {
    match id.parse::<u64>() {
        Ok(number) => format!("{number:0digits$}"),
        Err(_) => safe_name(id),
    }
}

/// The official name of an item's only picture. Further ones, which no official script knows, get a suffix.
pub(super) fn picture_name(name: &str, repeat: u32) -> String {
    if repeat == 0 {
        name.to_owned()
    } else {
        format!("{name}_{repeat}")
    }
}

/// The text or number under a key of the item's `expect`, or else the item's id.
pub(super) fn expected_id(item: &Item, key: &str) -> String {
    expected_text(item, key).unwrap_or_else(|| item.item.clone())
}

/// The text or number under a key of the item's `expect`.
pub(super) fn expected_text(item: &Item, key: &str) -> Option<String> {
    match item.expect.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

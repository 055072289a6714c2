//! JSON as other programs write it: after a byte-order mark, and with halves of surrogate pairs in its texts.
//!
//! The grammar of JSON allows an unpaired `\ud83c` (RFC 8259, 8.2), and Python writes and reads it. Rust's
//! texts cannot contain it, so U+FFFD replaces it. Nothing else is repaired, so that incomplete JSON stays an
//! error.

use serde::de::DeserializeOwned;
use std::io::{self, Read};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// The escape of U+FFFD, which is as long as the one that it replaces.
const REPLACEMENT: &[u8] = br"\ufffd";
/// The length of an escaped pair, in bytes.
const PAIR: usize = 12;

/// Reads JSON.
///
/// # Errors
/// Fails if the bytes are not JSON, or not the expected JSON. The line and the column count from the text
/// after the byte-order mark.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|_| {
        let mut mended = bytes.to_vec();
        mend(&mut mended);
        serde_json::from_slice(&mended)
    })
}

/// Replaces each half of a surrogate pair by U+FFFD. Every other byte keeps its position.
pub fn mend(json: &mut [u8]) {
    mend_first(json, 0);
}

/// The same up to the last escape whose end, or whose pair, is in the last `open` bytes. Returns the length
/// of the finished part.
fn mend_first(json: &mut [u8], open: usize) -> usize {
    let end = json.len().saturating_sub(open);
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', json.get(at..).unwrap_or_default()) {
        at += found;
        if at >= end {
            return at;
        }
        at += match unit(json, at) {
            None => 2,
            Some(0xd800..=0xdbff) if matches!(unit(json, at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                json[at..at + REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
                REPLACEMENT.len()
            }
            Some(_) => 6,
        };
    }
    json.len()
}

/// A stream of JSON in which U+FFFD replaces each half of a surrogate pair.
pub struct Mended<R> {
    stream: R,
    /// The bytes that were read. The bytes up to the finished length are passed on from `at`, and the rest
    /// waits for its end.
    bytes: Vec<u8>,
    at: usize,
    done: usize,
    /// Number of bytes that are read at once.
    piece: u64,
}

impl<R: Read> Mended<R> {
    /// Wraps a stream.
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            at: 0,
            done: 0,
            piece: 1 << 16,
        }
    }

    fn fill_buffer(&mut self) -> io::Result<()> {
        self.bytes.drain(..self.done);
        (self.at, self.done) = (0, 0);
        while self.done == 0 {
            let before = self.bytes.len();
            let mut piece = self.stream.by_ref().take(self.piece);
            if piece.read_to_end(&mut self.bytes)? == 0 {
                mend(&mut self.bytes);
                self.done = before;
                return Ok(());
            }
            self.done = mend_first(&mut self.bytes, PAIR);
        }
        Ok(())
    }
}

impl<R: Read> Read for Mended<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.done {
            self.fill_buffer()?;
        }
        let read = (&self.bytes[self.at..self.done]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// The UTF-16 unit of an escape at this position.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(br"\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn text(json: &str) -> String {
        read(json.as_bytes()).unwrap()
    }

    #[test]
    fn halves_of_pairs_are_replaced_and_nothing_else() {
        assert_eq!(text(r#""B \ud83c""#), "B \u{fffd}");
        assert_eq!(text(r#""\uDF55 B""#), "\u{fffd} B");
        assert_eq!(text(r#""\ud83c\ud83c\udf55""#), "\u{fffd}🍕");
        assert_eq!(text(r#""\ud83c\u0041""#), "\u{fffd}A");
        assert_eq!(text(r#""\ud83c\n""#), "\u{fffd}\n");
        // A backslash and the letters of an escape are not an escape.
        assert_eq!(text(r#""\\ud83c \ud83c""#), "\\ud83c \u{fffd}");
        assert_eq!(
            read::<Value>("\u{feff}{\"\\ude00\": 1}".as_bytes()).unwrap(),
            json!({"\u{fffd}": 1})
        );
    }

    #[test]
    fn what_is_not_whole_stays_an_error() {
        for broken in [
            r#""\ud83c"#,
            r#""\ud83"#,
            r#""\ud8g0""#,
            r#"{"a": "\ud83c""#,
            "",
            "\u{feff}",
        ] {
            assert!(read::<Value>(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn whole_json_is_read_as_ever(text in any::<String>()) {
            let written = serde_json::to_vec(&text).unwrap();
            let mut mended = written.clone();
            mend(&mut mended);
            prop_assert_eq!(&mended, &written);
            prop_assert_eq!(read::<String>(&written).unwrap(), text);
        }

        #[test]
        fn a_stream_is_mended_as_the_whole_is(
            parts in prop::collection::vec(
                prop::sample::select(vec![r"\ud83c", r"\udf55", r"\u00e9", "\\\\", "\\", "u", "d83c", "x", "\u{e9}"]),
                0..40,
            ),
            piece in 1..20_u64,
        ) {
            let mut whole = parts.concat().into_bytes();
            let mut streamed = Vec::new();
            let stream = Mended::new(&whole[..]);
            Mended { piece, ..stream }.read_to_end(&mut streamed).unwrap();
            mend(&mut whole);
            prop_assert_eq!(streamed, whole);
        }
    }
}

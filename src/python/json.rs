//! JSON as Python's `json.dumps` writes it (with `", "` and `": "` between parts, or with every part on its
//! own line, in ASCII) and as `json.loads` reads it.

mod read;

pub use read::{loads, loads_once};

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

struct PythonStyle;

impl Formatter for PythonStyle {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        escaped(out, fragment)
    }
}

/// Writes every part on a line of its own.
struct Indented<'a>(PrettyFormatter<'a>);

macro_rules! passed_on {
    ($($method:ident($($argument:ident: $type:ty),*);)+) => {
        $(fn $method<W: Write + ?Sized>(&mut self, out: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$method(out $(, $argument)*)
        })+
    };
}

impl Formatter for Indented<'_> {
    passed_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        escaped(out, fragment)
    }
}

/// Writes characters outside ASCII as `\uXXXX`.
fn escaped<W: Write + ?Sized>(out: &mut W, fragment: &str) -> io::Result<()> {
    let mut units = [0; 2];
    for character in fragment.chars() {
        if matches!(character, ' '..='~') {
            out.write_all(&[character as u8])?;
        } else {
            for unit in character.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
    }
    Ok(())
}

fn separate<W: Write + ?Sized>(out: &mut W, first: bool) -> io::Result<()> {
    out.write_all(if first { b"" } else { b", " })
}

/// `json.dumps(value)`.
pub fn dumps(value: &Value) -> String {
    written(value, PythonStyle)
}

/// `json.dumps(value, indent=indent)`.
pub fn dumps_indented(value: &Value, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    written(
        value,
        Indented(PrettyFormatter::with_indent(blanks.as_bytes())),
    )
}

/// `json.dumps(value, indent=indent, ensure_ascii=False)`.
pub fn dumps_unicode(value: &Value, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    written(value, PrettyFormatter::with_indent(blanks.as_bytes()))
}

fn written(value: &Value, style: impl Formatter) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, style);
    // Writing a `Value` into memory cannot fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

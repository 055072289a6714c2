//! The one place that writes to standard output and standard error. Throughout the crate `println!`, `print!`
//! and `eprintln!` are the macros of this file: the standard ones panic when whoever read them has gone.
//!
//! A reader of the results that has gone (`| head`) has seen enough: the rest is dropped, and the work goes
//! on to its own exit code. A reader of progress and remarks that has gone loses those, and nothing else.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// As the standard one, into [`crate::print`].
macro_rules! print {
    ($($words:tt)*) => { $crate::print::out(format_args!($($words)*)) };
}

/// As the standard one, into [`crate::print`].
macro_rules! println {
    () => { $crate::print::bytes(b"\n") };
    ($($words:tt)*) => { $crate::print::out(format_args!("{}\n", format_args!($($words)*))) };
}

/// As the standard one, into [`crate::print`].
macro_rules! eprintln {
    () => { $crate::print::remark(format_args!("")) };
    ($($words:tt)*) => { $crate::print::remark(format_args!($($words)*)) };
}

/// Nothing more is written to standard output.
static ENDED: AtomicBool = AtomicBool::new(false);
/// Why, where it is not that nobody reads it.
static FAULT: Mutex<Option<String>> = Mutex::new(None);

/// Writes results to standard output.
pub(crate) fn out(words: Arguments<'_>) {
    match words.as_str() {
        Some(words) => bytes(words.as_bytes()),
        None => bytes(words.to_string().as_bytes()),
    }
}

/// The same as [`out`], for bytes.
pub(crate) fn bytes(bytes: &[u8]) {
    if ENDED.load(Ordering::Relaxed) {
        return;
    }
    let mut stdout = std::io::stdout().lock();
    let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) else {
        return;
    };
    ENDED.store(true, Ordering::Relaxed);
    if error.kind() != ErrorKind::BrokenPipe {
        let mut fault = FAULT.lock().unwrap_or_else(PoisonError::into_inner);
        *fault = Some(error.to_string());
    }
}

/// Why results are missing on standard output, such as a full disk. `None` if all was written, or nobody
/// reads.
pub(crate) fn fault() -> Option<String> {
    let fault = FAULT.lock().unwrap_or_else(PoisonError::into_inner);
    fault.clone()
}

/// Writes a line to standard error.
pub(crate) fn remark(words: Arguments<'_>) {
    let line = format!("{words}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Standard error for logs.
#[derive(Debug, Clone, Copy)]
pub struct Remarks;

impl Write for Remarks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = std::io::stderr().lock().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

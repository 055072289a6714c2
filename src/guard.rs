//! Turns panics into errors. A library that reads files may panic at a damaged file, which is an error of
//! this file.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `read`. A panic inside it becomes its error, and is not printed.
///
/// # Errors
/// Fails if `read` fails or panics.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    caught(read).unwrap_or_else(|said| {
        Err(format!(
            "its data are damaged ({})",
            said.as_deref()
                .and_then(|said| said.lines().next())
                .unwrap_or("no reason given")
        ))
    })
}

/// Runs `work`. A panic inside it, on this thread, is not printed. Panics on other threads are printed as
/// usual.
///
/// # Errors
/// Fails if `work` panics. The error is the message of the panic, if it has one.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Option<String>> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                before(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    // After a panic, callers do not use anything that `work` has changed.
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| panic_text(payload.as_ref()))
}

/// The message of a panic.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> Option<String> {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    let said = owned.or_else(|| payload.downcast_ref::<&str>().copied());
    said.map(str::to_owned)
}

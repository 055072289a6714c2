//! A reader that was written for honest files may panic at hostile ones: that, too, is an error about the
//! file.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `read`; a panic inside it becomes its error, and is printed nowhere.
///
/// # Errors
/// Those of `read`, and what a panic said.
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

/// Runs `work`; a panic inside it, on this thread, is printed nowhere. Panics elsewhere are printed as ever.
///
/// # Errors
/// What a panic said, where it said anything.
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
    // Nothing that `work` has changed half-way is used after a panic: callers give it up.
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| panic_text(payload.as_ref()))
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> Option<String> {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    let said = owned.or_else(|| payload.downcast_ref::<&str>().copied());
    said.map(str::to_owned)
}

//! The consequences of errors in networks for a run.

use crate::generate::error::GenerateError;
use crate::model::ModelError;

/// A checkpoint that cannot be used stops the run.
pub(crate) fn fatal(error: ModelError) -> GenerateError {
    let help = miette::Diagnostic::help(&error)
        .map(|help| help.to_string())
        .unwrap_or_else(|| "check the folder of the checkpoint".into());
    GenerateError::fatal(error.to_string(), help)
}

/// An error while a network runs is the failure of one output. If memory runs out, the message names the
/// option that helps.
pub(crate) fn running(phase: &'static str) -> impl Fn(ModelError) -> GenerateError {
    move |error| match &error {
        ModelError::Candle(cause) if out_of_memory(cause) => GenerateError::item(
            "memory",
            format!(
                "out of device memory in the phase `{phase}`: {cause}; `--vram-budget` below what the device has \
                 makes networks take turns, a smaller `size` needs less"
            ),
        ),
        _ => GenerateError::item("network", format!("{phase}: {error}")),
    }
}

/// Whether the device ran out of memory.
pub(super) fn out_of_memory(error: &candle_core::Error) -> bool {
    let text = error.to_string().to_lowercase();
    text.contains("out of memory") || text.contains("out_of_memory")
}

//! Settings of the `control` generator.

use crate::generate::error::GenerateError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `control` generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlSettings {
    /// What every output is.
    pub control: Control,
    /// The strength of `shift` and `shifted-map` (pixels to the right, 1 if absent), `scale` (a factor, 1.05),
    /// `jpeg` and `jpeg-map` (the quality, 75), `canny-map` (the lower bound, 50; the upper one is twice as
    /// large), `jitter` (heights of a line, 1) and `respell` (the share of lines, 0.3).
    #[serde(default)]
    pub amount: Option<f64>,
    /// For `caption`: the folder of a run whose model described the same pictures.
    #[serde(default)]
    pub readings: Option<PathBuf>,
}

/// An answer without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// The clean picture of an item with noise: the ceiling.
    Clean,
    /// The input picture, unchanged.
    Identity,
    /// The noisy input with its contrast restored.
    Rescale,
    /// The noisy input under the Gaussian blur that brings it nearest to the clean picture: the ceiling of
    /// linear filters.
    Smooth,
    /// The mean colour of the input.
    Blank,
    /// The clean picture of another source.
    Other,
    /// What a model said of the same picture, drawn by the miniature world: the channel of words alone.
    Caption,
    /// The expected picture of an edit: the ceiling.
    Target,
    /// The input as JPEG.
    Jpeg,
    /// The input, moved to the right. The border is repeated.
    Shift,
    /// The input, enlarged about its centre and cropped.
    Scale,
    /// The page, with each line moved by up to `amount` heights (1 if absent) to any side.
    Jitter,
    /// The page, with another letter in a share `amount` (0.3 if absent) of the lines.
    Respell,
    /// The page, with its first and its last line at each other's places.
    Swap,
    /// The page without its first line.
    Drop,
    /// The exact map: the ceiling.
    Exact,
    /// The exact map with dark and bright exchanged.
    Inverted,
    /// The exact map, moved to the right.
    ShiftedMap,
    /// The exact map with lines of three pixels.
    ThickMap,
    /// The exact map with the last two colours of the palette exchanged.
    SwappedMap,
    /// The exact map as JPEG.
    JpegMap,
    /// Canny's edges with other bounds.
    CannyMap,
    /// Black.
    Black,
    /// From black at the top to white at the bottom, which is the depth of many photographs.
    Gradient,
}

impl ControlSettings {
    /// The strength.
    pub(super) fn amount_or(&self, usual: f64) -> f64 {
        self.amount.unwrap_or(usual)
    }

    /// Checks that the strength is in its range.
    ///
    /// # Errors
    /// Fails if it is not, if the control has none, or if `readings` are missing or have no use.
    pub(super) fn check(&self) -> Result<(), GenerateError> {
        if (self.control == Control::Caption) != self.readings.is_some() {
            return Err(GenerateError::fatal(
                "the control `caption`, and no other, needs `readings`",
                "give the folder of a run whose model described the same pictures",
            ));
        }
        let Some(amount) = self.amount else {
            return Ok(());
        };
        let range = match self.control {
            Control::Shift | Control::ShiftedMap => Some((0.0, 8192.0)),
            Control::Scale => Some((1.0, 16.0)),
            Control::Jpeg | Control::JpegMap => Some((1.0, 100.0)),
            Control::CannyMap => Some((0.0, 2000.0)),
            Control::Jitter => Some((0.0, 4.0)),
            Control::Respell => Some((0.0, 1.0)),
            _ => None,
        };
        match range {
            Some((low, high)) if (low..=high).contains(&amount) => Ok(()),
            Some((low, high)) => Err(GenerateError::fatal(
                format!("`amount` is {amount}"),
                format!("give a number from {low} to {high}"),
            )),
            None => Err(GenerateError::fatal(
                "this control has no `amount`",
                "leave out the key",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_out_of_their_ranges_are_refused() {
        let check = |control, amount| {
            ControlSettings {
                control,
                amount,
                readings: None,
            }
            .check()
        };
        assert!(check(Control::Caption, None).is_err());
        assert!(check(Control::Shift, Some(4.0)).is_ok());
        assert!(check(Control::Shift, Some(-1.0)).is_err());
        assert!(check(Control::Jpeg, Some(f64::NAN)).is_err());
        assert!(check(Control::Clean, Some(1.0)).is_err());
        assert!(check(Control::Clean, None).is_ok());
    }
}

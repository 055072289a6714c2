//! Where networks of this process run.

use super::error::SessionError;
use crate::guard::caught;
use candle_core::Device;
use std::fmt;
use std::str::FromStr;

/// A device as the user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA, else Metal, else the CPU.
    Auto,
    /// The processor.
    Cpu,
    /// A CUDA device, by its number.
    Cuda(usize),
    /// The Metal device of a Mac.
    Metal,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':').unwrap_or((text, "0")) {
            ("auto", "0") => Ok(Self::Auto),
            ("cpu", "0") => Ok(Self::Cpu),
            ("metal", "0") => Ok(Self::Metal),
            ("cuda", number) => number
                .parse()
                .map(Self::Cuda)
                .map_err(|_| format!("`{number}` is not the number of a device")),
            _ => Err(format!(
                "`{text}` is not a device; write cpu, cuda, cuda:1, metal or auto"
            )),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

impl DeviceChoice {
    /// Opens the device and names it; `auto` takes the best that opens.
    ///
    /// # Errors
    /// Fails if a device that was asked for by name cannot be opened, with the reason.
    pub fn resolve(self) -> Result<Self, String> {
        match self {
            Self::Auto => Ok([Self::Cuda(0), Self::Metal]
                .into_iter()
                .find(|choice| choice.open().is_ok())
                .unwrap_or(Self::Cpu)),
            named => named.open().map(|_| named),
        }
    }

    /// The same as [`DeviceChoice::resolve`], for a whole session.
    ///
    /// # Errors
    /// [`SessionError::Device`]
    pub(super) fn resolve_for_run(self) -> Result<Self, SessionError> {
        self.resolve().map_err(|reason| SessionError::Device {
            reason,
            help: "choose another `--device`, or build with `--features cuda` (or `metal`)",
        })
    }

    /// Whether this is a GPU: by its name, so that a plan for one can be made where there is none.
    pub fn is_gpu(self) -> bool {
        match self {
            Self::Auto => self.resolve().is_ok_and(|device| device != Self::Cpu),
            Self::Cpu => false,
            Self::Cuda(_) | Self::Metal => true,
        }
    }

    /// Opens the device for networks.
    ///
    /// # Errors
    /// Fails when [`DeviceChoice::resolve`] fails.
    pub fn open(self) -> Result<Device, String> {
        match self {
            Self::Auto => self.resolve()?.open(),
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(number) => cuda(number)
                .map_err(|reason| format!("CUDA device {number} cannot be used: {reason}")),
            Self::Metal => Device::new_metal(0)
                .map_err(|error| format!("the Metal device cannot be used: {error}")),
        }
    }
}

/// The binding panics where it does not find the library of the driver: that becomes an error, and the
/// panic's own words are not printed.
fn cuda(number: usize) -> Result<Device, String> {
    match caught(|| Device::new_cuda(number)) {
        Ok(device) => device.map_err(|error| error.to_string()),
        Err(_) => Err(
            "the driver or cuBLAS is not found: install the NVIDIA driver and the CUDA 13 libraries, or name their \
             folders in LD_LIBRARY_PATH"
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_read_as_the_field_writes_them() {
        assert_eq!("cuda:1".parse(), Ok(DeviceChoice::Cuda(1)));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        for wrong in ["gpu", "cuda:x", "cpu:2", ""] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }
}

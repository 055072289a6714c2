//! `lpips`: the distance of two pictures. The key `net` of the case names the network whose features are
//! compared.

use crate::model::lpips::Lpips;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{DType, Device};

/// The component `lpips`.
pub(super) const LPIPS: Component = Component { name: "lpips", run };

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let net = case.setting("net")?;
    let folder = case.checkpoint();
    let lpips = Lpips::open(
        net,
        &folder.join("trunk.safetensors"),
        &folder.join("linear.pth"),
        device,
    )?;
    let picture = |name| -> Result<_, CaseError> {
        Ok(case.input(name)?.to_device(device)?.to_dtype(DType::F32)?)
    };
    let distance = lpips.forward(&picture("a")?, &picture("b")?)?;
    Ok([("distance".into(), distance)].into())
}

//! `lpips`: the distance of two pictures; the case's `net` says which network's features are compared.

use super::{Case, CaseError, Tensors};
use crate::model::lpips::Lpips;
use candle_core::{DType, Device};

pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
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

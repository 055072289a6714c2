//! `aesthetic`: the scores of both published heads.

use crate::model::aesthetic::AestheticHead;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::Device;

/// The component `aesthetic`.
pub(super) const AESTHETIC: Component = Component {
    name: "aesthetic",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let embeddings = case.input("embeddings")?.to_device(device)?;
    let scores = |file: &str| {
        let head = AestheticHead::open(&case.checkpoint().join(file), device)?;
        Ok::<_, CaseError>(head.scores(&embeddings)?)
    };
    Ok([
        ("linear".into(), scores("sa_0_4_vit_l_14_linear.pth")?),
        ("mlp".into(), scores("sac+logos+ava1-l14-linearMSE.pth")?),
    ]
    .into())
}

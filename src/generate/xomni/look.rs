//! The phase `look`: encodes the pictures of a question as codes.

use super::layout::OWN;
use super::picture::quantizer;
use super::words::Codes;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Location, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::generate::spoken::Spoken;
use crate::model::processor::BoundedProcessor;
use crate::model::xomni::{VisionConfig, Vit, VqEncoder};
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::{Value, json};

/// The first half of the tokenizer by its configuration: vision transformer and quantizer.
pub(super) struct LookNetworks {
    /// The vision transformer.
    pub vit: Network<Vit>,
    /// The quantizer, which is always in f32.
    pub vq: Network<VqEncoder>,
    processor: BoundedProcessor,
    dtype: DType,
    identity: Value,
}

/// The tokenizer's first half.
pub(super) struct Look {
    vit: Network<Vit>,
    vq: Network<VqEncoder>,
    processor: BoundedProcessor,
    device: Device,
    dtype: DType,
    /// Everything in the settings and the checkpoint that determines the codes.
    identity: Value,
}

impl LookNetworks {
    /// The tokenizer of a checkpoint. With `any_image_size`, it also reads pictures of sizes on which it was
    /// not trained.
    pub(super) fn new(
        vision: &VisionConfig,
        any_image_size: bool,
        folder: &CheckpointFolder,
    ) -> Self {
        let own = folder.below(OWN);
        let (vit, vq) = (vision.encoder.clone(), vision.encoder.clone());
        let location = Location {
            label: format!("{OWN} (vision pickle)"),
            path: own.path().join(&vit.siglip_path),
        };
        let vit_info = NetworkInfo::new("SigLIP2-g", location, folder.dtype());
        let location = quantizer(vision, folder);
        let vq_info = NetworkInfo::new("quantizer, encoding", location, DType::F32);
        let mut transform = vision.transform;
        transform.filtering &= !any_image_size;
        Self {
            vit: Network::new(vit_info, move |weights| Vit::new(&vit, weights)),
            vq: Network::new(vq_info, move |weights| VqEncoder::new(&vq, weights)),
            processor: BoundedProcessor(transform),
            dtype: folder.dtype(),
            identity: json!([
                "look",
                own.path().to_string_lossy(),
                transform,
                folder.dtype().as_str()
            ]),
        }
    }

    /// The phase that encodes the pictures of a question.
    pub(super) fn phase(self) -> Phase {
        let networks = vec![self.vit.any(), self.vq.any()];
        Phase::new("look", networks, |device| Ok(self.on(device)))
    }

    /// The tokenizer on a device. Other code opens its files.
    pub(super) fn on(self, device: &Device) -> Look {
        Look {
            vit: self.vit,
            vq: self.vq,
            processor: self.processor,
            device: device.clone(),
            dtype: self.dtype,
            identity: self.identity,
        }
    }
}

impl Look {
    /// The codes of a picture.
    ///
    /// # Errors
    /// Fails if the size or shape of the picture is outside the limits, or if memory runs out.
    pub(super) fn codes(&self, picture: &RgbImage) -> Result<Codes, GenerateError> {
        let pixels = self.processor.prepare(picture);
        let pixels = pixels.map_err(|error| GenerateError::item("image", error.to_string()))?;
        let (vit, vq) = (self.vit.get()?, self.vq.get()?);
        let see = || -> Result<_> {
            let (features, grid) =
                vit.forward(&pixels.to_device(&self.device)?.to_dtype(self.dtype)?)?;
            let ids = vq.encode(&features)?.flatten_all()?.to_vec1()?;
            Ok((ids, grid))
        };
        let (ids, (height, width)) = see().map_err(running("look"))?;
        Ok(Codes { height, width, ids })
    }
}

/// The name of the tensor with the codes of a request's picture.
fn name(number: usize) -> String {
    format!("codes.{number}")
}

/// The codes of a request's pictures, in their order.
///
/// # Errors
/// Fails if the stored tensors cannot be read.
pub(super) fn codes_left(before: &Named) -> Result<Vec<Codes>> {
    let tensors = (0..).map_while(|number| before.get(&name(number)));
    tensors
        .map(|tensor| {
            let (height, width) = tensor.dims2()?;
            let ids = tensor.flatten_all()?.to_vec1()?;
            Ok(Codes { height, width, ids })
        })
        .collect()
}

impl Stage for Look {
    fn wants(&self, request: &Request<'_>) -> bool {
        request.item.task == Task::Understand && request.item.all_images().next().is_some()
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let pictures = Spoken::file_bytes(request)?;
        Ok(Key::after(before, &self.identity, &pictures))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let wrong = running("look");
        let mut tensors = Named::new();
        let spoken = Spoken::turns(request)?;
        let mut extra = Object::new();
        Spoken::note_changes(&spoken, &mut extra);
        let pictures = spoken.iter().flat_map(|turn| &turn.pictures);
        for (number, picture) in pictures.enumerate() {
            let Codes { height, width, ids } = self.codes(picture)?;
            let tensor = Tensor::from_vec(ids, (height, width), &Device::Cpu);
            tensors.insert(
                name(number),
                tensor.map_err(ModelError::from).map_err(&wrong)?,
            );
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}

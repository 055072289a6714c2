//! The phase `look`: the pictures of a question become codes.

use super::words::Codes;
use crate::cancel::Cancel;
use crate::generate::diffusion::{Key, Made, Named, Network, Stage, Step, fatal, running};
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::spoken::Spoken;
use crate::model::processor::BoundedProcessor;
use crate::model::weights::{Checked, Files};
use crate::model::xomni::{Config, Vit, VqEncoder};
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use std::path::Path;
use std::sync::Arc;

/// The tokenizer's first half: vision transformer and quantizer.
pub struct Look {
    vit: Network<Vit>,
    vq: Network<VqEncoder>,
    processor: BoundedProcessor,
    device: Device,
    dtype: DType,
    identity: String,
}

impl Look {
    /// Opens the tokenizer of a checkpoint's folder.
    ///
    /// # Errors
    /// When a file is absent or damaged, or weights and configuration do not fit.
    pub fn open(
        folder: &Path,
        config: &Config,
        any_image_size: bool,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, GenerateError> {
        let vision = config.vision().map_err(fatal)?;
        let open = |file: &str| {
            Files::open_file(&folder.join(file))
                .map(Arc::new)
                .map_err(fatal)
        };
        let (vit, vq) = (vision.encoder.clone(), vision.encoder.clone());
        let mut transform = vision.transform;
        transform.filtering &= !any_image_size;
        Ok(Self {
            vit: Network::of(open(&vit.siglip_path)?, dtype, device, move |weights| {
                Vit::new(&vit, weights)
            })?,
            vq: Network::of(
                open(&vq.projector_path)?,
                DType::F32,
                device,
                move |weights| VqEncoder::new(&vq, weights),
            )?,
            processor: BoundedProcessor(transform),
            device: device.clone(),
            dtype,
            identity: format!("{folder:?} {transform:?} {dtype:?}"),
        })
    }

    /// The codes of a picture.
    ///
    /// # Errors
    /// When its size or shape is outside the limits, or memory runs out.
    pub fn codes(&mut self, picture: &RgbImage) -> Result<Codes, GenerateError> {
        let pixels = self.processor.prepare(picture);
        let pixels = pixels.map_err(|error| GenerateError::item("image", error.to_string()))?;
        let (device, dtype) = (self.device.clone(), self.dtype);
        let see =
            |vit: &Vit| -> Result<_> { vit.forward(&pixels.to_device(&device)?.to_dtype(dtype)?) };
        let (features, (height, width)) = see(self.vit.get()?).map_err(running("look"))?;
        let name = |vq: &VqEncoder| -> Result<Vec<u32>> {
            Ok(vq.encode(&features)?.flatten_all()?.to_vec1()?)
        };
        Ok(Codes {
            height,
            width,
            ids: name(self.vq.get()?).map_err(running("look"))?,
        })
    }
}

/// The name under which the codes of a request's picture are left.
fn name(number: usize) -> String {
    format!("codes.{number}")
}

/// The codes of a request's pictures, in their order.
///
/// # Errors
/// When what was left cannot be read.
pub fn left(before: &Named) -> Result<Vec<Codes>> {
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
    fn name(&self) -> &'static str {
        "look"
    }

    fn bytes(&self) -> u64 {
        self.vit.bytes() + self.vq.bytes()
    }

    fn loaded(&self) -> bool {
        self.vit.is_loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.vq.load(check)?;
        self.vit.load(check)
    }

    fn unload(&mut self) {
        self.vit.unload();
        self.vq.unload();
    }

    fn wants(&self, request: &Request<'_>) -> bool {
        request.item.task == Task::Understand && request.item.all_images().next().is_some()
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let mut parts = vec![
            b"look".to_vec(),
            self.identity.clone().into_bytes(),
            before.as_bytes().to_vec(),
        ];
        parts.extend(Spoken::bytes(request)?);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Ok(Key::of(&parts))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let wrong = running("look");
        let mut tensors = Named::new();
        let spoken = Spoken::of(request)?;
        let mut extra = Object::new();
        Spoken::note(&spoken, &mut extra);
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

//! The phase `decode`: from latents to pixels, at the size that the benchmark stores.

use super::LATENTS;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{Key, Made, Named, Network, Phase, Stage, Step, running};
use crate::image::pillow::{Filter, resize};
use crate::model::{ModelError, Result};
use crate::record::Object;
use candle_core::{DType, Tensor};
use image::RgbImage;
use serde_json::{Value, json};

/// The stage of the phase: a decoder, and the function that makes a picture with it.
pub(in crate::generate) struct Decode<N, P> {
    decoder: Network<N>,
    picture: P,
    /// Everything in the settings that determines the picture, for the content hash.
    shape: Value,
    /// The [width, height] of the stored picture, if it is not that of the generated one.
    stored_size: Option<[u32; 2]>,
}

impl<N, P> Decode<N, P>
where
    P: Fn(&N, &Tensor, &Request<'_>, &mut Object) -> Result<RgbImage, GenerateError>,
{
    /// `picture` makes the picture of a request from the latents, and may add to the output's record.
    pub(in crate::generate) fn new(
        decoder: Network<N>,
        stored_size: Option<[u32; 2]>,
        picture: P,
    ) -> Self {
        Self {
            decoder,
            picture,
            shape: json!(["decode"]),
            stored_size,
        }
    }

    /// The same stage, whose pictures also depend on a part with this name.
    #[must_use]
    pub(in crate::generate) fn with_part(mut self, name: &str) -> Self {
        self.shape = json!(["decode", name]);
        self
    }
}

/// The phase for a decoder alone. `picture` makes the picture from the latents.
pub(in crate::generate) fn decode_phase<N, P>(
    decoder: Network<N>,
    stored_size: Option<[u32; 2]>,
    picture: P,
) -> Phase
where
    N: Send + Sync + 'static,
    P: Fn(&N, &Tensor) -> Result<RgbImage> + Send + 'static,
{
    Phase::new("decode", vec![decoder.any()], move |_| {
        Ok(Decode::new(
            decoder,
            stored_size,
            move |decoder, latents, _, _| picture(decoder, latents).map_err(running("decode")),
        ))
    })
}

impl<N, P> Stage for Decode<N, P>
where
    N: Send + Sync + 'static,
    P: Fn(&N, &Tensor, &Request<'_>, &mut Object) -> Result<RgbImage, GenerateError> + Send,
{
    fn key(&self, _: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        Ok(Key::after(before, &self.shape, &[]))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        _: &Cancel,
    ) -> Result<Step, GenerateError> {
        let decoder = self.decoder.get()?;
        let latents = before.get(LATENTS).ok_or_else(|| {
            let missing = ModelError::Input("there are no latents to decode".into());
            running("decode")(missing)
        })?;
        let mut extra = Object::new();
        let mut picture = (self.picture)(&decoder, latents, request, &mut extra)?;
        if let Some([width, height]) = self.stored_size {
            picture = resize(&picture, width, height, Filter::Bicubic);
        }
        Ok(Step {
            made: Made::Pixels(picture),
            extra,
        })
    }
}

/// [1, 3, H, W] in −1 to 1 → 8 bits: x / 2 + 0.5, clamped, times 255, rounded half to even as numpy does.
///
/// # Errors
/// Fails if there is not one picture.
pub(in crate::generate) fn to_pixels(image: &Tensor) -> Result<RgbImage> {
    let image = image.to_dtype(DType::F32)?.squeeze(0)?.permute((1, 2, 0))?;
    let (height, width, _) = image.dims3()?;
    let values: Vec<f32> = image.flatten_all()?.to_vec1()?;
    let bytes = values
        .into_iter()
        .map(|x| ((x / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8)
        .collect();
    RgbImage::from_raw(width as u32, height as u32, bytes).ok_or_else(|| {
        ModelError::Input(format!("{width} × {height} is not the size of a picture"))
    })
}

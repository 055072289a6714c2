//! LPIPS v0.1 (Zhang et al., arXiv 1801.03924): the distance of two pictures in the features of a network
//! that was trained on ImageNet, with weights learned from human judgements. The keys are torchvision's
//! (`features.0.weight`, …) and, for the weights of the channels, those of the package lpips
//! (`lin0.model.1.weight`, …). The widths come from the stored tensors.

use super::nn::{Conv2d, Padding};
use super::weights::{Files, load};
use super::{ModelError, Result, Weights};
use candle_core::{D, DType, Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// The mean and deviation of the networks' pictures on −1..=1.
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];
/// Prevents a division by zero for a vector without features.
const EPS: f64 = 1e-10;

/// The network whose features are compared.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LpipsNet {
    /// AlexNet, the authors' default.
    #[default]
    Alex,
    /// VGG-16.
    Vgg,
    /// SqueezeNet 1.1, which PIE-Bench uses.
    Squeeze,
}

impl LpipsNet {
    /// The name in settings and evidence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alex => "alex",
            Self::Vgg => "vgg",
            Self::Squeeze => "squeeze",
        }
    }

    /// The shortest side of a picture that still has a pixel after all convolutions and poolings.
    pub fn least_side(self) -> u32 {
        match self {
            Self::Alex => 31,
            Self::Vgg => 16,
            Self::Squeeze => 25,
        }
    }
}

/// A step of a trunk.
#[derive(Debug, Clone)]
enum Step {
    /// A convolution, followed by a ReLU.
    Conv(Conv2d),
    /// The maximum of each window, in steps of 2. With `ceil`, incomplete windows at the right and the bottom
    /// count.
    Pool { window: usize, ceil: bool },
    /// The module of SqueezeNet: fewer channels, and then two parallel convolutions.
    Fire([Conv2d; 3]),
    /// A point at which the features are compared.
    Tap,
}

/// The network.
#[derive(Debug, Clone)]
pub struct Lpips {
    net: LpipsNet,
    steps: Vec<Step>,
    /// The weights of each tap, [1, C, 1, 1].
    channels: Vec<Tensor>,
    device: Device,
}

impl Lpips {
    /// Loads the trunk's weights and those of the channels, each a file or a folder with one.
    ///
    /// # Errors
    /// Fails if a file is absent or damaged, or has another network.
    pub fn open(net: LpipsNet, trunk: &Path, linear: &Path, device: &Device) -> Result<Self> {
        let trunk = Arc::new(Files::open(trunk)?);
        let steps = load(&trunk, DType::F32, device, |weights| steps(net, weights))?;
        let taps = steps
            .iter()
            .filter(|step| matches!(step, Step::Tap))
            .count();
        let linear = Arc::new(Files::open(linear)?);
        let channels = load(&linear, DType::F32, device, |weights| {
            (0..taps)
                .map(|tap| {
                    let weights = weights.at(format!("lin{tap}.model.1"));
                    let width = stored(&weights, 1)?;
                    weights.get("weight", (1, width, 1, 1))
                })
                .collect::<Result<Vec<_>>>()
        })?;
        Ok(Self {
            net,
            steps,
            channels,
            device: device.clone(),
        })
    }

    /// The network whose features are compared.
    pub fn net(&self) -> LpipsNet {
        self.net
    }

    /// The distance of two pictures of one size; 0 for the same picture.
    ///
    /// # Errors
    /// Fails if they are too small for the network or differ in size.
    pub fn distance(&self, a: &RgbImage, b: &RgbImage) -> Result<f64> {
        let least = self.net.least_side();
        let (width, height) = a.dimensions();
        if a.dimensions() != b.dimensions() || width.min(height) < least {
            return Err(ModelError::Input(format!(
                "LPIPS ({}) compares pictures of the same size with sides of at least {least} pixels, but these have {width}x{height} and {}x{}",
                self.net.name(),
                b.width(),
                b.height(),
            )));
        }
        let pixels = [a, b].map(|image| self.pixels(image));
        let [a, b] = pixels;
        let distance: f32 = self.forward(&a?, &b?)?.squeeze(0)?.to_scalar()?;
        Ok(f64::from(distance))
    }

    /// [1, 3, H, W] on −1..=1.
    fn pixels(&self, image: &RgbImage) -> Result<Tensor> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let values = image.as_raw().iter().map(|v| f32::from(*v) / 127.5 - 1.0);
        let pixels = Tensor::from_iter(values, &self.device)?.reshape((1, height, width, 3))?;
        Ok(pixels.permute((0, 3, 1, 2))?.contiguous()?)
    }

    /// Pictures [B, 3, H, W] on −1..=1 → distances `[B]`.
    ///
    /// # Errors
    /// Fails if shapes do not fit.
    pub fn forward(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let (mut a, mut b) = (self.shifted(a)?, self.shifted(b)?);
        let mut sum: Option<Tensor> = None;
        let mut channels = self.channels.iter();
        for step in &self.steps {
            if let Step::Tap = step {
                let weights = channels.next().ok_or_else(|| {
                    ModelError::Input("LPIPS: there are fewer channel weights than taps".into())
                })?;
                let difference = (unit(&a)? - unit(&b)?)?.sqr()?.broadcast_mul(weights)?;
                let tap = difference.sum(1)?.flatten_from(1)?.mean(D::Minus1)?;
                sum = Some(match sum {
                    Some(sum) => (sum + tap)?,
                    None => tap,
                });
            } else {
                (a, b) = (step.forward(&a)?, step.forward(&b)?);
            }
        }
        sum.ok_or_else(|| ModelError::Input("LPIPS: no features are compared".into()))
    }

    fn shifted(&self, pixels: &Tensor) -> Result<Tensor> {
        let each = |values: &[f32; 3]| Tensor::new(values, &self.device)?.reshape((1, 3, 1, 1));
        let centred = pixels.broadcast_sub(&each(&SHIFT)?)?;
        Ok(centred.broadcast_div(&each(&SCALE)?)?)
    }
}

impl Step {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Conv(conv) => conv.forward(x)?.relu(),
            Self::Pool { window, ceil } => {
                let (_, _, height, width) = x.dims4()?;
                // Nothing is negative here, so zeros do not change a maximum.
                let more = |side: usize| {
                    if *ceil {
                        side.saturating_sub(*window) % 2
                    } else {
                        0
                    }
                };
                let x = x.pad_with_zeros(2, 0, more(height))?;
                let x = x.pad_with_zeros(3, 0, more(width))?;
                x.max_pool2d_with_stride(*window, 2)
            }
            Self::Fire([squeeze, one, three]) => {
                let x = squeeze.forward(x)?.relu()?;
                Tensor::cat(&[one.forward(&x)?.relu()?, three.forward(&x)?.relu()?], 1)
            }
            Self::Tap => Ok(x.clone()),
        }
    }
}

/// Each pixel's features as a vector of length 1.
fn unit(features: &Tensor) -> candle_core::Result<Tensor> {
    let length = features.sqr()?.sum_keepdim(1)?.sqrt()?;
    features.broadcast_div(&(length + EPS)?)
}

/// A size of the stored `weight`, or 1 if nothing is stored.
fn stored(weights: &Weights, axis: usize) -> Result<usize> {
    let dims = weights.dims("weight").ok_or_else(|| {
        ModelError::Input(format!(
            "LPIPS: the file has no `{}`",
            weights.name("weight")
        ))
    })?;
    dims.get(axis).copied().ok_or_else(|| {
        ModelError::Input(format!(
            "LPIPS: `{}` has the shape {dims:?}, but a convolution has four sizes",
            weights.name("weight")
        ))
    })
}

fn conv(weights: &Weights, kernel: usize, stride: usize, around: usize) -> Result<Conv2d> {
    let channels = (stored(weights, 1)?, stored(weights, 0)?);
    let padding = Padding {
        before: around,
        after: around,
    };
    Conv2d::new(weights, channels, kernel, stride, padding)
}

fn steps(net: LpipsNet, weights: &Weights) -> Result<Vec<Step>> {
    let place = |index: usize| weights.at("features").at(index);
    let pool = |window, ceil| Step::Pool { window, ceil };
    match net {
        LpipsNet::Alex => {
            let conv = |index, kernel, stride, around| {
                Ok::<_, ModelError>([
                    Step::Conv(conv(&place(index), kernel, stride, around)?),
                    Step::Tap,
                ])
            };
            let mut steps = Vec::from(conv(0, 11, 4, 2)?);
            steps.push(pool(3, false));
            steps.extend(conv(3, 5, 1, 2)?);
            steps.push(pool(3, false));
            for index in [6, 8, 10] {
                steps.extend(conv(index, 3, 1, 1)?);
            }
            Ok(steps)
        }
        LpipsNet::Vgg => {
            let mut steps = Vec::new();
            let blocks: [&[usize]; 5] = [
                &[0, 2],
                &[5, 7],
                &[10, 12, 14],
                &[17, 19, 21],
                &[24, 26, 28],
            ];
            for (number, block) in blocks.into_iter().enumerate() {
                if number > 0 {
                    steps.push(pool(2, false));
                }
                for index in block {
                    steps.push(Step::Conv(conv(&place(*index), 3, 1, 1)?));
                }
                steps.push(Step::Tap);
            }
            Ok(steps)
        }
        LpipsNet::Squeeze => {
            let mut steps = vec![Step::Conv(conv(&place(0), 3, 2, 0)?), Step::Tap];
            for index in 3..=12 {
                if let 5 | 8 = index {
                    continue;
                }
                if let 3 | 6 | 9 = index {
                    steps.push(pool(3, true));
                }
                let place = place(index);
                steps.push(Step::Fire([
                    conv(&place.at("squeeze"), 1, 1, 0)?,
                    conv(&place.at("expand1x1"), 1, 1, 0)?,
                    conv(&place.at("expand3x3"), 3, 1, 1)?,
                ]));
                // The first of each of the first three pairs is not compared.
                if !matches!(index, 3 | 6) {
                    steps.push(Step::Tap);
                }
            }
            Ok(steps)
        }
    }
}

//! The schedulers of diffusers, as a checkpoint's `scheduler/scheduler_config.json` describes them: PNDM,
//! DDIM, Euler, ancestral Euler, DPM-Solver++ (2M) and flow matching.
//!
//! Liu et al., arXiv 2202.09778 (PNDM); Song et al., arXiv 2010.02502 (DDIM); Karras et al., arXiv 2206.00364
//! (Euler); Lu et al., arXiv 2211.01095 (DPM-Solver++); Esser et al., arXiv 2403.03206 (flow matching).
//!
//! The schedulers of candle-transformers are not used: PNDM, Euler and DPM-Solver++ do not exist there, its
//! ancestral Euler draws its own noise, and its trailing steps are spaced by whole numbers, so that 3 steps
//! become 4. The case `schedulers` shows the numbers of each.

mod config;
mod plan;
mod sampler;
mod table;

pub use config::{Kind, Prediction, SchedulerConfig, Spacing};
pub use plan::{Levels, Plan};
pub use sampler::Sampler;

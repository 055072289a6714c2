//! Group relative policy optimisation: from rewards in groups and scores of tokens to a loss.
//!
//! | file | idea |
//! |---|---|
//! | `advantage` | how much better a row is than the others of its group |
//! | `policy` | the clipped objective, the divergence from a reference, the loss and its gradient |
//!
//! The variants are those of DeepSeekMath (arXiv 2402.03300), DAPO (arXiv 2503.14476), Dr. GRPO (arXiv
//! 2503.20783), GSPO (arXiv 2507.18071), GDPO (arXiv 2601.05242), Flow-GRPO (arXiv 2505.05470) and X-Omni
//! (arXiv 2507.22058). The parity component `grpo` runs the same functions as a training does.

mod advantage;
mod policy;

pub use advantage::{AdvantageSettings, Advantages, Combine, Missing, NOTHING, Scale};
pub use policy::{
    Divergence, LogProbs, LossMean, Objective, PolicySettings, Ratio, log_probs, objective,
};

//! Jobs for schedulers: readable scripts that are made from templates, and sent.
//!
//! | file | idea |
//! |---|---|
//! | `work` | what the jobs shall do |
//! | `slurm` | scripts for Slurm: an array of shards, and a job that joins them |
//! | `sbatch` | sending them |
//! | `k8s` | a manifest for Kubernetes |
//! | `local` | the shards as processes of this machine |
//! | `template` | the templates, which a user can replace |
//! | `quote` | words for a shell |

mod error;
mod k8s;
mod local;
mod quote;
mod sbatch;
mod slurm;
mod template;
mod work;

pub use error::SubmitError;
pub use k8s::{Pods, manifest};
pub use local::{Ended, LocalShards, gpus_here};
pub use sbatch::{Sent, largest_array, send};
pub use slurm::{Dependency, Script, SlurmOptions, scripts};
pub use template::Templates;
pub use work::ShardedWork;

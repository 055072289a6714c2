//! A manifest for Kubernetes: an indexed job with a pod for each shard, and a job that joins them.

use super::work::ShardedWork;
use super::{SubmitError, Templates};
use minijinja::context;
use serde_json::{Map, Value};

/// The longest name of a pod.
const LONGEST_NAME: usize = 63;

/// What each pod gets.
#[derive(Debug, Clone)]
pub struct Pods {
    /// The container image with this program.
    pub image: String,
    /// The claim of the volume that all pods write to. `None` gives each pod a volume of its own.
    pub claim: Option<String>,
    /// The secret whose entries become variables of the environment.
    pub secret: Option<String>,
    /// Where the volume is in a pod.
    pub results: String,
    /// GPUs of a pod.
    pub gpus: Option<u32>,
    /// Cores of a pod.
    pub cpus: Option<u32>,
    /// Memory of a pod, as Kubernetes writes it.
    pub memory: Option<String>,
}

/// The manifest of a work.
///
/// # Errors
/// Fails if the template cannot be filled in.
pub fn manifest(
    work: &ShardedWork,
    pods: &Pods,
    templates: &Templates,
) -> Result<String, SubmitError> {
    let (mut limits, mut requests) = (Map::new(), Map::new());
    if let Some(gpus) = pods.gpus.filter(|gpus| *gpus > 0) {
        limits.insert("nvidia.com/gpu".into(), gpus.into());
    }
    if let Some(memory) = &pods.memory {
        limits.insert("memory".into(), memory.as_str().into());
    }
    if let Some(cpus) = pods.cpus {
        requests.insert("cpu".into(), cpus.to_string().into());
    }
    let values = context! {
        title => work.name,
        name => name(work),
        shards => work.shards,
        parallel => work.parallel.unwrap_or(work.shards),
        image => pods.image,
        claim => pods.claim,
        secret => pods.secret,
        results => pods.results,
        arguments => literal(&work.shard_arguments("run")),
        merge => literal(&work.merge_arguments()),
        limits => Value::from(limits).to_string(),
        requests => Value::from(requests).to_string(),
    };
    templates.fill("k8s-job.yaml", values)
}

/// Arguments that reach the program as they are: Kubernetes replaces `$(NAME)`, and reads `$$` as `$`.
fn literal(arguments: &[String]) -> Vec<String> {
    let doubled = arguments.iter().map(|argument| argument.replace('$', "$$"));
    doubled.collect()
}

/// A name of lower-case letters, digits and hyphens, which with the number of a shard is no longer than the
/// name of a pod may be. Works that differ have different names.
fn name(work: &ShardedWork) -> String {
    let arguments = work.shard_arguments("run").join("\n");
    let hash = crate::files::sha256_hex(arguments);
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let words: String = work.name.chars().map(plain).collect();
    // `unigauge-`, `-`, four digits of the hash, and `-merge` or the number with the letters of its pod.
    let room = LONGEST_NAME - "unigauge-".len() - 5 - 16;
    let words: String = words.trim_matches('-').chars().take(room).collect();
    format!("unigauge-{}-{}", words.trim_end_matches('-'), &hash[..4])
}

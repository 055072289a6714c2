//! The arguments of `unigauge fetch`.

use clap::Args;

/// The arguments of `unigauge fetch`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge fetch                       # all assets, and which are in the cache
  unigauge fetch ppocr-v4              # the OCR models and the ONNX Runtime library
  unigauge fetch longtext --dry-run
  unigauge fetch flux-1-dev            # a model's checkpoint, into the folder that its settings name")]
pub(crate) struct FetchArgs {
    /// Assets, groups of assets, or models with a published checkpoint; without a name, all assets are
    /// listed
    pub assets: Vec<String>,
    /// Print what would be fetched, with sizes and licences, and fetch nothing
    #[arg(long)]
    pub dry_run: bool,
}

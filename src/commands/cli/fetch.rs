//! The arguments of `unigauge fetch`.

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge fetch                       # what there is, and what is in the cache
  unigauge fetch ppocr-v4              # the OCR models and the ONNX Runtime library
  unigauge fetch longtext --dry-run
  unigauge fetch flux-1-dev            # a model's checkpoint, into the folder that its settings name")]
pub struct FetchArgs {
    /// Assets, groups of assets, or models with a published checkpoint; none lists the assets
    pub assets: Vec<String>,
    /// Say what would be fetched, with sizes and licences
    #[arg(long)]
    pub dry_run: bool,
}

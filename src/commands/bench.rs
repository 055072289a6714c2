//! `unigauge bench`.

use super::cli::{BenchModelArgs, BenchPrecision};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::bench::{Clock, NETWORKS, Report, Shapes, preset};
use crate::config::nearest;
use crate::exit::Exit;
use crate::files::write_whole;
use crate::run::RunError;
use candle_core::DType;
use indicatif::HumanBytes;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Times a network with random weights.
///
/// # Errors
/// When there is no such network, its configuration or a size has a mistake, or the device has no room.
pub fn model(ctx: &Context, args: &BenchModelArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    let device = args
        .device
        .open()
        .map_err(|reason| Failure::environment(reason, "choose another `--device`"))?;
    let dtype = match args.precision {
        Some(BenchPrecision::F32) => DType::F32,
        Some(BenchPrecision::Bf16) => DType::BF16,
        None => crate::generate::Precision::Auto.on(&device),
    };
    let (config, file) = config(args)?;
    let told = |phase: &str, done: usize, all: usize| {
        if !ctx.quiet {
            say(format!("{}: {phase} {done} of {all}", args.network));
        }
    };
    let clock = Clock {
        warmup: args.warmup,
        repeats: args.repeats,
        device: &device,
        cancel: &ctx.cancel,
        on_done: &told,
    };
    let shapes = Shapes {
        size: args.size.map_or_else(
            || match args.network.as_str() {
                "qwen2.5-vl" => [504; 2],
                _ => [512; 2],
            },
            |size| size.0,
        ),
        text_tokens: args.text_tokens,
        new_tokens: args.new_tokens,
    };
    let report = crate::bench::run(&args.network, &config, &file, shapes, dtype, &clock)
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    if ctx.cancel.is_raised() {
        return Ok(Exit::Interrupted);
    }
    let json = serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::new(Exit::Unexpected, RunError::Invalid(error.to_string())))?;
    if let Some(path) = &args.out {
        write_whole(path, format!("{json}\n").as_bytes())?;
    }
    if ctx.json {
        println!("{json}")
    } else {
        print(&report)
    }
    Ok(Exit::Ok)
}

/// The configuration, and the name that errors give it.
fn config(args: &BenchModelArgs) -> Result<(Value, PathBuf), Failure> {
    let wrong = |path: &Path, message: String| {
        Failure::usage(
            format!("{}: {message}", path.display()),
            "give a `config.json` in the form of the network's checkpoints",
        )
    };
    if let Some(path) = &args.config {
        let text = std::fs::read_to_string(path).map_err(|error| wrong(path, error.to_string()))?;
        let config = serde_json::from_str(&text).map_err(|error| wrong(path, error.to_string()))?;
        return Ok((config, path.clone()));
    }
    let Some(text) = preset(&args.network, args.released) else {
        let near = nearest(&args.network, NETWORKS);
        return Err(Failure::usage(
            format!("there is no network named `{}` to time", args.network),
            match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", NETWORKS.join(", ")),
            },
        ));
    };
    let file = PathBuf::from(format!("{} (built in)", args.network));
    let config = serde_json::from_str(text).map_err(|error| wrong(&file, error.to_string()))?;
    Ok((config, file))
}

fn print(report: &Report) {
    println!(
        "{}: {:.1} M parameters, {} on {}, {} threads",
        report.network,
        report.parameters as f64 / 1e6,
        report.dtype,
        report.device,
        report.threads
    );
    let shapes: Vec<String> = report
        .shapes
        .iter()
        .map(|(name, size)| format!("{name} {size}"))
        .collect();
    println!("{}", shapes.join(", "));
    for (phase, seconds) in &report.phases {
        let rate = report
            .tokens_per_second
            .get(phase)
            .map_or(String::new(), |rate| format!(", {rate:.1} tokens/s"));
        println!(
            "{phase}: {:.4} s (median of {}, {:.4} to {:.4}){rate}",
            seconds.median, seconds.n, seconds.min, seconds.max
        );
    }
    if let Some(bytes) = report.peak_memory {
        println!("peak memory of the process: {}", HumanBytes(bytes));
    }
}

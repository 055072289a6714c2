//! `unigauge bench`.

use super::cli::{BenchModelArgs, BenchPrecision};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::bench::{Clock, NETWORKS, NetworkKind, Report, Shapes};
use crate::config::nearest;
use crate::exit::Exit;
use crate::files::write_whole;
use crate::run::RunError;
use crate::text::count::counted;
use candle_core::DType;
use indicatif::HumanBytes;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Times a network with random weights.
///
/// # Errors
/// Fails if there is no such network, its configuration or a size has a mistake, or the device has no room.
pub(super) fn model(ctx: &Context, args: &BenchModelArgs) -> Result<Exit, Failure> {
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
    let kind = network(&args.network)?;
    let (config, file) = config(kind, args)?;
    let say_phase = |phase: &str, done: usize, all: usize| {
        if !ctx.quiet {
            say(format!("{}: {phase} {done} of {all}", args.network));
        }
    };
    let clock = Clock {
        warmup: args.warmup,
        repeats: args.repeats,
        device: &device,
        cancel: &ctx.cancel,
        on_done: &say_phase,
    };
    let shapes = Shapes {
        size: args.size.map(|size| size.0),
        text_tokens: args.text_tokens,
        new_tokens: args.new_tokens,
        batch: args.batch,
        steps: args.steps,
    };
    let report = kind
        .run(&config, &file, shapes, dtype, &clock)
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
        println!("{json}");
    } else {
        print(&report);
    }
    Ok(Exit::Ok)
}

/// The network with this name.
fn network(name: &str) -> Result<&'static NetworkKind, Failure> {
    let named = NETWORKS.iter().find(|kind| kind.name == name);
    named.ok_or_else(|| {
        let names: Vec<&str> = NETWORKS.iter().map(|kind| kind.name).collect();
        Failure::usage(
            format!("there is no network named `{name}` to time"),
            match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the networks are {}", names.join(", ")),
            },
        )
    })
}

/// The configuration of the network, and its name in error messages.
fn config(kind: &NetworkKind, args: &BenchModelArgs) -> Result<(Value, PathBuf), Failure> {
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
    let text = if args.released {
        kind.released
    } else {
        kind.small
    };
    let file = PathBuf::from(format!("{} (built in)", kind.name));
    let config = serde_json::from_str(text).map_err(|error| wrong(&file, error.to_string()))?;
    Ok((config, file))
}

/// Prints the timings for people.
fn print(report: &Report) {
    println!(
        "{}: {:.1} M parameters, {} on {}, {}",
        report.network,
        report.parameters as f64 / 1e6,
        report.dtype,
        report.device,
        counted(report.threads, "thread")
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

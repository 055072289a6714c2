//! `unigauge observe`.

use super::cli::ObserveArgs;
use super::context::Context;
use super::device::DeviceChoice;
use super::execute::{Way, execute};
use super::failure::Failure;
use super::prepare::{Answering, Asking, Prepared, RunOptions, observers};
use super::progress::{RunProgress, say};
use super::run::{exit_of, jobs, print_summaries};
use super::score::suite_of;
use crate::config::{ModelFile, Settings};
use crate::exit::Exit;
use crate::generate::SimpleGenerator;
use crate::generate::folder::{Folder, FolderSettings, Inventory};
use crate::record::Item;
use crate::run::{
    Asked, Chains, Manifest, Outcome, RunError, RunFolder, Shard, Stream, Work, read_all,
};
use std::path::Path;

/// Looks at the outputs of a run folder, or at somebody else's images.
///
/// # Errors
/// When the folder is no run, the images cannot be listed, or an observer cannot be made.
pub fn observe(ctx: &Context, args: &ObserveArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    match (&args.run, &args.suite, &args.images) {
        (Some(run), ..) => of_run(ctx, run, args.device, jobs(args.jobs)),
        (None, Some(suite), Some(images)) => of_images(ctx, args, suite, images),
        // clap has made sure of one of the two.
        _ => Err(Failure::usage(
            "nothing to observe",
            "see `unigauge observe --help`",
        )),
    }
}

fn of_run(ctx: &Context, run: &Path, device: DeviceChoice, jobs: usize) -> Result<Exit, Failure> {
    let folder = RunFolder::existing(run)?;
    let manifest = Manifest::read(&folder)?;
    // Shards that were not merged yet are looked at one after the other.
    let shards: Vec<Option<Shard>> = match manifest.shard {
        None => vec![None],
        Some(_) => {
            let shards = folder.shards(Stream::Outputs)?;
            shards.into_iter().map(Some).collect()
        }
    };
    let locks = shards.iter().map(|shard| folder.lock(*shard));
    let _locks = locks.collect::<Result<Vec<_>, _>>()?;
    let suite = suite_of(&manifest)?;
    let items: Vec<Item> = read_all(&folder.items())?;
    let observers = observers(ctx, &suite, device)?;
    if observers.is_empty() {
        return Err(Failure::nothing(
            format!("the suite `{}` has no observers", suite.name),
            "its rule reads the outputs themselves: `unigauge grade RUN`",
        ));
    }
    let listener = RunProgress::new(ctx.quiet, suite.name.clone());
    let mut all = Outcome::default();
    for shard in shards {
        let outcome = Work {
            folder: &folder,
            asked: Asked {
                items: &items,
                base: manifest.items_base.as_deref().unwrap_or(folder.root()),
                repeats: manifest.repeats,
                seed: manifest.seed,
                shard,
                chains: Chains::of(&items),
            },
            making: None,
            layout: suite.layout,
            observers: &observers,
            observe_workers: jobs,
            cancel: &ctx.cancel,
            listener: &listener,
        }
        .execute()?;
        if outcome.interrupted {
            say("run the same command again to continue");
            return Ok(Exit::Interrupted);
        }
        all += outcome;
    }
    println!(
        "{}: {} observations made, {} failed, {} outputs",
        folder.root().display(),
        all.observed,
        all.observe_failed,
        all.done_before
    );
    Ok(if all.observe_failed > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    })
}

/// Somebody else's images become the outputs of a run, byte for byte.
fn of_images(
    ctx: &Context,
    args: &ObserveArgs,
    suite: &str,
    images: &Path,
) -> Result<Exit, Failure> {
    let asking = Asking::load(
        ctx,
        suite,
        Path::new(""),
        args.items.as_deref(),
        &args.select,
    )?;
    asking.left_out.iter().for_each(say);
    let layout = asking.suite.layout;
    let mut table = toml::Table::new();
    table.insert("path".into(), images.display().to_string().into());
    let layout_name =
        toml::Value::try_from(layout).map_err(|error| RunError::Invalid(error.to_string()))?;
    table.insert("layout".into(), layout_name);
    if args.follow_links {
        table.insert("follow_links".into(), true.into());
    }
    let settings = Settings::from_table(&table)?;
    let folder: FolderSettings = settings.read()?;
    tell_inventory(
        images,
        &Folder::open(folder)?.inventory(&asking.items, asking.suite.repeats),
    );
    let model = ModelFile {
        name: args.name.clone(),
        title: args.name.clone(),
        description: format!("images from {}", images.display()),
        generator: Folder::NAME.into(),
        languages: Vec::new(),
        settings,
        notes: Default::default(),
        presets: Default::default(),
        repositories: Vec::new(),
    };
    let answering = Answering::of(ctx, model, &asking.suite.name)?;
    let options = RunOptions {
        out: args.out.clone(),
        run_name: None,
        repeats: None,
        seed: 0,
        device: DeviceChoice::Cpu,
    };
    let prepared = Prepared::new(&asking, answering, &options)?;
    let way = Way {
        shard: None,
        jobs: jobs(args.jobs),
        device: DeviceChoice::Cpu,
        vram_budget: None,
        observe: true,
    };
    let observers = observers(ctx, &asking.suite, args.device)?;
    let done = execute(ctx, &prepared, &observers, &way)?;
    let Some(summary) = done.summary else {
        return Ok(Exit::Interrupted);
    };
    let summaries = [summary];
    print_summaries(ctx, &summaries, &[])?;
    say(format!(
        "report: {}",
        done.folder.report().join("index.html").display()
    ));
    Ok(exit_of(&summaries))
}

/// Counts what a folder holds of what the suite asks for, with a few names.
fn tell_inventory(images: &Path, inventory: &Inventory) {
    let Inventory {
        expected,
        found,
        missing,
        refused,
        doubled,
        shared,
        extra,
    } = inventory;
    say(format!(
        "{}: {found} of {expected} pictures found",
        images.display()
    ));
    for (what, names) in [
        ("missing", missing),
        ("refused", refused),
        ("passed over", doubled),
        ("taken more than once", shared),
        ("not asked for", extra),
    ] {
        if !names.is_empty() {
            let shown = names
                .iter()
                .take(3)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            let more = if names.len() > 3 { ", …" } else { "" };
            say(format!("  {} {what}: {shown}{more}", names.len()));
        }
    }
}

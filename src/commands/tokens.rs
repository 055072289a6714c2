//! `unigauge tokens`: a picture as the codes of a model's tokenizer, and back.

use super::cli::{TokensArgs, TokensCommand, TokensDecodeArgs, TokensEncodeArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::config::model;
use crate::exit::Exit;
use crate::files::write_whole;
use crate::generate::xomni::{Codec, Codes, XOmni, XOmniSettings};
use crate::generate::{BuildError, GenerateError, Pipeline, Place};
use crate::image::{decode_file, encode_png};
use crate::session::ConfiguredModel;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Encodes pictures or decodes codes.
///
/// # Errors
/// Fails if the model has no tokenizer in this process, a file cannot be read or the checkpoint is not whole.
pub(super) fn tokens(ctx: &Context, command: &TokensCommand) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    match command {
        TokensCommand::Encode(args) => encode(ctx, args),
        TokensCommand::Decode(args) => decode(ctx, args),
    }
}

fn model_settings(ctx: &Context, args: &TokensArgs) -> Result<XOmniSettings, Failure> {
    let loaded = model(&args.model, Path::new(""))?.definition;
    if loaded.generator != XOmni::NAME {
        return Err(Failure::usage(
            format!("`{}` has no picture tokenizer in this process", loaded.name),
            format!(
                "give an X-Omni model: x-omni-en, x-omni-zh, or a TOML file with `generator = \"{}\"`",
                XOmni::NAME
            ),
        ));
    }
    let ConfiguredModel { settings, .. } = ConfiguredModel::new(&ctx.session, loaded, "")?;
    Ok(settings.read().map_err(BuildError::from)?)
}

fn codec(args: &TokensArgs, settings: XOmniSettings, scratch: &Path) -> Result<Codec, Failure> {
    let device = args
        .device
        .open()
        .map_err(|reason| Failure::environment(reason, "choose another `--device`"))?;
    let place = Place {
        device,
        vram_budget: args.vram_budget.map(|size| size.as_u64()),
        scratch: scratch.into(),
    };
    Ok(Codec::new(settings, place))
}

/// Prints why a single file fails; the command goes on with the next one. A checkpoint that cannot be used
/// ends the command.
fn made_or_said<T>(path: &Path, result: Result<T, GenerateError>) -> Result<Option<T>, Failure> {
    match result {
        Ok(made) => Ok(Some(made)),
        Err(GenerateError::Item { message, .. }) => {
            say(format!("{}: {message}", path.display()));
            Ok(None)
        }
        Err(error) => Err(BuildError::from(error).into()),
    }
}

fn encode(ctx: &Context, args: &TokensEncodeArgs) -> Result<Exit, Failure> {
    let scratch = tempfile::tempdir().map_err(Failure::io)?;
    let mut settings = model_settings(ctx, &args.tokens)?;
    settings.any_image_size |= args.any_size;
    let mut codec = codec(&args.tokens, settings, scratch.path())?;
    let mut exit = Exit::Ok;
    for path in &args.images {
        if ctx.cancel.is_raised() {
            return Ok(Exit::Interrupted);
        }
        let picture =
            decode_file(path).map_err(|error| GenerateError::item("image", error.to_string()));
        let coded = picture.and_then(|picture| {
            for change in &picture.changes {
                say(format!(
                    "{}: {}",
                    path.display(),
                    change.note("the picture")
                ));
            }
            codec.encode(&picture.rgb)
        });
        let Some(coded) = made_or_said(path, coded)? else {
            exit = Exit::Incomplete;
            continue;
        };
        let line = json!({
            "image": path, "height": coded.height, "width": coded.width, "ids": coded.ids,
        });
        match &args.out {
            Some(folder) => {
                let file = output_file(folder, path, "json")?;
                write_whole(&file, format!("{line}\n").as_bytes())?;
                say(format!(
                    "{}: {} × {} tokens",
                    file.display(),
                    coded.width,
                    coded.height
                ));
            }
            None => println!("{line}"),
        }
    }
    Ok(exit)
}

fn decode(ctx: &Context, args: &TokensDecodeArgs) -> Result<Exit, Failure> {
    let scratch = tempfile::tempdir().map_err(Failure::io)?;
    let settings = model_settings(ctx, &args.tokens)?;
    let mut codec = codec(&args.tokens, settings, scratch.path())?;
    let mut exit = Exit::Ok;
    for path in &args.files {
        let all = read_codes(path)?;
        for (number, coded) in all.iter().enumerate() {
            if ctx.cancel.is_raised() {
                return Ok(Exit::Interrupted);
            }
            let made = codec.decode(coded, &args.prompt, args.seed, &ctx.cancel);
            let Some(pixels) = made_or_said(path, made)? else {
                exit = Exit::Incomplete;
                continue;
            };
            // The pictures of a file with several are numbered.
            let suffix = if all.len() == 1 {
                "png".into()
            } else {
                format!("{number}.png")
            };
            let file = output_file(&args.out, path, &suffix)?;
            let bytes =
                encode_png(&pixels).map_err(|error| Failure::new(Exit::Unexpected, error))?;
            write_whole(&file, &bytes)?;
            say(format!(
                "{}: {} × {}",
                file.display(),
                pixels.width(),
                pixels.height()
            ));
        }
    }
    Ok(exit)
}

/// Reads the codes of the pictures in a JSON file.
fn read_codes(path: &Path) -> Result<Vec<Codes>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(
            format!("{}: {error}", path.display()),
            "give files that `tokens encode` wrote",
        )
    })?;
    let coded = serde_json::Deserializer::from_str(&text).into_iter::<Codes>();
    let coded: Vec<Codes> = coded.collect::<Result<_, _>>().map_err(|error| {
        Failure::usage(
            format!("{}: {error}", path.display()),
            "it must contain objects with `height`, `width` and `ids`, as `tokens encode` writes them",
        )
    })?;
    Ok(coded)
}

/// The path of an output file. Makes its folder if there is none.
fn output_file(folder: &Path, source: &Path, extension: &str) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder).map_err(Failure::io)?;
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    Ok(folder.join(format!("{stem}.{extension}")))
}

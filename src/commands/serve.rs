//! `unigauge serve`.

use super::cli::ServeRewardsArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::serve::{
    KnownItems, KnownItemsError, Limits, ServeError, ServeEvent, ServeOptions, Token, serve,
};
use crate::session::{ItemSelection, SelectedSuite, reward_definitions};
use std::path::Path;

/// Serves rewards until a signal ends it.
///
/// # Errors
/// Fails if a reward, the items or the token cannot be had, an observer does not open, or the address is
/// taken.
pub(super) fn rewards(ctx: &Context, args: &ServeRewardsArgs) -> Result<Exit, Failure> {
    let definitions = reward_definitions(&args.rewards)?;
    let device = args.device.resolve();
    let device = device.map_err(|why| Failure::environment(why, "choose another `--device`"))?;
    let options = ServeOptions {
        listen: args.listen,
        rewards: definitions.clone(),
        token: token(args)?,
        known: known(ctx, &args.items)?,
        limits: Limits {
            body: usize::try_from(args.max_body.as_u64()).unwrap_or(usize::MAX),
            pictures: args.max_pictures as usize,
            ..Limits::default()
        },
    };
    let names: Vec<&str> = definitions.iter().map(|one| one.name.as_str()).collect();
    let told = |event: ServeEvent| match event {
        ServeEvent::Listening(address) => println!("http://{address}"),
        ServeEvent::Ready if !ctx.quiet => say(format!("ready: {}", names.join(", "))),
        ServeEvent::Draining if !ctx.quiet => {
            say("ending: the requests in work are finished first; a second signal cuts them off")
        }
        _ => {}
    };
    let load = || {
        let opened = ctx.session.open_rewards(&definitions, device);
        opened.map_err(Failure::from)
    };
    serve::<Failure>(options, load, told)?;
    Ok(Exit::Ok)
}

/// # Errors
/// Fails if the variable is not set, or others could ask without a token.
fn token(args: &ServeRewardsArgs) -> Result<Option<Token>, Failure> {
    if let Some(name) = &args.token_env {
        let secret = std::env::var(name).ok().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or_else(|| {
            Failure::environment(
                format!("the environment variable {name} has no token"),
                "set it to a long random text, and give clients the same",
            )
        })?;
        return Ok(Some(Token::new(&secret)));
    }
    if !args.listen.ip().is_loopback() && !args.no_token {
        return Err(Failure::usage(
            format!("other machines could reach {} without a token", args.listen),
            "name a variable with `--token-env`, or say `--no-token` where the network is closed",
        ));
    }
    Ok(None)
}

/// The items of suites and of files of JSON lines.
///
/// # Errors
/// Fails if one cannot be read, or two items have one prompt and expect different things.
fn known(ctx: &Context, sources: &[String]) -> Result<KnownItems, Failure> {
    let mut known = KnownItems::default();
    for source in sources {
        if source.ends_with(".jsonl") {
            known.add_lines(Path::new(source))?;
        } else {
            let select = ItemSelection::default();
            let suite = SelectedSuite::load(&ctx.session, source, Path::new(""), None, &select)?;
            known.add(suite.items.iter().cloned(), &suite.base)?;
        }
    }
    Ok(known)
}

impl From<KnownItemsError> for Failure {
    fn from(error: KnownItemsError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::new(Exit::Environment, error)
    }
}

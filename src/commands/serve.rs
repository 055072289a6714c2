//! `unigauge serve`.

use super::cli::ServeRewardsArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::config::{self, RewardDefinition};
use crate::exit::Exit;
use crate::record::{Item, Object, Tags, Task};
use crate::reward::Scorer;
use crate::serve::{KnownItems, Limits, ServeError, ServeEvent, ServeOptions, Token, serve};
use crate::session::{ItemSelection, SelectedSuite};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Serves rewards until a signal ends it.
///
/// # Errors
/// Fails if a reward, the items or the token cannot be had, an observer does not open, or the address is
/// taken.
pub(super) fn rewards(ctx: &Context, args: &ServeRewardsArgs) -> Result<Exit, Failure> {
    let definitions = definitions(&args.rewards)?;
    let device = args.device.resolve();
    let device = device.map_err(|why| Failure::environment(why, "choose another `--device`"))?;
    let options = ServeOptions {
        listen: args.listen,
        names: definitions
            .iter()
            .map(|reward| reward.name.clone())
            .collect(),
        token: token(args)?,
        known: known(ctx, &args.items)?,
        limits: Limits {
            body: usize::try_from(args.max_body.as_u64()).unwrap_or(usize::MAX),
            pictures: args.max_pictures as usize,
            ..Limits::default()
        },
    };
    let names = options.names.join(", ");
    let told = |event: ServeEvent| match event {
        ServeEvent::Listening(address) => println!("http://{address}"),
        ServeEvent::Ready if !ctx.quiet => say(format!("ready: {names}")),
        ServeEvent::Draining if !ctx.quiet => say("ending: finishing the requests in work"),
        _ => {}
    };
    let load = || {
        Scorer::open(&definitions, &|name, settings| {
            Ok(ctx.session.observer(name, settings, device)?)
        })
    };
    serve::<Failure>(options, load, told)?;
    Ok(Exit::Ok)
}

/// # Errors
/// Fails if a reward cannot be read, or two have one name.
fn definitions(names: &[String]) -> Result<Vec<RewardDefinition>, Failure> {
    let mut known = BTreeSet::new();
    let mut definitions = Vec::new();
    for name in names {
        let definition = config::reward(name, Path::new(""))?.definition;
        if !known.insert(definition.name.clone()) {
            return Err(Failure::usage(
                format!("the reward `{}` is given twice", definition.name),
                "clients name rewards, so give each another name",
            ));
        }
        definitions.push(definition);
    }
    Ok(definitions)
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
        let added = if source.ends_with(".jsonl") {
            known.add(lines(Path::new(source))?, parent(source))
        } else {
            let select = ItemSelection::default();
            let suite = SelectedSuite::load(&ctx.session, source, Path::new(""), None, &select)?;
            known.add(suite.items.iter().cloned(), &suite.base)
        };
        added.map_err(|error| Failure::new(Exit::Usage, error))?;
    }
    Ok(known)
}

fn parent(source: &str) -> &Path {
    Path::new(source).parent().unwrap_or(Path::new(""))
}

/// # Errors
/// Fails if the file cannot be read, or a line is no object with a prompt.
fn lines(path: &Path) -> Result<Vec<Item>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(
            format!("{}: {error}", path.display()),
            "check the path of `--items`",
        )
    })?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            item(line, number).map_err(|why| {
                Failure::usage(
                    format!("{}:{}: {why}", path.display(), number + 1),
                    "each line is an object with the key `prompt` and what it expects",
                )
            })
        })
        .collect()
}

/// An item of `items.jsonl`, or a prompt with its metadata: other keys are what it expects.
///
/// # Errors
/// Says what the line lacks.
fn item(line: &str, number: usize) -> Result<Item, String> {
    let mut object: Object = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if object.contains_key("item") && object.contains_key("task") {
        return serde_json::from_value(object.into()).map_err(|error| error.to_string());
    }
    let Some(Value::String(prompt)) = object.shift_remove("prompt") else {
        return Err("there is no text `prompt`".into());
    };
    let tag = object.get("tag").and_then(Value::as_str);
    let tag = tag.map(|tag| ("tag".to_owned(), tag.to_owned()));
    Ok(Item {
        item: format!("line-{}", number + 1),
        task: Task::TextToImage,
        prompt,
        images: Vec::new(),
        tags: tag.into_iter().collect::<Tags>(),
        expect: object,
        extra: Object::new(),
    })
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::new(Exit::Environment, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_of_geneval_become_an_item() {
        let line = r#"{"tag": "counting", "include": [{"class": "cup", "count": 2}], "prompt": "two cups"}"#;
        let item = item(line, 4).unwrap();
        assert_eq!(
            (item.item.as_str(), item.prompt.as_str()),
            ("line-5", "two cups")
        );
        assert_eq!(item.expect["include"][0]["count"], 2);
        assert_eq!(item.tags.get("tag").map(String::as_str), Some("counting"));
    }

    #[test]
    fn a_line_of_items_stays_what_it_is() {
        let line = r#"{"item": "a", "task": "text-to-image", "prompt": "p", "expect": {"x": 1}}"#;
        assert_eq!(item(line, 0).unwrap().expect["x"], 1);
        assert!(item(r#"{"tag": "counting"}"#, 0).is_err());
        assert!(item("[1]", 0).is_err());
    }
}

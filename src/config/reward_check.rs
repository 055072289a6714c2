//! The mistakes of a reward's definition that its types allow.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::reward::{Combine, Effect, PromptClass, RewardComponent, RewardDefinition};
use crate::text::nearest::nearest;
use regex::Regex;
use std::collections::BTreeSet;

/// A mistake, with the keys that lead to it.
pub(super) struct Mistake {
    path: Vec<String>,
    message: String,
    help: Option<String>,
}

impl Mistake {
    fn new(path: &[&str], message: impl Into<String>, help: &str) -> Self {
        Self {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            message: message.into(),
            help: (!help.is_empty()).then(|| help.to_owned()),
        }
    }

    /// The same below an element of a list.
    fn inside(mut self, list: &str, index: usize) -> Self {
        self.path.splice(0..0, [list.to_owned(), index.to_string()]);
        self
    }

    /// The mistake at its place in a file.
    pub(super) fn located(self, document: &Document) -> ConfigError {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        document.mistake(&path, self.message, self.help)
    }

    /// The mistake of a definition that comes from no file.
    pub(super) fn unlocated(self, reward: &str) -> ConfigError {
        let place = self.path.join(".");
        ConfigError::new(
            format!("reward `{reward}`: {place}: {}", self.message),
            self.help,
        )
    }
}

/// # Errors
/// The first mistake.
pub(super) fn check(reward: &RewardDefinition) -> Result<(), Mistake> {
    if reward.components.is_empty() {
        let help = "add a table [[components]] with `name` and `rule`";
        let message = "a reward needs at least one component";
        return Err(Mistake::new(&["components"], message, help));
    }
    if reward.failed_output.is_some_and(|value| !value.is_finite()) {
        let message = "`failed_output` must be a finite number";
        return Err(Mistake::new(&["failed_output"], message, ""));
    }
    check_names(reward)?;
    for (index, component) in reward.components.iter().enumerate() {
        check_component(reward, component).map_err(|e| e.inside("components", index))?;
    }
    for (index, class) in reward.classes.iter().enumerate() {
        check_class(reward, class).map_err(|mistake| mistake.inside("classes", index))?;
    }
    check_sum(reward)?;
    check_observers(reward)
}

fn check_names(reward: &RewardDefinition) -> Result<(), Mistake> {
    let components = reward.components.iter().map(|c| c.name.as_str());
    let classes = reward.classes.iter().map(|class| class.name.as_str());
    distinct("components", components)?;
    distinct("classes", classes)
}

fn distinct<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Mistake> {
    let mut known = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
        let problem = if name.is_empty() || !name.chars().all(plain) {
            format!("`{name}` cannot be a name: use letters, digits, `-`, `_` and `.`")
        } else if !known.insert(name) {
            format!("the name `{name}` appears twice in `{list}`")
        } else if name == RESERVED {
            format!("the name `{name}` is taken: the whole reward goes by it")
        } else {
            continue;
        };
        let mistake = Mistake::new(&["name"], problem, "choose another name");
        return Err(mistake.inside(list, index));
    }
    Ok(())
}

/// The name of the rule that grades by a reward; errors of the whole reward are told under it, too.
const RESERVED: &str = "reward";

fn check_component(reward: &RewardDefinition, component: &RewardComponent) -> Result<(), Mistake> {
    let name = &component.name;
    match (&component.rule, &component.pattern) {
        (Some(rule), None) if rule == RESERVED => {
            let message = format!("component `{name}`: a reward cannot be a component of a reward");
            let help = "name the rules of that reward as components of this one";
            return Err(Mistake::new(&["rule"], message, help));
        }
        (Some(_), None) => {}
        (None, Some(pattern)) => check_pattern(name, pattern, component)?,
        (Some(_), Some(_)) => {
            let message = format!("component `{name}` has both a `rule` and a `pattern`");
            return Err(Mistake::new(&["pattern"], message, "keep one of the two"));
        }
        (None, None) => {
            let message = format!("component `{name}` has neither a `rule` nor a `pattern`");
            let help = "name a rule of `unigauge list rules`, or give a regular expression";
            return Err(Mistake::new(&["name"], message, help));
        }
    }
    if let Some([zero, one]) = component.scale
        && !(zero.is_finite() && one.is_finite() && zero != one)
    {
        let message = "`scale` needs two finite numbers that differ";
        let help = "the first becomes 0 and the second becomes 1";
        return Err(Mistake::new(&["scale"], message, help));
    }
    let signed = reward.combine == Combine::Sum;
    if !component.weight.is_finite() || (component.weight < 0.0 && !signed) {
        let message = format!("the weight of component `{name}` must be 0 or more");
        let help = "a negative weight makes sense with `combine = \"sum\"` alone";
        return Err(Mistake::new(&["weight"], message, help));
    }
    check_named_observers(reward, component)?;
    for class in &component.only {
        let classes = reward.classes.iter().map(|class| class.name.as_str());
        known("class", class, classes)
            .map_err(|(message, help)| Mistake::new(&["only"], message, &help))?;
    }
    Ok(())
}

/// The observers that a component's options name must look.
fn check_named_observers(
    reward: &RewardDefinition,
    component: &RewardComponent,
) -> Result<(), Mistake> {
    let options = component.options.to_json();
    let one = options["observer"]
        .as_str()
        .into_iter()
        .map(|name| ("observer", name));
    let several = options["observers"].as_array().into_iter().flatten();
    let several = several.filter_map(|name| Some(("observers", name.as_str()?)));
    for (key, name) in one.chain(several) {
        let observers = reward.observers.iter().map(String::as_str);
        known("observer", name, observers).map_err(|(message, help)| {
            let message = format!("{message} among the `observers` of this reward");
            Mistake::new(&["options", key], message, &help)
        })?;
    }
    Ok(())
}

fn check_pattern(name: &str, pattern: &str, component: &RewardComponent) -> Result<(), Mistake> {
    if let Err(error) = Regex::new(pattern) {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default();
        let reason = last.trim_start_matches("error: ");
        let message =
            format!("the pattern of component `{name}` is not a regular expression: {reason}");
        return Err(Mistake::new(&["pattern"], message, ""));
    }
    if !component.options.is_empty() {
        let message = format!("component `{name}` has options, but no rule that takes them");
        return Err(Mistake::new(
            &["options"],
            message,
            "remove them, or name a `rule`",
        ));
    }
    Ok(())
}

fn check_class(reward: &RewardDefinition, class: &PromptClass) -> Result<(), Mistake> {
    if class.words.iter().any(|word| word.trim().is_empty()) {
        let message = format!("class `{}` has an empty word", class.name);
        return Err(Mistake::new(&["words"], message, "remove it"));
    }
    for (name, multiplier) in &class.weights {
        let components = reward.components.iter().map(|c| c.name.as_str());
        known("component", name, components)
            .map_err(|(message, help)| Mistake::new(&["weights", name], message, &help))?;
        if !(multiplier.is_finite() && *multiplier >= 0.0) {
            let message = format!("the multiplier of `{name}` must be 0 or more");
            return Err(Mistake::new(&["weights", name], message, ""));
        }
    }
    Ok(())
}

/// # Errors
/// The message and the help for a name that is none of the names.
fn known<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), (String, String)> {
    if names.clone().any(|known| known == name) {
        return Ok(());
    }
    let near = nearest(name, names.clone());
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let all: Vec<&str> = names.collect();
    let all = if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    };
    Err((
        format!("there is no {what} named `{name}`"),
        format!("{near}this reward has: {all}"),
    ))
}

/// Some component must count.
fn check_sum(reward: &RewardDefinition) -> Result<(), Mistake> {
    let added = reward.components.iter().filter(|c| c.effect == Effect::Add);
    let counts = added.into_iter().any(|component| component.weight != 0.0);
    if counts {
        return Ok(());
    }
    let message = "no component counts: their weights are all 0, or they are all gates";
    let help = "give a component with `effect = \"add\"` a weight above 0";
    Err(Mistake::new(&["components"], message, help))
}

fn check_observers(reward: &RewardDefinition) -> Result<(), Mistake> {
    for observer in reward.observe.keys() {
        let observers = reward.observers.iter().map(String::as_str);
        if reward.observers.contains(observer) {
            continue;
        }
        let near = nearest(observer, observers);
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        let message = format!(
            "there are options for `{observer}`, which is not one of the `observers` of this reward"
        );
        return Err(Mistake::new(&["observe", observer], message, &near));
    }
    Ok(())
}

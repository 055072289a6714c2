//! Rewards by hand: classes, weights, values, mixes and what is missing.

use super::*;
use serde_json::{Value, json};

fn reward(text: &str) -> Reward {
    let definition = format!("name = 'mine'\nobservers = ['a', 'b', 'reader']\n{text}");
    let definition: RewardDefinition = toml::from_str(&definition).unwrap();
    Reward::open(&definition).unwrap()
}

fn item(prompt: &str, expect: Value, tags: Value) -> Item {
    serde_json::from_value(
        json!({"item": "i", "task": "text-to-image", "prompt": prompt, "expect": expect, "tags": tags}),
    )
    .unwrap()
}

fn output(extra: Value) -> Output {
    let mut output = json!({"item": "i", "repeat": 0, "seed": 1, "kind": "image"});
    for (key, value) in extra.as_object().unwrap() {
        output[key] = value.clone();
    }
    serde_json::from_value(output).unwrap()
}

fn seen(observer: &str, evidence: Value) -> Evidence {
    serde_json::from_value(json!({"item": "i", "observer": observer, "evidence": evidence}))
        .unwrap()
}

fn failed(observer: &str, kind: &str) -> Evidence {
    serde_json::from_value(json!({"item": "i", "observer": observer,
        "error": {"stage": "observe", "kind": kind, "message": "m"}}))
    .unwrap()
}

fn plain() -> Item {
    item("a dog", json!({}), json!({}))
}

fn scored(reward: &Reward, evidence: &[Evidence]) -> Scored {
    reward.score(&plain(), &output(json!({})), evidence)
}

/// A component that reads the number `key` of the observer of that name.
fn measure(name: &str, more: &str) -> String {
    format!(
        "[[components]]\nname = '{name}'\nrule = 'measure'\noptions = {{ key = 'n', observer = '{name}' }}\n{more}\n"
    )
}

fn numbers(a: f64, b: f64) -> [Evidence; 2] {
    [seen("a", json!({"n": a})), seen("b", json!({"n": b}))]
}

fn near(found: Option<f64>, expected: f64) {
    let found = found.expect("a reward");
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

const CLASSES: &str = "[[classes]]\nname = 'text'\nexpects = 'texts'\nquotes = true\n\
                       words = ['sign', 'highly detailed', '写着']\nweights = { b = 3.0 }\n\
                       [[classes]]\nname = 'place'\nwords = ['city']\nweights = { a = 2.0, b = 0.5 }\n";

#[test]
fn a_prompt_has_every_class_of_which_a_condition_holds() {
    let reward = reward(&format!(
        "{}{CLASSES}",
        measure("a", "") + &measure("b", "")
    ));
    let of = |prompt: &str| {
        reward
            .classes(&item(prompt, json!({}), json!({})))
            .join("+")
    };
    for (prompt, classes) in [
        ("a dog", ""),
        ("A Sign at the door", "text"),
        ("two signs", "text"),
        ("a design, signed", ""),
        ("highly  detailed", ""),
        ("a Highly Detailed dog", "text"),
        ("墙上写着字", "text"),
        ("the word \"hello\"", "text"),
        ("《城市》", ""),
        ("cities and a city", "place"),
        // Beside an ideograph, an English word is whole.
        ("一张sign上面有字", "text"),
        ("一张signal上面有字", ""),
        ("un désign", ""),
        ("a sign in the city", "text+place"),
    ] {
        assert_eq!(of(prompt), classes, "{prompt}");
    }
    let expecting = item("a dog", json!({"texts": ["x"]}), json!({}));
    assert_eq!(reward.classes(&expecting), ["text"]);
    let empty = item("a dog", json!({"texts": []}), json!({}));
    assert_eq!(reward.classes(&empty), [""; 0]);
}

#[test]
fn target_texts_in_quotation_marks_are_no_texts_of_the_item() {
    let classes = "[[classes]]\nname = 'text'\nexpects = 'texts'\nweights = { a = 2.0 }\n";
    let reward = reward(&format!("{}{classes}", measure("a", "")));
    let quoted = item("a door with “Open”", json!({}), json!({}));
    let scored = reward.score(&quoted, &output(json!({})), &numbers(0.5, 0.0));
    assert_eq!(scored.classes, reward.classes(&quoted));
    assert_eq!(scored.classes, [""; 0]);
    assert_eq!(scored.parts["a"].weight, reward.weights(&quoted)["a"]);
}

#[test]
fn a_tag_that_names_a_class_replaces_the_conditions() {
    let reward = reward(&format!(
        "{}{CLASSES}",
        measure("a", "") + &measure("b", "")
    ));
    let of = |tag: &str| {
        reward.classes(&item(
            "a sign in the city",
            json!({}),
            json!({"class": tag}),
        ))
    };
    assert_eq!(of("place"), ["place"]);
    assert_eq!(of("none"), [""; 0]);
    // The tag of a suite that means something else.
    assert_eq!(of("Slogan"), ["text", "place"]);
}

#[test]
fn a_weight_is_multiplied_by_every_class_of_the_prompt() {
    let components = measure("a", "weight = 0.5") + &measure("b", "weight = 4");
    let reward = reward(&format!("{components}{CLASSES}"));
    let weights = |prompt: &str| {
        let weights = reward.weights(&item(prompt, json!({}), json!({})));
        [weights["a"], weights["b"]]
    };
    assert_eq!(weights("a dog"), [0.5, 4.0]);
    assert_eq!(weights("a sign"), [0.5, 12.0]);
    assert_eq!(weights("a sign in the city"), [1.0, 6.0]);
}

#[test]
fn a_mean_divides_by_the_weights_of_what_applies() {
    let components = measure("a", "weight = 3") + &measure("b", "only = ['text']");
    let reward = reward(&format!("{components}{CLASSES}"));
    let plain = scored(&reward, &numbers(0.5, 1.0));
    near(plain.reward, 0.5);
    assert_eq!(plain.not_applicable, ["b"]);
    let sign = item("a sign", json!({}), json!({}));
    let sign = reward.score(&sign, &output(json!({})), &numbers(0.5, 1.0));
    // (3 × 0.5 + 3 × 1) / 6: the class multiplies the weight 1 of `b` by 3.
    near(sign.reward, 0.75);
    assert_eq!(
        sign.parts["b"],
        Part {
            raw: 1.0,
            value: 1.0,
            weight: 3.0
        }
    );
}

#[test]
fn a_scale_is_a_straight_line_that_is_cut_off_and_may_fall() {
    let value = |scale: &str, raw: f64| {
        let reward = reward(&measure("a", &format!("scale = {scale}")));
        let scored = scored(&reward, &[seen("a", json!({"n": raw}))]);
        (scored.parts["a"].raw, scored.parts["a"].value)
    };
    assert_eq!(value("[0, 4]", 1.0), (1.0, 0.25));
    assert_eq!(value("[0, 4]", 5.0), (5.0, 1.0));
    assert_eq!(value("[0, 4]", -1.0), (-1.0, 0.0));
    assert_eq!(value("[12, 2]", 7.0), (7.0, 0.5));
    assert_eq!(value("[12, 2]", 20.0), (20.0, 0.0));
    assert_eq!(value("[12, 2]", 0.0), (0.0, 1.0));
}

#[test]
fn without_a_scale_a_mean_takes_0_to_1_alone_and_a_sum_takes_any_number() {
    let mean = reward(&measure("a", ""));
    let odd = scored(&mean, &[seen("a", json!({"n": 1.5}))]);
    assert_eq!(odd.reward, None);
    assert_eq!(odd.errors["a"].kind, FaultKind::OutOfScale);
    assert!(odd.errors["a"].message.contains("`scale`"));
    let components = measure("a", "weight = 2") + &measure("b", "weight = -1");
    let sum = reward(&format!("combine = 'sum'\n{components}"));
    near(scored(&sum, &numbers(-1.5, 4.0)).reward, -7.0);
}

#[test]
fn missing_takes_the_whole_reward_and_0_counts() {
    let reward = reward(&(measure("a", "") + &measure("b", "")));
    near(scored(&reward, &numbers(1.0, 0.0)).reward, 0.5);
    for (evidence, kind) in [
        (vec![numbers(1.0, 0.0)[0].clone()], FaultKind::Observer),
        (
            vec![numbers(1.0, 0.0)[0].clone(), failed("b", "timeout")],
            FaultKind::Timeout,
        ),
        (
            vec![numbers(1.0, 0.0)[0].clone(), failed("b", "clip")],
            FaultKind::Observer,
        ),
        (
            vec![numbers(1.0, 0.0)[0].clone(), seen("b", json!({"n": "x"}))],
            FaultKind::Observer,
        ),
    ] {
        let scored = scored(&reward, &evidence);
        assert_eq!(scored.reward, None, "{evidence:?}");
        assert_eq!(scored.errors["b"].kind, kind, "{:?}", scored.errors);
        assert_eq!(scored.parts["a"].value, 1.0);
    }
}

#[test]
fn the_kind_of_a_fault_is_that_of_what_is_at_fault() {
    let text =
        "[[components]]\nname = 't'\nrule = 'text-distance'\noptions = { target = 'quoted' }\n";
    let reward = reward(text);
    let read = [seen("reader", json!({"text": "open"}))];
    // The prompt has no text.
    let fault = scored(&reward, &read).errors.remove("t").unwrap();
    assert_eq!(fault.kind, FaultKind::Metadata);
    assert!(!fault.message.contains("must look"), "{fault}");
    let sign = item("a sign \"open\"", json!({}), json!({}));
    let of = |evidence: &[Evidence]| {
        let mut scored = reward.score(&sign, &output(json!({})), evidence);
        scored.errors.remove("t").unwrap()
    };
    let unseen = of(&[]);
    assert_eq!(unseen.kind, FaultKind::Observer);
    assert!(unseen.message.contains("must look"), "{unseen}");
    let odd = of(&[seen("reader", json!({"text": 7}))]);
    assert_eq!(odd.kind, FaultKind::Observer);
    assert!(!odd.message.contains("must look"), "{odd}");
    for (kind, expected) in [
        ("overload", FaultKind::Overload),
        ("input", FaultKind::Metadata),
        ("image", FaultKind::Picture),
        ("the item", FaultKind::Observer),
    ] {
        assert_eq!(of(&[failed("reader", kind)]).kind, expected);
    }
}

#[test]
fn a_single_text_of_an_item_is_a_list_of_one() {
    let text = "[[components]]\nname = 't'\nrule = 'text-recall'\n";
    let item = item("p", json!({"texts": "hello world"}), json!({}));
    let read = [seen("reader", json!({"text": "hello"}))];
    near(
        reward(text).score(&item, &output(json!({})), &read).reward,
        0.5,
    );
}

#[test]
fn evidence_of_observers_that_the_reward_does_not_name_does_not_count() {
    let text = "[[components]]\nname = 't'\nrule = 'text-recall'\n";
    let reward = reward(text);
    let item = item(
        "p",
        json!({"texts": ["hello"], "language": "en"}),
        json!({}),
    );
    let evidence = [
        seen("reader", json!({"text": "hello"})),
        seen("stranger", json!({"text": "nothing"})),
    ];
    near(
        reward.score(&item, &output(json!({})), &evidence).reward,
        1.0,
    );
}

#[test]
fn a_rule_does_not_apply_to_an_item_that_lacks_what_it_needs() {
    let text = measure("a", "")
        + "[[components]]\nname = 'g'\nrule = 'geneval'\n[[components]]\nname = 't'\nrule = 'text-distance'\n";
    let reward = reward(&text);
    let evidence = [
        seen("a", json!({"n": 0.5})),
        seen("reader", json!({"text": "open"})),
    ];
    let scored = reward.score(&plain(), &output(json!({})), &evidence);
    near(scored.reward, 0.5);
    assert_eq!(scored.not_applicable, ["g", "t"]);
    // Target texts: those of the item, or else what stands in quotation marks.
    let quoted = item("a door with “Open”", json!({}), json!({}));
    let scored = reward.score(&quoted, &output(json!({})), &evidence);
    near(scored.reward, 0.75);
    let given = item("a door with “Open”", json!({"texts": ["shut"]}), json!({}));
    let scored = reward.score(&given, &output(json!({})), &evidence);
    assert_eq!(scored.parts["t"].value, 0.0);
}

#[test]
fn a_pattern_is_looked_for_in_the_thought_and_applies_to_models_that_think() {
    let pattern = r"(?s)<think>.*?</think>\s*<answer>.*?</answer>";
    let reward = reward(&format!(
        "combine = 'sum'\n{}[[components]]\nname = 'format'\npattern = '{pattern}'\n",
        measure("a", "")
    ));
    let evidence = [seen("a", json!({"n": 0.25}))];
    let of = |extra: Value| reward.score(&plain(), &output(extra), &evidence);
    let good = "so <think>a\nb</think>\n<answer>c</answer> and more";
    near(of(json!({"thought": good})).reward, 1.25);
    near(of(json!({"thought": "<think>a</think>"})).reward, 0.25);
    near(of(json!({"thought": ""})).reward, 0.25);
    near(of(json!({"text": good, "kind": "text"})).reward, 1.25);
    let silent = of(json!({}));
    near(silent.reward, 0.25);
    assert_eq!(silent.not_applicable, ["format"]);
}

#[test]
fn a_gate_multiplies_at_the_end_and_has_no_weight() {
    let gate = "[[components]]\nname = 'b'\nrule = 'measure'\neffect = 'gate'\nweight = 9\n\
                options = { key = 'n', observer = 'b' }\n";
    let reward = reward(&(measure("a", "") + gate));
    near(scored(&reward, &numbers(0.8, 1.0)).reward, 0.8);
    near(scored(&reward, &numbers(0.8, 0.0)).reward, 0.0);
    let half = scored(&reward, &numbers(0.8, 0.5));
    near(half.reward, 0.4);
    assert_eq!(half.parts["b"].weight, 0.0);
    assert_eq!(
        scored(&reward, &numbers(0.8, 2.0)).errors["b"].kind,
        FaultKind::OutOfScale
    );
}

#[test]
fn nothing_that_counts_is_no_reward() {
    let reward = reward(&format!(
        "{}{CLASSES}",
        measure("b", "only = ['text']") + &measure("a", "only = ['place']")
    ));
    let none = scored(&reward, &numbers(1.0, 1.0));
    assert_eq!(none.reward, None);
    assert!(none.errors[WHOLE].message.contains("no component applies"));
}

#[test]
fn normalise_waits_for_the_group_and_compares_within_it() {
    let components = measure("a", "weight = 3\nscale = [0, 1]") + &measure("b", "");
    let reward = reward(&format!("combine = 'normalise'\n{components}"));
    // a: mean 2, deviation 1 (of 1, 2, 3 with n − 1); b: all equal.
    let mut group: Vec<Scored> = [1.0, 2.0, 3.0]
        .map(|a| scored(&reward, &numbers(a, -5.0)))
        .into();
    assert!(
        group
            .iter()
            .all(|scored| scored.reward.is_none() && scored.errors.is_empty())
    );
    reward.settle(&mut group);
    let z = 1.0 / (1.0 + 1e-4);
    near(group[0].reward, -0.75 * z);
    near(group[1].reward, 0.0);
    near(group[2].reward, 0.75 * z);
    assert_eq!(group[2].parts["a"].raw, 3.0);
    assert!((group[2].parts["a"].value - z).abs() < 1e-12);
    assert_eq!(group[2].parts["b"].value, 0.0);
}

#[test]
fn a_missing_row_is_no_part_of_its_group() {
    let components = measure("a", "") + &measure("b", "");
    let reward = reward(&format!("combine = 'normalise'\n{components}"));
    let missing = scored(&reward, &numbers(100.0, 0.0)[..1]);
    let mut group = vec![missing.clone()];
    group.extend([1.0, 3.0].map(|a| scored(&reward, &numbers(a, 0.0))));
    reward.settle(&mut group);
    assert_eq!(group[0], missing);
    // Mean 2, deviation √2.
    near(group[2].reward, 0.5 / (2.0_f64.sqrt() + 1e-4));
    // Alone it cannot be compared, and is not 0.
    let mut two = vec![missing, scored(&reward, &numbers(1.0, 0.0))];
    reward.settle(&mut two);
    assert_eq!(two[1].reward, None);
    assert_eq!(two[1].errors[WHOLE].kind, FaultKind::Group);
}

#[test]
fn what_the_model_failed_to_make_is_missing_unless_the_reward_says_otherwise() {
    let broken = json!({"error": {"stage": "generate", "kind": "crashed", "message": "m"}});
    let strict = reward(&measure("a", ""));
    let missing = strict.score(&plain(), &output(broken.clone()), &[]);
    assert_eq!(missing.reward, None);
    assert_eq!(missing.errors[WHOLE].kind, FaultKind::Picture);
    let lenient = reward(&format!("failed_output = 0.0\n{}", measure("a", "")));
    let zero = lenient.score(&plain(), &output(broken), &[]);
    assert_eq!((zero.reward, zero.errors.len()), (Some(0.0), 0));
    // A picture that cannot be read is as bad; an observer that failed is not the model's fault.
    let of = |kind: &str| scored(&lenient, &[failed("a", kind)]).reward;
    assert_eq!((of("image"), of("timeout")), (Some(0.0), None));
    assert_eq!(scored(&strict, &[failed("a", "image")]).reward, None);
}

#[test]
fn the_fingerprint_follows_what_shapes_the_numbers() {
    let of = |text: &str| reward(text).fingerprint();
    let one = of(&measure("a", ""));
    assert_eq!(one.len(), 64);
    assert_eq!(
        one,
        of(&format!("title = 'Other words'\n{}", measure("a", "")))
    );
    assert_ne!(one, of(&measure("a", "weight = 2")));
    assert_ne!(one, of(&format!("combine = 'sum'\n{}", measure("a", ""))));
}

#[test]
fn a_definition_with_a_mistake_is_refused() {
    let refused = |text: &str| {
        let text = format!("name = 'mine'\nobservers = ['a']\n{text}");
        let definition: RewardDefinition = toml::from_str(&text).unwrap();
        Reward::open(&definition).unwrap_err().to_string()
    };
    let one = "[[components]]\nname = 'a'\nrule = 'measure'\noptions = { key = 'n' }\n";
    for (text, told) in [
        ("components = []", "at least one component"),
        (&format!("{one}weight = 0"), "no component counts"),
        (&format!("{one}weight = -1"), "must be 0 or more"),
        (&format!("{one}scale = [1, 1]"), "that differ"),
        (&format!("{one}effect = 'gate'"), "no component counts"),
        (&format!("{one}only = ['txt']"), "no class named `txt`"),
        (
            &format!("{one}pattern = 'x'"),
            "both a `rule` and a `pattern`",
        ),
        (&format!("{one}{one}"), "appears twice"),
        (
            "[[components]]\nname = 'a'",
            "neither a `rule` nor a `pattern`",
        ),
        (
            "[[components]]\nname = 'a'\npattern = '('",
            "not a regular expression",
        ),
        (
            "[[components]]\nname = 'a'\nrule = 'reward'",
            "cannot be a component",
        ),
        (
            "[[components]]\nname = 'a'\nrule = 'mesure'",
            "unknown grading rule",
        ),
        (
            "[[components]]\nname = 'a'\nrule = 'measure'\noptions = { kye = 'n' }",
            "kye",
        ),
        (
            "[[components]]\nname = 'a'\nrule = 'measure'\noptions = { key = 'n', observer = 'z' }",
            "no observer named `z`",
        ),
        (
            &format!("{one}[[classes]]\nname = 'c'\nweights = {{ z = 1 }}"),
            "no component named `z`",
        ),
        (
            &format!("{one}[observe.z]\nx = 1"),
            "not one of the `observers`",
        ),
    ] {
        let error = refused(text);
        assert!(error.contains(told), "{error} does not say {told}");
        assert!(
            error.contains("mine") || told == "kye",
            "{error} does not name the reward"
        );
    }
}

#[test]
fn a_definition_may_be_json() {
    let definition: RewardDefinition = serde_json::from_value(json!({
        "name": "inline", "observers": ["a"],
        "components": [{"name": "a", "rule": "measure", "options": {"key": "n"}}],
    }))
    .unwrap();
    let reward = Reward::open(&definition).unwrap();
    near(scored(&reward, &[seen("a", json!({"n": 0.5}))]).reward, 0.5);
}

#[test]
fn every_built_in_reward_opens() {
    let listed = crate::config::list(crate::config::Kind::Reward);
    assert!(listed.len() >= 7);
    for listed in listed {
        let loaded = crate::config::reward(&listed.name, std::path::Path::new("")).unwrap();
        Reward::open(&loaded.definition).unwrap();
    }
}

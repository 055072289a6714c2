//! Definitions and items: what a user's files become, and what is said about mistakes in them.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use unigauge::config::{self, Kind, Loaded};
use unigauge::record::Item;
use unigauge::suite::{self, AssetSource, ItemSet, SuiteError, SuiteFile};

/// Assets that lie in a folder under their own names.
pub(crate) struct Assets(pub PathBuf);

impl AssetSource for Assets {
    fn paths(&self, asset: &str) -> Result<Vec<PathBuf>, Box<dyn Error + Send + Sync>> {
        let path = self.0.join(asset);
        if path.exists() {
            Ok(vec![path])
        } else {
            Err(format!("there is no asset `{asset}`").into())
        }
    }

    fn pictures(&self) -> Result<PathBuf, Box<dyn Error + Send + Sync>> {
        Ok(self.0.join("pictures"))
    }
}

const SUITE: &str = "name = 'mine'\nversion = '1'\ntitle = 'Mine'\ntask = 'text-to-image'\n";

/// A folder with a suite over `source`, and whatever files the test puts beside it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Loads the suite whose `[items]` section is `items`.
    pub(crate) fn suite(&self, items: &str) -> Loaded<SuiteFile> {
        let text = format!("{SUITE}[items]\n{items}\n[grade]\nrule = 'contains'\n");
        fs::write(self.path("mine.toml"), text).unwrap();
        suite::load("mine.toml", self.0.path()).unwrap()
    }

    fn items(&self, items: &str) -> Result<ItemSet, SuiteError> {
        let assets = Assets(self.0.path().to_owned());
        suite::items(&self.suite(items), None, &assets)
    }

    /// An error as the program shows it, without the name of the temporary folder.
    fn shown(&self, error: &dyn Diagnostic) -> String {
        let mut text = String::new();
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
            .with_width(100)
            .with_wrap_lines(false)
            .render_report(&mut text, error)
            .unwrap();
        let folder = format!("{}/", self.0.path().display());
        text.replace(&folder, "").trim_end().to_owned()
    }

    /// What loading `text` as a suite says.
    fn suite_mistake(&self, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path("mine.toml"), text).unwrap();
        let error = suite::load("mine.toml", self.0.path()).unwrap_err();
        self.shown(&error)
    }
}

fn ids(set: &ItemSet) -> Vec<&str> {
    set.items.iter().map(|item| item.item.as_str()).collect()
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, schema) in unigauge::schemas::all() {
        let path = folder.join(name);
        if std::env::var_os("UNIGAUGE_UPDATE_SCHEMA").is_some() {
            fs::write(&path, &schema).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            schema,
            "schema/{name} is stale; refresh it with \
             UNIGAUGE_UPDATE_SCHEMA=1 cargo test --test it suites::committed_schemas"
        );
    }
}

#[test]
fn a_misspelt_key_is_shown_in_its_line_with_a_suggestion() {
    let text = format!(
        "{SUITE}observer = ['ppocr']\n[items]\nfile = 'a.jsonl'\n[grade]\nrule = 'contains'\n"
    );
    insta::assert_snapshot!(Folder::new().suite_mistake(text));
}

#[test]
fn mistakes_in_a_suite_name_file_line_and_column() {
    let rest = "[items]\nfile = 'a.jsonl'\n[grade]\nrule = 'contains'\n";
    let folder = Folder::new();
    let first = |text: &str| {
        fs::write(folder.path("mine.toml"), text).unwrap();
        let error = suite::load("mine.toml", folder.0.path()).unwrap_err();
        let place = format!("{}/", folder.0.path().display());
        let help = error.help().map(|help| format!(" | {help}"));
        error.to_string().replace(&place, "") + &help.unwrap_or_default()
    };
    let cases = [
        ("wrong type", format!("{SUITE}repeats = 'four'\n{rest}")),
        ("negative", format!("{SUITE}repeats = -1\n{rest}")),
        ("zero", format!("{SUITE}repeats = 0\n{rest}")),
        ("not a list", format!("{SUITE}observers = 'ppocr'\n{rest}")),
        ("missing key", rest.to_owned()),
        (
            "unknown task",
            SUITE.replace("text-to-image", "text-to-imgae") + rest,
        ),
        (
            "unknown layout",
            format!("{SUITE}layout = 'gen-eval'\n{rest}"),
        ),
        (
            "missing rule",
            format!("{SUITE}[items]\nfile = 'a.jsonl'\n[grade]\n"),
        ),
        (
            "two sources",
            format!("{SUITE}{}", rest.replace("[grade]", "asset = 'b'\n[grade]")),
        ),
        (
            "no source",
            format!("{SUITE}{}", rest.replace("file = 'a.jsonl'", "")),
        ),
        ("map", format!("{SUITE}{rest}[items.map]\nexpct = '*'\n")),
        (
            "expect",
            format!("{SUITE}{rest}[items.map]\nexpect = 'texts'\n"),
        ),
        (
            "tags",
            format!("{SUITE}{rest}[items.map]\ntags = {{ a = {{ vaule = 'x' }} }}\n"),
        ),
        (
            "observe",
            format!("{SUITE}observers = ['ppocr']\n{rest}[observe.ppocrr]\nx = 1\n"),
        ),
        ("name", SUITE.replace("'mine'", "'../mine'") + rest),
        ("syntax", format!("{SUITE}repeats = = 4\n{rest}")),
        ("twice", format!("{SUITE}title = 'Other'\n{rest}")),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(case, text)| format!("{case}: {}", first(text)))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn options_read_later_still_point_at_their_line() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Options {
        #[serde(rename = "case_sensitive")]
        _case_sensitive: bool,
    }
    let folder = Folder::new().with(
        "mine.toml",
        format!(
            "{SUITE}[items]\nfile = 'a.jsonl'\n[grade]\nrule = 'contains'\n\n\
             [grade.options]\ncase_sensitiv = true\n"
        ),
    );
    let suite = suite::load("mine.toml", folder.0.path()).unwrap();
    let error = suite.definition.grade.options.read::<Options>();
    insta::assert_snapshot!(folder.shown(&error.unwrap_err()));
}

#[test]
fn files_that_are_no_definitions_are_named() {
    let folder = Folder::new();
    let latin1 = folder.suite_mistake(b"name = 'x'\ntitle = 'caf\xe9'\n");
    let absent = suite::load("./absent.toml", folder.0.path()).unwrap_err();
    let directory = suite::load("./", folder.0.path()).unwrap_err();
    let said = [latin1, folder.shown(&absent), folder.shown(&directory)];
    insta::assert_snapshot!(said.join("\n").replace("./absent", "absent"));
}

#[test]
fn a_byte_order_mark_and_crlf_are_accepted() {
    let text = format!("\u{feff}{SUITE}[items]\nfile = 'a.jsonl'\n[grade]\nrule = 'contains'\n");
    let folder = Folder::new().with("mine.toml", text.replace('\n', "\r\n"));
    let suite = suite::load("mine.toml", folder.0.path()).unwrap();
    assert_eq!(suite.definition.title, "Mine");
}

#[test]
fn names_reach_the_definitions_and_unknown_ones_list_them() {
    let suites = config::list(Kind::Suite);
    let geneval = suites.iter().find(|suite| suite.name == "geneval").unwrap();
    assert_eq!(geneval.title, "GenEval");
    assert!(
        config::list(Kind::Model)
            .iter()
            .any(|model| model.name == "typeset-blur")
    );
    assert!(
        config::list(Kind::Study)
            .iter()
            .any(|study| study.name == "quick")
    );

    let error = suite::load("genevall", Path::new("")).unwrap_err();
    let help = error.help().unwrap().to_string();
    assert_eq!(error.to_string(), "there is no suite named `genevall`");
    assert!(
        help.starts_with("did you mean `geneval`? the known names are "),
        "{help}"
    );
    assert!(help.contains("longtext-zh"), "{help}");
}

#[test]
fn a_study_names_models_by_path_relative_to_itself() {
    let folder = Folder::new()
        .with(
            "studies/s.toml",
            "name = 's'\ntitle = 'S'\nmodels = ['../m.toml']\nsuites = ['geneval']\n",
        )
        .with(
            "m.toml",
            "name = 'm'\ntitle = 'M'\ngenerator = 'typeset'\n[settings]\nblur = 1\n\
             [presets.geneval]\nblur = 2\n",
        );
    let study = config::study("studies/s.toml", folder.0.path()).unwrap();
    let model = config::model(&study.definition.models[0], study.base()).unwrap();
    assert_eq!(
        model.definition.settings_for("geneval").to_json(),
        json!({"blur": 2})
    );
    assert_eq!(
        model.definition.settings_for("other").to_json(),
        json!({"blur": 1})
    );

    let folder = folder.with(
        "studies/s.toml",
        "name = 's'\ntitle = 'S'\nmodels = ['m', 'n', 'm']\nsuites = ['geneval']\n",
    );
    let error = config::study("studies/s.toml", folder.0.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("s.toml:3:21: `m` appears twice"),
        "{error}"
    );
}

#[test]
fn json_lines_of_your_own_need_no_mapping() {
    let folder = Folder::new().with(
        "a.jsonl",
        "\u{feff}{\"id\": 7, \"prompt\": \"Say hi\u{2028}now\", \"answers\": [\"hi\"]}\r\n\
         \r\n{\"item\": \"b\", \"prompt\": \"Two\u{85}lines\", \"expect\": {\"answers\": [\"2\"]}, \
         \"tags\": {\"kind\": \"sum\", \"hard\": true, \"none\": null}, \"by\": \"me\"}",
    );
    let set = folder.items("file = 'a.jsonl'").unwrap();
    let [first, second] = set.items.as_slice() else {
        panic!("{:?}", set.items);
    };
    assert_eq!(first.item, "7");
    assert_eq!(first.prompt, "Say hi\u{2028}now");
    assert_eq!(
        Value::Object(first.expect.clone()),
        json!({"id": 7, "prompt": "Say hi\u{2028}now", "answers": ["hi"]})
    );
    assert_eq!(second.prompt, "Two\u{85}lines");
    assert_eq!(
        Value::Object(second.expect.clone()),
        json!({"answers": ["2"]})
    );
    let tags = [("hard", "true"), ("kind", "sum")].map(|(tag, value)| (tag.into(), value.into()));
    assert_eq!(second.tags, unigauge::record::Tags::from_iter(tags));
    assert_eq!(Value::Object(second.extra.clone()), json!({"by": "me"}));
}

#[test]
fn a_mapping_says_which_field_means_what() {
    let line = r#"{"prompt_id": 12, "question": "Which?", "text": ["A"], "length": "short", "file": "12.png"}"#;
    let folder = Folder::new().with("a.jsonl", line).with("12.png", "");
    let set = folder
        .items(
            "file = 'a.jsonl'\n[items.map]\nid = 'q-{prompt_id:04}-{file:stem}-{@index:02}'\n\
             prompt = 'question'\nimages = 'file'\n\
             expect = { texts = 'text', language = { value = 'en' } }\n\
             tags = { length = 'length', language = { value = 'en' } }",
        )
        .unwrap();
    let Item {
        item,
        prompt,
        images,
        expect,
        tags,
        ..
    } = &set.items[0];
    assert_eq!((item.as_str(), prompt.as_str()), ("q-0012-12-00", "Which?"));
    assert_eq!(images, &["12.png"]);
    assert!(set.base.join(&images[0]).exists());
    assert_eq!(
        Value::Object(expect.clone()),
        json!({"language": "en", "texts": ["A"]})
    );
    assert_eq!(tags["length"], "short");
    assert_eq!(tags["language"], "en");

    let set = folder.items(
        "file = 'a.jsonl'\n[items.map]\nid = 'prompt_id'\nprompt = 'question'\nexpect = ['text']",
    );
    assert_eq!(
        Value::Object(set.unwrap().items[0].expect.clone()),
        json!({"text": ["A"]})
    );
}

#[test]
fn csv_json_and_folders_are_read_alike() {
    let folder = Folder::new()
        .with(
            "t.csv",
            "id,prompt,answer\na,\"One, \"\"two\"\"\nthree\",007\nb,字,\n",
        )
        .with(
            "list.json",
            r#"[{"id": "a", "prompt": "One"}, {"id": "b", "prompt": "Two"}]"#,
        )
        .with(
            "keyed.json",
            r#"{"x.txt": "One", "y.txt": {"id": "own", "prompt": "Two"}}"#,
        )
        .with("prompts/b.txt", "Two\n")
        .with("prompts/a.txt", "\u{feff}One\r\n")
        .with("prompts/notes.md", "not a prompt");
    let table = folder.items("file = 't.csv'").unwrap();
    assert_eq!(ids(&table), ["a", "b"]);
    assert_eq!(table.items[0].prompt, "One, \"two\"\nthree");
    assert_eq!(table.items[0].expect["answer"], "007");
    assert_eq!(table.items[1].expect["answer"], "");

    assert_eq!(
        ids(&folder.items("file = 'list.json'").unwrap()),
        ["a", "b"]
    );
    assert_eq!(
        ids(&folder.items("file = 'keyed.json'").unwrap()),
        ["x.txt", "own"]
    );
    let keyed = folder
        .items("file = 'keyed.json'\nmap = { id = '{@key:stem}' }")
        .unwrap();
    assert_eq!(ids(&keyed), ["x", "y"]);

    let prompts = folder.items("file = 'prompts'").unwrap();
    assert_eq!(ids(&prompts), ["a", "b"]);
    assert_eq!(prompts.items[0].prompt, "One");
}

#[test]
fn every_broken_line_is_listed() {
    let folder = Folder::new().with(
        "a.jsonl",
        "{\"id\": \"a\", \"prompt\": \"fine\"}\n{\"id\": \"b\", \"prompt\": }\n[1]\n{\"id\": \"c\"}\n\
         {\"id\": \"a\", \"prompt\": \"again\"}\n{\"id\": \"../d\", \"prompt\": \"x\"}\n\
         {\"id\": \"e\", \"promt\": \"x\"}\n{\"prompt\": \"no id\"}\n{\"id\": \"f\", \"prompt\": \" \"}\n\
         {\"id\": \"g\", \"prompt\": \"x\"",
    );
    insta::assert_snapshot!(folder.shown(&folder.items("file = 'a.jsonl'").unwrap_err()));

    let many = folder.with("many.jsonl", "{\n".repeat(30));
    let message = many.items("file = 'many.jsonl'").unwrap_err().to_string();
    assert_eq!(message.lines().count(), 22, "{message}");
    assert!(
        message.contains("30 problems") && message.ends_with("… and 10 more"),
        "{message}"
    );
}

#[test]
fn sources_that_hold_no_items_are_refused() {
    let folder = Folder::new()
        .with("empty.jsonl", "")
        .with("blank.json", " \n")
        .with("header.csv", "id,prompt\n")
        .with(
            "latin1.jsonl",
            b"{\"id\": 1, \"prompt\": \"x\"}\n{\"id\": 2, \"prompt\": \"caf\xe9\"}\n",
        )
        .with("ragged.csv", "id,prompt\na,b,c,d\n")
        .with("what", "{}")
        .with("none/readme.md", "");
    let said: Vec<String> = [
        "file = 'empty.jsonl'",
        "file = 'blank.json'",
        "file = 'header.csv'",
        "file = 'latin1.jsonl'",
        "file = 'ragged.csv'",
        "file = 'what'",
        "file = 'none'",
        "file = 'absent.jsonl'",
        "asset = 'absent'",
        "file = 'what'\nformat = 'jsonl'\nmap = { id = '{prompt_id' }",
    ]
    .iter()
    .map(|items| folder.shown(&folder.items(items).unwrap_err()))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[cfg(unix)]
#[test]
fn input_images_stay_in_their_folder_unless_allowed() {
    let secret = Folder::new().with("secret.png", "");
    let line = |id: &str, image: &str| {
        format!("{{\"id\": \"{id}\", \"prompt\": \"x\", \"images\": [{image:?}]}}\n")
    };
    let absolute = secret.path("secret.png").display().to_string();
    let folder = Folder::new()
        .with(
            "in/a.jsonl",
            line("up", "../up.png") + &line("absolute", &absolute) + &line("link", "link.png"),
        )
        .with(
            "in/fine.jsonl",
            line("fine", "images/../images/x.png").replace("images/../", "./")
                + &line("gone", "gone.png"),
        )
        .with("in/images/x.png", "")
        .with("up.png", "");
    std::os::unix::fs::symlink(secret.path("secret.png"), folder.path("in/link.png")).unwrap();
    let error = folder.items("file = 'in/a.jsonl'").unwrap_err().to_string();
    for (number, part) in [(1, "../up.png"), (2, absolute.as_str()), (3, "link.png")] {
        let line = error.lines().nth(number).unwrap();
        assert!(
            line.contains(&format!(
                "a.jsonl:{number}: the image `{part}` lies outside"
            )),
            "{error}"
        );
    }
    let set = folder
        .items("file = 'in/a.jsonl'\nallow_outside = true")
        .unwrap();
    assert_eq!(ids(&set), ["up", "absolute", "link"]);

    let error = folder
        .items("file = 'in/fine.jsonl'")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1 problem ") && error.contains("`gone.png` does not exist"),
        "{error}"
    );
}

#[test]
fn a_users_file_goes_in_place_of_the_asset() {
    let folder = Folder::new().with(
        "mine.jsonl",
        r#"{"prompt_id": 3, "category": "sign", "length": "short", "prompt": "A sign", "text": ["OPEN", "NOW"]}"#,
    );
    let assets = Assets(folder.0.path().to_owned());
    let longtext = suite::load("longtext", Path::new("")).unwrap();
    let set = suite::items(&longtext, Some(&folder.path("mine.jsonl")), &assets).unwrap();
    assert_eq!(ids(&set), ["0003"]);
    assert_eq!(
        Value::Object(set.items[0].expect.clone()),
        json!({"language": "en", "prompt_id": 3, "texts": ["OPEN", "NOW"]})
    );
    assert_eq!(set.notes.len(), 1);

    let geneval = suite::load("geneval", Path::new("")).unwrap();
    let error = suite::items(&geneval, Some(&folder.path("mine.jsonl")), &assets).unwrap_err();
    assert!(
        error.to_string().contains("generates its items itself"),
        "{error}"
    );
}

#[test]
fn geneval_items_carry_the_official_metadata_untouched() {
    let geneval = suite::load("geneval", Path::new("")).unwrap();
    let set = suite::items(&geneval, None, &Assets(PathBuf::new())).unwrap();
    // 80 + 99 + 80 + 94 + 100 + 100 prompts are left of 580 drawn.
    let mut counts = BTreeMap::new();
    for item in &set.items {
        *counts.entry(item.tags["tag"].as_str()).or_insert(0) += 1;
    }
    let expected = [
        ("color_attr", 100),
        ("colors", 94),
        ("counting", 80),
        ("position", 100),
        ("single_object", 80),
        ("two_object", 99),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(set.items[0].item, "00000");
    assert_eq!(set.items[552].item, "00552");
    let generator = geneval.definition.items.generator.unwrap();
    let lines = generator.official.unwrap()();
    assert_eq!(lines.lines().count(), set.items.len());
    for (item, line) in set.items.iter().zip(lines.lines()) {
        let official: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            serde_json::to_string(&item.expect).unwrap(),
            official.to_string()
        );
        assert_eq!(item.prompt, official["prompt"]);
    }
}

#[test]
fn quick_reads_the_prompts_beside_it() {
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites");
    let line = |id, language, text: &str| {
        let record = json!({
            "id": id, "language": language, "category": "sign", "length": "short",
            "prompt": format!("A sign: {text}"), "texts": [text],
        });
        format!("{record}\n")
    };
    let folder = Folder::new()
        .with("quick.toml", fs::read(suites.join("quick.toml")).unwrap())
        .with(
            "quick.jsonl",
            line("en-1", "en", "OPEN") + &line("en-2", "en", "EXIT") + &line("zh-1", "zh", "出口"),
        );
    let quick = suite::load("./quick.toml", folder.0.path()).unwrap();
    let set = suite::items(&quick, None, &Assets(PathBuf::new())).unwrap();
    assert_eq!(ids(&set), ["en-1", "en-2", "zh-1"]);
    assert_eq!(
        Value::Object(set.items[2].expect.clone()),
        json!({"texts": ["出口"], "language": "zh"})
    );
    let tags = [
        ("category", "sign"),
        ("language", "zh"),
        ("length", "short"),
    ];
    let tags = tags.map(|(tag, value)| (tag.to_owned(), value.to_owned()));
    assert_eq!(set.items[2].tags, unigauge::record::Tags::from_iter(tags));
}

#[test]
fn the_examples_of_models_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/examples");
    for (file, generator, key) in [
        ("folder.toml", "folder", "path"),
        ("command.toml", "command", "program"),
        ("openai.toml", "openai", "model"),
    ] {
        let model = config::model(&format!("./{file}"), &folder).unwrap();
        assert_eq!(model.definition.generator, generator);
        assert!(model.definition.settings.to_json().get(key).is_some());
    }
}

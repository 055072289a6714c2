//! The forms of JSON: each says what `unigauge grade` says.

use super::{Service, client, exchange, graded, own, picture, said, strict};
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn every_wire_format_says_what_grading_a_run_says() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let service = Service::start(
        dir.path(),
        &["--rewards", "./strict.toml", "--items", "./rewarded.toml"],
    );
    let expected: Vec<Value> = graded.iter().map(|graded| json!(graded.score)).collect();

    let prompts: Vec<&str> = graded.iter().map(|graded| graded.prompt.as_str()).collect();
    let images: Vec<&str> = graded.iter().map(|graded| graded.image.as_str()).collect();
    let metadata: Vec<&Value> = graded.iter().map(|graded| &graded.expect).collect();
    let plain = json!({"prompt": prompts, "image": images, "video": null, "condition_images": null, "condition_videos": null});
    let mut informed = plain.clone();
    informed["extra"] = json!({"metadata": metadata});
    for (path, body) in [
        ("/compute", &plain),
        ("/r/strict/compute", &plain),
        ("/r/strict/compute", &informed),
    ] {
        let said = service.post(path, body);
        assert_eq!(said.status, 200, "{said:?}");
        assert_eq!(said.body, json!({"rewards": expected}));
    }

    let requests: Vec<Value> = (graded.iter())
        .map(|graded| {
            let turn = json!({"text": graded.prompt, "image_b64": graded.image});
            json!({"history": [turn], "required_rewards": ["strict", "strict.exact"], "metadata": graded.expect,
                "request_id": graded.prompt, "source_rank": 3})
        })
        .collect();
    let said = service.post("/score", &json!({"requests": requests}));
    for (result, score) in said.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&expected)
    {
        assert_eq!(
            result,
            &json!({"strict": {"strict": score, "exact": score}, "strict.exact": {"strict.exact": score}})
        );
        let first = result["strict"].as_object().unwrap().keys().next();
        assert_eq!(first.unwrap(), "strict");
    }
    assert!(
        said.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .all(|errors| errors == &json!({}))
    );

    let identities = said.body["identities"].as_array().unwrap();
    assert_eq!(identities.len(), graded.len());
    for (identity, graded) in identities.iter().zip(&graded) {
        assert_eq!(
            (&identity["request_id"], &identity["source_rank"]),
            (&json!(graded.prompt), &json!(3))
        );
        assert_eq!(identity["group_id"], Value::Null);
    }

    let requests: Vec<Value> = (graded.iter())
        .map(|graded| json!({"id": graded.prompt, "prompt": graded.prompt, "image": graded.image, "expect": graded.expect}))
        .collect();
    let said = service.post(
        "/v1/rewards",
        &json!({"reward": "strict", "requests": requests, "evidence": true}),
    );
    let results = said.body["results"].as_array().unwrap();
    assert_eq!(results.len(), graded.len());
    for (result, graded) in results.iter().zip(&graded) {
        assert_eq!(
            (&result["reward"], &result["id"]),
            (&json!(graded.score), &json!(graded.prompt))
        );
        let part = json!({"raw": graded.score, "value": graded.score, "weight": 1.0});
        assert_eq!(result["parts"], json!({"exact": part}));
        assert_eq!(result["evidence"][0]["observer"], "world");
    }
    assert_eq!(said.body["reward"]["name"], "strict");
    // All these requests asked for the same looks, but for 30 pictures that may be drawn alike.
    assert!(service.metric("unigauge_look_seconds_count{observer=\"world\"}") <= 30.0);
}

#[test]
fn clients_hear_whether_the_server_is_ready_and_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    strict(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    // UniRL's client asks for nothing that is not named here.
    let rewards = json!({"strict": ["ready"], "strict.exact": ["ready"]});
    let ready = json!({"status": "ok", "rewards": rewards});
    assert_eq!(service.get("/health").body, ready);
    assert_eq!(service.get("/r/strict/health").body, ready);
    assert_eq!(service.get("/rewards").body, json!({"rewards": ["strict"]}));
    assert_eq!(service.get("/r/other/health").status, 400);
    let said = service.get("/compute");
    assert_eq!(
        (said.status, &said.body["error"]["kind"]),
        (405, &json!("schema"))
    );
    assert_eq!(service.get("/nowhere").status, 404);
    assert_eq!(
        service.metric("unigauge_requests_total{route=\"other\",status=\"404\"}"),
        1.0
    );
}

#[test]
fn rewards_within_a_group_and_definitions_in_a_request() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    let right = graded.iter().find(|graded| graded.score == 1.0).unwrap();
    let wrong = graded.iter().find(|graded| graded.score == 0.0).unwrap();
    let definition = json!({
        "name": "ranked", "combine": "normalise", "observers": ["world"],
        "components": [{"name": "exact", "rule": "geneval", "options": {"accept_no_detections": true}}],
    });
    let one = |graded: &super::Graded, group: Option<&str>| json!({"prompt": graded.prompt, "image": graded.image, "expect": graded.expect, "group": group});
    let body = json!({"reward": definition, "requests": [one(right, Some("a")), one(wrong, Some("a")), one(right, None)]});
    let said = service.post("/v1/rewards", &body);
    let results = &said.body["results"];
    let (high, low) = (
        results[0]["reward"].as_f64().unwrap(),
        results[1]["reward"].as_f64().unwrap(),
    );
    assert!(
        (high + low).abs() < 1e-12 && (high - 0.7070).abs() < 2e-4,
        "{high} {low}"
    );
    assert_eq!(results[2]["reward"], Value::Null);
    assert_eq!(results[2]["errors"]["reward"]["kind"], "group");

    let mut other = definition.clone();
    other["observers"] = json!(["quality"]);
    let said = service.post("/v1/rewards", &json!({"reward": other, "requests": []}));
    assert_eq!(
        (said.status, &said.body["error"]["kind"]),
        (400, &json!("unknown_reward"))
    );
    // This rule would open a file of the server.
    let mut other = definition;
    other["components"][0] =
        json!({"name": "x", "rule": "reward", "options": {"reward": "./strict.toml"}});
    let said = service.post("/v1/rewards", &json!({"reward": other, "requests": []}));
    assert_eq!(
        (said.status, &said.body["error"]["kind"]),
        (400, &json!("unknown_reward"))
    );
}

#[test]
fn a_reward_and_its_component_are_one_output_of_a_group() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let ranked = super::STRICT.replace(
        "name = \"strict\"",
        "name = \"ranked\"\ncombine = \"normalise\"",
    );
    std::fs::write(dir.path().join("ranked.toml"), ranked).unwrap();
    let service = Service::start(dir.path(), &["--rewards", "./ranked.toml"]);
    let right = graded.iter().find(|graded| graded.score == 1.0).unwrap();
    let wrong = graded.iter().find(|graded| graded.score == 0.0).unwrap();
    let names = ["ranked", "ranked.exact", "ranked"];
    let ask = |one: &super::Graded, group: Value| {
        let turn = json!({"text": one.prompt, "image_b64": one.image});
        json!({"history": [turn], "required_rewards": names, "metadata": one.expect, "group_id": group})
    };
    let requests = [
        ask(right, json!(1)),
        ask(wrong, json!(1)),
        ask(right, json!(2)),
        ask(right, Value::Null),
    ];
    let said = service.post("/score", &json!({"requests": requests}));
    let high = said.body["results"][0]["ranked"]["ranked"].as_f64();
    assert!((high.unwrap() - 0.7070).abs() < 2e-4, "{said:?}");
    let part = &said.body["results"][0]["ranked.exact"]["ranked.exact"];
    assert_eq!(part.as_f64(), high);
    for alone in [2, 3] {
        assert_eq!(said.body["results"][alone], json!({}));
        for name in ["ranked", "ranked.exact"] {
            let why = said.body["errors"][alone][name].as_str().unwrap();
            assert!(why.starts_with("group: "), "{why}");
        }
    }
}

#[test]
fn sources_of_edits_have_no_paths_and_equal_ones_are_looked_at_once() {
    let dir = tempfile::tempdir().unwrap();
    edits(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./edits.toml"]);
    let whole = picture(2);
    let ask = |source: &str| {
        let mut body = own("edits", "a", &picture(1));
        body["requests"][0]["images"] = json!([source]);
        service.post("/v1/rewards", &body).body["results"][0].clone()
    };
    let first = ask(&whole);
    assert!(first["reward"].is_number(), "{first}");
    assert_eq!(ask(&whole), first);
    let looks = service.metric("unigauge_look_seconds_count{observer=\"edit-pixels\"}");
    assert_eq!(looks, 1.0);
    // The header is whole, so the observer finds out.
    let cut = ask(&whole[..whole.len() / 4 * 3 / 4 * 4]);
    assert_eq!(cut["reward"], Value::Null);
    let errors = cut["errors"].to_string();
    assert!(errors.contains("source-0.png"), "{errors}");
    let folder = std::env::temp_dir();
    assert!(!errors.contains(folder.to_str().unwrap()), "{errors}");
}

#[test]
fn each_error_has_its_kind_and_none_is_a_number() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    let good = &graded[0];
    let cut = &good.image[..good.image.len() / 2 / 4 * 4];
    let bomb = bomb(&good.image);
    let images = [good.image.as_str(), "%%%", cut, &bomb, good.image.as_str()];
    let known = Some(&good.expect);
    let body = json!({
        "prompt": vec![good.prompt.as_str(); 5], "image": images,
        "extra": {"metadata": [known, known, known, known, null]},
    });
    let said = service.post("/r/strict/compute", &body);
    assert_eq!(said.status, 200);
    assert_eq!(
        said.body["rewards"],
        json!([good.score, null, null, null, null])
    );
    let kinds: Vec<&Value> = (said.body["errors"].as_array().unwrap().iter())
        .map(|errors| &errors["reward"]["kind"])
        .collect();
    assert_eq!(
        kinds,
        [
            &Value::Null,
            &json!("picture"),
            &json!("picture"),
            &json!("picture"),
            &json!("metadata")
        ]
    );
    let told = said.body["error"].as_str().unwrap();
    assert!(
        told.contains("output 1: reward: picture: ") && told.contains("output 4: "),
        "{told}"
    );
    assert!(!told.contains(dir.path().to_str().unwrap()), "{told}");
    let count = |kind: &str| {
        let labels = format!("{{reward=\"strict\",component=\"reward\",kind=\"{kind}\"}}");
        service.metric(&format!("unigauge_errors_total{labels}"))
    };
    assert_eq!((count("picture"), count("metadata")), (3.0, 1.0));
    let outcomes = |outcome: &str| {
        let labels = format!("{{reward=\"strict\",outcome=\"{outcome}\"}}");
        service.metric(&format!("unigauge_rewards_total{labels}"))
    };
    assert_eq!((outcomes("ok"), outcomes("missing")), (1.0, 4.0));

    let videos = service.post("/compute", &json!({"prompt": ["a"], "video": ["x"]}));
    assert_eq!(
        (videos.status, &videos.body["rewards"]),
        (200, &json!([null]))
    );
    assert!(
        videos.body["error"]
            .as_str()
            .unwrap()
            .starts_with("pictures only")
    );
}

#[test]
fn requests_that_cannot_be_read_are_refused_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    strict(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    let turn = json!({"text": "a", "image_b64": picture(1)});
    let score = |history: Value, rewards: Value| json!({"requests": [{"history": history, "required_rewards": rewards}]});
    let cases = [
        (
            "/r/other/compute",
            json!({"prompt": ["a"]}),
            400,
            "unknown_reward",
        ),
        (
            "/v1/rewards",
            own("other", "a", &picture(1)),
            400,
            "unknown_reward",
        ),
        (
            "/score",
            score(json!([turn]), json!(["strict", "other"])),
            400,
            "unknown_reward",
        ),
        (
            "/score",
            score(json!([turn]), json!(["strict.other"])),
            400,
            "unknown_reward",
        ),
        ("/score", score(json!([]), json!(["strict"])), 422, "schema"),
        (
            "/score",
            score(json!([{}]), json!(["strict"])),
            422,
            "schema",
        ),
        (
            "/compute",
            json!({"prompt": ["a", "b"], "image": [null]}),
            422,
            "schema",
        ),
        (
            "/compute",
            json!({"prompt": vec!["a"; 1025]}),
            422,
            "schema",
        ),
        (
            "/v1/rewards",
            json!({"reward": "strict", "requests": [], "rewards": 1}),
            422,
            "schema",
        ),
        ("/v1/rewards", json!([]), 422, "schema"),
    ];
    for (path, body, status, kind) in cases {
        let said = service.post(path, &body);
        assert_eq!(
            (said.status, &said.body["error"]["kind"]),
            (status, &json!(kind)),
            "{path}: {said:?}"
        );
        assert_eq!(said.body["detail"], said.body["error"]["message"]);
        assert!(said.body["error"]["help"].is_string());
    }
    let pickle = client()
        .post(service.url("/compute"))
        .body(b"\x80\x04\x95".to_vec());
    let said = said(pickle);
    assert_eq!(
        (said.status, &said.body["error"]["kind"]),
        (415, &json!("pickle"))
    );
    assert_eq!(
        said.body["detail"],
        "pickle is not read; see examples/reward_client.py"
    );
    let video = score(
        json!([{"text": "a", "video_path": "/etc/passwd"}]),
        json!(["strict"]),
    );
    let said = service.post("/score", &video);
    assert_eq!(said.body["results"], json!([{}]));
    assert!(
        said.body["errors"][0]["strict"]
            .as_str()
            .unwrap()
            .starts_with("schema: pictures only")
    );
    let half = exchange(
        service.connect(),
        b"POST /compute HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 7\r\n\r\nnothing",
    )
    .unwrap();
    assert!(half.starts_with("HTTP/1.1 422"), "{half}");
}

/// The file of a reward of edits.
fn edits(dir: &Path) {
    let edits = "name = \"edits\"\nobservers = [\"edit-pixels\"]\n\n[[components]]\nname = \"kept\"\n\
                 rule = \"edit-measures\"\noptions = { measure = \"psnr\", psnr_cap = 100 }\nscale = [0, 100]\n";
    std::fs::write(dir.join("edits.toml"), edits).unwrap();
}

#[test]
fn a_request_names_no_file_of_the_server() {
    let dir = tempfile::tempdir().unwrap();
    edits(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./edits.toml"]);
    let mut body = own("edits", "a", &picture(1));
    body["requests"][0]["images"] = json!([picture(2)]);
    body["requests"][0]["expect"] = json!({"mask": "/etc/hostname"});
    let said = service.post("/v1/rewards", &body);
    let fault = &said.body["results"][0]["errors"]["reward"];
    assert_eq!(fault["kind"], "metadata", "{said:?}");
    assert!(
        fault["message"]
            .as_str()
            .unwrap()
            .contains("a file of the server")
    );
}

#[test]
fn a_token_is_asked_for_and_other_machines_need_one() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let service = Service::start(
        dir.path(),
        &["--rewards", "./strict.toml", "--token-env", "TEST_TOKEN"],
    );
    let one = &graded[0];
    let body =
        json!({"prompt": [one.prompt], "image": [one.image], "extra": {"metadata": [one.expect]}});
    assert_eq!(service.get("/health").body, json!({"status": "ok"}));
    for path in ["/rewards", "/metrics"] {
        assert_eq!(service.get(path).status, 401, "{path}");
    }
    let url = service.url("/compute");
    let ask = || client().post(&url).json(&body);
    for (request, status) in [
        (ask(), 401),
        (ask().bearer_auth("other"), 401),
        (ask().basic_auth("s3cret", Some("")), 401),
        (ask().bearer_auth("s3cret"), 200),
        (ask().basic_auth("x", Some("s3cret")), 200),
    ] {
        let said = said(request);
        assert_eq!(said.status, status, "{said:?}");
        if status == 401 {
            assert_eq!(said.body["error"]["kind"], "unauthorized");
        }
    }
    for (args, code) in [
        (vec!["--listen", "0.0.0.0:0"], 2),
        (vec!["--token-env", "UNIGAUGE_TEST_UNSET"], 6),
        (vec!["--rewards", "./strict.toml"], 2),
        (vec!["--items", "./absent.jsonl"], 2),
    ] {
        let output = unigauge(dir.path())
            .args(["serve", "rewards", "--rewards", "./strict.toml"])
            .args(args)
            .timeout(super::PATIENCE)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    }
}

/// The same picture with a header that claims a thousand million pixels.
fn bomb(image: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut bytes = STANDARD.decode(image).unwrap();
    // Width and height are behind the signature, the chunk's length and its name.
    bytes[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&10_000_u32.to_be_bytes());
    STANDARD.encode(bytes)
}

#[test]
fn the_reward_of_the_miniature_world_needs_prompts_alone() {
    let dir = tempfile::tempdir().unwrap();
    let drawn = graded(dir.path());
    let run = "results/rewarded/world-mistaken/r";
    let output = unigauge(dir.path())
        .args(["grade", run, "--rule", "reward", "--set", "reward=mini"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.path().join(run);
    let grades = lines(&run.join("grades.jsonl"));
    let score = |item: &Value| {
        let found = grades.iter().find(|grade| grade["item"] == item["item"]);
        found.unwrap()["score"].clone()
    };
    let expected: Vec<Value> = lines(&run.join("items.jsonl")).iter().map(score).collect();
    let service = Service::start(
        dir.path(),
        &["--rewards", "mini,./strict.toml", "--items", "mini-geneval"],
    );
    let prompts: Vec<&str> = drawn.iter().map(|one| one.prompt.as_str()).collect();
    let images: Vec<&str> = drawn.iter().map(|one| one.image.as_str()).collect();
    let body = json!({"prompt": prompts, "image": images});
    assert_eq!(
        service.post("/compute", &body).body,
        json!({"rewards": expected})
    );
    let looks = service.metric("unigauge_look_seconds_count{observer=\"world\"}");
    // The second reward needs no further look.
    let strict: Vec<f64> = drawn.iter().map(|one| one.score).collect();
    assert_eq!(
        service.post("/r/strict/compute", &body).body,
        json!({"rewards": strict})
    );
    assert_eq!(
        service.metric("unigauge_look_seconds_count{observer=\"world\"}"),
        looks
    );
}

use super::windows::{Run, Windows};
use super::{Positions, Qwen2_5VlConfig, VisionConfig};

const FLAT: &str = r#"{"vocab_size": 30, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1,
    "num_attention_heads": 2, "num_key_value_heads": 1, "rope_theta": 5000.0, "image_token_id": 9,
    "tie_word_embeddings": true, "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
    "vision_config": {"hidden_size": 8, "num_heads": 2, "in_chans": 1, "out_hidden_size": 16}}"#;

const NESTED: &str = r#"{"image_token_id": 9, "tie_word_embeddings": true,
    "text_config": {"vocab_size": 30, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 5000.0, "mrope_section": [1, 1, 2]}},
    "vision_config": {"hidden_size": 8, "num_heads": 2, "in_channels": 1, "out_hidden_size": 16}}"#;

fn config() -> Qwen2_5VlConfig {
    serde_json::from_str(FLAT).unwrap()
}

#[test]
fn both_forms_of_the_configuration_say_the_same() {
    let nested: Qwen2_5VlConfig = serde_json::from_str(NESTED).unwrap();
    for config in [config(), nested] {
        assert_eq!(config.text.theta(), 5000.0);
        assert_eq!(config.text.sections(), [1, 1, 2]);
        assert_eq!((config.text.kv_heads(), config.vision.in_channels), (1, 1));
        assert!(config.tie_word_embeddings && config.image_token_id == 9);
    }
}

#[test]
fn configurations_that_cannot_be_built_are_refused() {
    let cases = [
        ("\"num_attention_heads\": 2", "\"num_attention_heads\": 0"),
        ("[1, 1, 2]", "[1, 1, 3]"),
        ("\"mrope\"", "\"yarn\""),
        ("\"in_chans\": 1", "\"patch_size\": 0"),
        ("\"in_chans\": 1", "\"window_size\": 20"),
        ("\"out_hidden_size\": 16", "\"out_hidden_size\": 12"),
    ];
    for (from, to) in cases {
        let text = FLAT.replace(from, to);
        assert!(
            serde_json::from_str::<Qwen2_5VlConfig>(&text).is_err(),
            "{to}"
        );
    }
}

#[test]
fn an_image_spans_a_box_and_text_goes_on_after_its_longer_side() {
    let ids = [1, 9, 9, 9, 9, 9, 9, 2, 9, 3];
    let got = Positions::new(&config(), &ids, &[[1, 4, 6], [1, 2, 2]]).unwrap();
    let want = [
        [0, 0, 0],
        [1, 1, 1],
        [1, 1, 2],
        [1, 1, 3],
        [1, 2, 1],
        [1, 2, 2],
        [1, 2, 3],
        [4, 4, 4],
        [5, 5, 5],
        [6, 6, 6],
    ];
    assert_eq!(got.tokens, want);
    assert_eq!(got.next, 7);
}

#[test]
fn image_tokens_that_do_not_fit_the_grids_are_an_error() {
    let error = Positions::new(&config(), &[1, 9, 9], &[[1, 4, 6]]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the prompt has 2 image tokens, but its 1 image would need 6"
    );
    // The number of tokens is right, but their spans have other lengths.
    let grids = [[1, 2, 4], [1, 2, 2]];
    assert!(Positions::new(&config(), &[9, 1, 9, 9], &grids).is_err());
}

#[test]
fn windows_of_one_size_stand_together_and_border_windows_are_smaller() {
    let vision = VisionConfig::default();
    // 5 x 6 merged patches in windows of 4 x 4.
    let plan = Windows::new(&vision, &[[1, 10, 12], [1, 2, 2]]).unwrap();
    let lengths: Vec<(usize, usize)> = plan.windows.iter().map(|r| (r.count, r.length)).collect();
    assert_eq!(lengths, [(1, 64), (1, 32), (1, 16), (1, 8), (1, 4)]);
    let image = |start, length| Run {
        start,
        count: 1,
        length,
    };
    assert_eq!(plan.images, [image(0, 120), image(120, 4)]);
    assert_eq!(plan.patches[..4], [[0, 0], [0, 1], [1, 0], [1, 1]]);
    let inverse = plan.inverse();
    for (place, &patch) in plan.order.iter().enumerate() {
        assert_eq!(inverse[patch as usize] as usize, place);
    }
    assert!(Windows::new(&vision, &[[1, 3, 4]]).is_err());
}

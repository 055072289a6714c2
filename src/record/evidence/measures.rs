//! Single numbers of a picture. A rule names the one that it grades by its key.

use serde::Serialize;

/// `clip_t`: how near a picture is to its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PromptSimilarity {
    /// The cosine of picture and prompt by CLIP, −1 to 1.
    pub clip_t: f64,
}

/// `hpsv2`: how well people would like a picture for its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Preference {
    /// The cosine of picture and prompt, −1 to 1, by a CLIP that was trained on people's choices.
    pub hpsv2: f64,
}

/// `pickscore`: which of a prompt's pictures people would pick.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Picked {
    /// The scaled cosine of picture and prompt, about 18 to 24. The softmax over the pictures of a prompt is
    /// the probability that people pick each.
    pub pickscore: f64,
}

/// `aesthetic`: how well people would like the look of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Aesthetic<'a> {
    /// The score, about 1 to 10.
    pub aesthetic: f64,
    /// The head that gave it. The numbers of two heads do not compare.
    pub head: &'a str,
}

/// `vqascore`: how likely a model is to say that a picture shows its prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Likelihood {
    /// The name of the model.
    pub engine: &'static str,
    /// The probability, 0 to 1.
    pub vqascore: f64,
    /// Natural logarithms of the probabilities of the answer's tokens. Absent if only the first token counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_probabilities: Option<Vec<f64>>,
}

/// A picture's technical quality, `M`, and the size at which it was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality<M> {
    /// The measures by their names, such as `sharpness`.
    #[serde(flatten)]
    pub measures: M,
    /// Width of the measured picture, in pixels.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
}

#[cfg(test)]
mod tests {
    use super::super::written;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let text = |value: serde_json::Value| value.to_string();
        let near = PromptSimilarity { clip_t: 0.25 };
        assert_eq!(text(written(&near).unwrap()), r#"{"clip_t":0.25}"#);
        let liked = Preference { hpsv2: 0.25 };
        assert_eq!(text(written(&liked).unwrap()), r#"{"hpsv2":0.25}"#);
        let picked = Picked { pickscore: 20.5 };
        assert_eq!(text(written(&picked).unwrap()), r#"{"pickscore":20.5}"#);
        let looks = Aesthetic {
            aesthetic: 5.5,
            head: "v2",
        };
        assert_eq!(
            text(written(&looks).unwrap()),
            r#"{"aesthetic":5.5,"head":"v2"}"#
        );
        let mut likely = Likelihood {
            engine: "clip-flant5",
            vqascore: 0.5,
            log_probabilities: Some(vec![-0.5, f64::from(-0.1_f32)]),
        };
        assert_eq!(
            text(written(&likely).unwrap()),
            r#"{"engine":"clip-flant5","vqascore":0.5,"log_probabilities":[-0.5,-0.10000000149011612]}"#
        );
        likely.log_probabilities = None;
        assert_eq!(
            text(written(&likely).unwrap()),
            r#"{"engine":"clip-flant5","vqascore":0.5}"#
        );
        let quality = Quality {
            measures: json!({"sharpness": 1.0, "noise": null}),
            width: 2,
            height: 3,
        };
        assert_eq!(
            text(written(&quality).unwrap()),
            r#"{"sharpness":1.0,"noise":null,"width":2,"height":3}"#
        );
    }
}

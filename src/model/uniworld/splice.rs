//! Inserts reference features into the sequence of projected language states.

use crate::model::count::counted;
use crate::model::{ModelError, Result};
use candle_core::{D, Tensor};

/// Inserts the features of reference k directly before the k-th `vision_end` of `input_ids`, or after the
/// states if the language model receives no picture.
///
/// `states` [1, L, J] has a row for each id; `references` [n, N, J]. Gives [1, L + n·N, J].
///
/// # Errors
/// Fails if there are `vision_end` tokens, but not as many as references.
pub(super) fn splice(
    states: &Tensor,
    input_ids: &[u32],
    vision_end: u32,
    references: Option<&Tensor>,
) -> Result<Tensor> {
    let ends: Vec<usize> = (0..input_ids.len())
        .filter(|&position| input_ids[position] == vision_end)
        .collect();
    let Some(references) = references else {
        return Ok(states.clone());
    };
    let (count, tokens, width) = references.dims3()?;
    if ends.is_empty() {
        let all = references.reshape((1, count * tokens, width))?;
        return Ok(Tensor::cat(&[states, &all], 1)?);
    }
    if ends.len() != count {
        return Err(ModelError::Input(format!(
            "the prompt has {}, but there are features of {}",
            counted(ends.len(), "<|vision_end|> token"),
            counted(count, "reference image")
        )));
    }
    let mut parts = Vec::with_capacity(2 * count + 1);
    let mut start = 0;
    for (number, &end) in ends.iter().enumerate() {
        parts.push(states.narrow(D::Minus2, start, end - start)?);
        parts.push(references.narrow(0, number, 1)?);
        start = end;
    }
    parts.push(states.narrow(D::Minus2, start, input_ids.len() - start)?);
    let parts: Vec<Tensor> = parts
        .into_iter()
        .filter(|part| part.elem_count() > 0)
        .collect();
    Ok(Tensor::cat(&parts, 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn features_stand_directly_before_their_vision_end() {
        let states = Tensor::new(&[[[0f32], [1.], [2.], [3.], [4.]]], &Device::Cpu).unwrap();
        let references = Tensor::new(&[[[10f32], [11.]], [[20.], [21.]]], &Device::Cpu).unwrap();
        let joined = splice(&states, &[9, 7, 9, 9, 7], 7, Some(&references)).unwrap();
        let rows: Vec<f32> = joined.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(rows, [0., 10., 11., 1., 2., 3., 20., 21., 4.]);

        let joined = splice(&states, &[9; 5], 7, Some(&references)).unwrap();
        let rows: Vec<f32> = joined.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(rows, [0., 1., 2., 3., 4., 10., 11., 20., 21.]);

        let error = splice(&states, &[9, 7, 9, 9, 9], 7, Some(&references)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the prompt has 1 <|vision_end|> token, but there are features of 2 reference images"
        );
    }
}

//! The scales of a quantised weight, by which its stored numbers are multiplied.

use super::stored::Stored;
use safetensors::Dtype;

/// Rows and columns that share a scale in the files of DeepSeek and Qwen, unless they say otherwise.
const USUAL_BLOCK: [usize; 2] = [128, 128];

/// How the scales of one weight apply to its rows and columns. Further axes count as columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    /// The stored tensor of scales.
    pub name: String,
    /// Number of columns of the weight.
    columns: usize,
    /// Numbers of rows and columns that share a scale. The last block of a row or column may be smaller.
    block: [usize; 2],
    /// Number of scales in a row of blocks.
    across: usize,
}

impl Scale {
    /// Assigns stored scales to a stored weight: one for all numbers, one for each row, or one for each block
    /// of `block` rows and columns. `None` if their shape fits none of these.
    pub(super) fn fit(
        weight: &Stored,
        name: &str,
        scales: &Stored,
        block: Option<[usize; 2]>,
    ) -> Option<Self> {
        let rows = weight.dims.first().copied().unwrap_or(1);
        let columns = weight.dims.iter().skip(1).product::<usize>();
        let with = |block: [usize; 2], across: usize| Self {
            name: name.to_owned(),
            columns,
            block,
            across,
        };
        if !scales.is_float() && scales.dtype != Dtype::F8_E8M0 {
            return None;
        }
        if scales.count() == 1 {
            return Some(with([rows.max(1), columns.max(1)], 1));
        }
        // Files whose scales have the name of inverses have blocks of a known size. Other files must state
        // it.
        let usual = name.ends_with("_scale_inv").then_some(USUAL_BLOCK);
        if let (Some([high, wide]), [_, _]) = (block.or(usual), &weight.dims[..])
            && high > 0
            && wide > 0
            && scales.dims == [rows.div_ceil(high), columns.div_ceil(wide)]
        {
            return Some(with([high, wide], columns.div_ceil(wide)));
        }
        let ones = scales.dims.iter().skip(1).all(|side| *side == 1);
        (ones && scales.dims.first() == Some(&rows)).then(|| with([1, columns.max(1)], 1))
    }

    /// Multiplies the numbers of the weight by their scales, row by row.
    pub(super) fn apply(&self, numbers: &mut [f32], scales: &[f32]) {
        let [high, wide] = self.block;
        for (row, numbers) in numbers.chunks_mut(self.columns.max(1)).enumerate() {
            let first = row / high * self.across;
            for (block, numbers) in numbers.chunks_mut(wide).enumerate() {
                // `fit` has checked that every block has a scale. A missing scale must not count as 1.
                let scale = scales.get(first + block).copied().unwrap_or(f32::NAN);
                numbers.iter_mut().for_each(|number| *number *= scale);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(dims: &[usize]) -> Stored {
        Stored {
            dims: dims.into(),
            dtype: Dtype::F32,
        }
    }

    fn scaled(dims: &[usize], scales: (&[usize], &[f32]), block: Option<[usize; 2]>) -> Vec<f32> {
        let weight = stored(dims);
        let scale = Scale::fit(&weight, "w_scale", &stored(scales.0), block).unwrap();
        let mut numbers = vec![1.0; weight.count()];
        scale.apply(&mut numbers, scales.1);
        numbers
    }

    #[test]
    fn scales_lie_over_all_rows_or_blocks() {
        assert_eq!(scaled(&[2, 2], (&[], &[3.0]), None), [3.0; 4]);
        assert_eq!(scaled(&[3], (&[1], &[3.0]), None), [3.0; 3]);
        let rows = [2.0, 2.0, 5.0, 5.0];
        assert_eq!(scaled(&[2, 2], (&[2, 1], &[2.0, 5.0]), None), rows);
        assert_eq!(scaled(&[2, 2], (&[2], &[2.0, 5.0]), None), rows);
        // Blocks of two by two over three by three: the last ones are cut.
        let blocks = [2.0, 2.0, 3.0, 2.0, 2.0, 3.0, 5.0, 5.0, 7.0];
        let four: (&[usize], &[f32]) = (&[2, 2], &[2.0, 3.0, 5.0, 7.0]);
        assert_eq!(scaled(&[3, 3], four, Some([2, 2])), blocks);
    }

    #[test]
    fn scales_of_another_shape_lie_nowhere() {
        let over = |name: &str, scales: &[usize], block| {
            Scale::fit(&stored(&[300, 200]), name, &stored(scales), block)
        };
        assert_eq!(over("w_scale", &[3, 2], None), None);
        assert!(over("w_scale_inv", &[3, 2], None).is_some());
        assert_eq!(over("w_scale_inv", &[2, 3], None), None);
        assert_eq!(over("w_scale_inv", &[3, 2], Some([64, 64])), None);
        assert_eq!(over("w_scale", &[200], None), None);
        assert_eq!(over("w_scale", &[1, 200], None), None);
    }
}

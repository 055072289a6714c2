//! Compares computed tensors with expected ones.

use super::case::{Case, Tensors};
use candle_core::{DType, Tensor};

/// One expected tensor, and the difference of the computed one.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Row {
    /// The name of the tensor.
    pub name: String,
    /// The expected shape.
    pub shape: Vec<usize>,
    /// The largest absolute difference of an element. `None` if there is nothing to compare.
    pub max_abs: Option<f64>,
    /// rms(got − want) / rms(want).
    pub rel_rms: Option<f64>,
    /// The largest allowed `max_abs`.
    pub tolerance: f64,
    /// Whether the tensor is as expected.
    pub pass: bool,
    /// Why it fails, if the numbers do not show it.
    pub problem: Option<String>,
}

/// Compares every expected tensor by name.
pub fn compare(case: &Case, got: &Tensors) -> Vec<Row> {
    let rows = case.expected.iter();
    rows.map(|(name, want)| row(name, want, got.get(name), case.tolerance(name)))
        .collect()
}

fn row(name: &str, want: &Tensor, got: Option<&Tensor>, tolerance: f64) -> Row {
    let float = want.dtype().is_float();
    let mut row = Row {
        name: name.into(),
        shape: want.dims().into(),
        max_abs: None,
        rel_rms: None,
        tolerance: if float { tolerance } else { 0.0 },
        pass: false,
        problem: None,
    };
    let Some(got) = got else {
        row.problem = Some("not produced".into());
        return row;
    };
    if got.dims() != want.dims() {
        row.problem = Some(format!("produced with shape {:?}", got.dims()));
        return row;
    }
    if got.dtype().is_float() != float {
        row.problem = Some(format!("produced as {:?}", got.dtype()));
        return row;
    }
    match (values(got), values(want)) {
        (Ok(got), Ok(want)) => {
            let worst = got.iter().zip(&want).map(|(g, w)| (g - w).abs());
            // `max` would ignore a NaN.
            let worst = worst.fold(0.0, |a: f64, b| if b.is_nan() || b > a { b } else { a });
            let square =
                |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>();
            let error = square(&mut got.iter().zip(&want).map(|(g, w)| g - w));
            let size = square(&mut want.iter().copied());
            let finite = got.iter().all(|x| x.is_finite());
            row.max_abs = Some(worst);
            row.rel_rms = Some(if error == 0.0 {
                0.0
            } else {
                (error / size).sqrt()
            });
            row.pass = finite && worst <= row.tolerance;
            if !finite {
                row.problem = Some("contains a value that is not finite".into());
            }
        }
        (Err(error), _) | (_, Err(error)) => row.problem = Some(error.to_string()),
    }
    row
}

fn values(tensor: &Tensor) -> candle_core::Result<Vec<f64>> {
    tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()
}

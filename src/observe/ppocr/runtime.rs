//! ONNX Runtime: loads the library, and opens and runs models.

use super::simplify::simplified;
use super::{Execution, PpOcrError, PpOcrSettings};
use ort::environment::Environment;
use ort::ep::{CUDA, ExecutionProvider as _};
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// ONNX Runtime allows one environment in a process. It stays until the process ends.
static ENVIRONMENT: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Loads the shared library, or returns the environment of the library that is already loaded.
pub(super) fn environment(library: &Path) -> Result<Environment, PpOcrError> {
    let fail = |reason: String| PpOcrError::Runtime {
        file: library.to_owned(),
        reason,
    };
    if !library.is_file() {
        return Err(fail("there is no such file".into()));
    }
    let mut loaded = ENVIRONMENT
        .lock()
        .map_err(|_| fail("another thread failed while loading it".into()))?;
    if let Some((_, environment)) = loaded.as_ref() {
        return Ok(environment.clone());
    }
    let absolute = library.canonicalize().map_err(|e| fail(e.to_string()))?;
    let environment = ort::init_from(&absolute)
        .map_err(|e| fail(e.to_string()))?
        .with_name("unigauge")
        .with_telemetry(false)
        .build()
        .map_err(|e| fail(e.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Fatal);
    *loaded = Some((absolute, environment.clone()));
    Ok(environment)
}

/// One network with one input that is like a picture, and an output. Each thread has its own networks.
pub(super) struct Network {
    session: Session,
}

/// The output of a network: the values row by row, and their shape.
pub(super) struct Output<'a> {
    pub shape: Vec<usize>,
    pub values: &'a [f32],
}

impl Network {
    pub(super) fn open(
        environment: &Environment,
        file: &Path,
        settings: &PpOcrSettings,
    ) -> Result<Self, PpOcrError> {
        let fail = |reason: String| PpOcrError::Model {
            file: file.to_owned(),
            reason,
        };
        if !file.is_file() {
            return Err(fail("there is no such file".into()));
        }
        let model = simplified(std::fs::read(file).map_err(|error| fail(error.to_string()))?);
        let prepare = || -> ort::Result<SessionBuilder> {
            Ok(Session::builder(environment)?
                .with_intra_threads(settings.threads)?
                .with_inter_threads(1)?
                .with_memory_pattern(false)?)
        };
        let mut builder = prepare().map_err(|error| fail(error.to_string()))?;
        if settings.execution == Execution::Cuda {
            let registered = CUDA::default().register(&mut builder);
            registered.map_err(|error| PpOcrError::Execution {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
        }
        let session = builder
            .commit_from_memory(&model)
            .map_err(|error| fail(error.to_string()))?;
        if session.inputs().len() != 1 || session.outputs().is_empty() {
            return Err(fail(format!(
                "expected one input and an output, found {} and {}",
                session.inputs().len(),
                session.outputs().len()
            )));
        }
        Ok(Self { session })
    }

    /// A text in the metadata of the model, if there is one with this name.
    pub(super) fn metadata(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    /// The last side of the first output, if the model fixes it.
    pub(super) fn classes(&self) -> Option<usize> {
        let shape = self.session.outputs().first()?.dtype().tensor_shape()?;
        usize::try_from(*shape.last()?)
            .ok()
            .filter(|&side| side > 0)
    }

    /// Runs on one batch of the shape (N, 3, H, W) and passes the first output to `read`.
    pub(super) fn run<R>(
        &mut self,
        shape: [usize; 4],
        values: &[f32],
        read: impl FnOnce(Output<'_>) -> R,
    ) -> Result<R, ort::Error> {
        let input = TensorRef::from_array_view((shape, values))?;
        let outputs = self.session.run(ort::inputs![input])?;
        let (shape, values) = outputs[0].try_extract_tensor::<f32>()?;
        let shape = shape.iter().map(|&side| side as usize).collect();
        Ok(read(Output { shape, values }))
    }
}

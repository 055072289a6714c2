//! With the feature `cuda`, compiles the kernels of `cuda/` to PTX. The driver compiles that for the GPU that
//! it finds, so none has to be here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The head sizes that attention is compiled for, one module each. `attention_cuda.rs` includes them.
const HEAD_SIZES: [usize; 5] = [48, 64, 80, 96, 128];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    println!("cargo::rerun-if-changed=cuda");
    for name in ["NVCC", "CUDA_HOME", "CUDA_PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for the output"));
    let compiler = compiler();
    for size in HEAD_SIZES {
        let module = out.join(format!("attention_{size}.ptx"));
        compile(
            &compiler,
            "attention.cu",
            &module,
            &[format!("-DHEAD={size}")],
        );
    }
    compile(&compiler, "rows.cu", &out.join("rows.ptx"), &[]);
}

/// The compiler that candle's own kernels are built with, too.
fn compiler() -> PathBuf {
    let named = env::var_os("NVCC").map(PathBuf::from);
    let toolkits = ["CUDA_HOME", "CUDA_PATH"]
        .into_iter()
        .filter_map(env::var_os);
    let toolkits = toolkits
        .map(PathBuf::from)
        .chain([PathBuf::from("/usr/local/cuda")]);
    let found = named
        .into_iter()
        .chain(toolkits.map(|toolkit| toolkit.join("bin/nvcc")));
    let mut there = found.filter(|path| path.is_file());
    there.next().unwrap_or_else(|| PathBuf::from("nvcc"))
}

/// Compiles a file of `cuda/`. What they use needs compute capability 8.0.
fn compile(compiler: &Path, file: &str, to: &Path, options: &[String]) {
    let mut command = Command::new(compiler);
    command.args(["-ptx", "-arch=compute_80", "-std=c++17", "-O3"]);
    command.args(options).arg(Path::new("cuda").join(file));
    let done = command.arg("-o").arg(to).output();
    let done = done.unwrap_or_else(|error| panic!("{} did not start: {error}", compiler.display()));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} failed:\n{said}");
}

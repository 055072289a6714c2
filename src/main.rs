//! The program: parses the command line and hands over to a command.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long candle's threads wait for work before they sleep, in turns of a loop: its own value keeps them
/// busy on the cores that products of matrices then lack.
const SPIN: (&str, &str) = ("CANDLE_BARRIER_POOL_SPIN_LIMIT", "1");

/// Multiplications from which a product of matrices is shared among threads: with the library's own value,
/// 590 thousand, small networks on two cores take half as long again, as threads wait for each other.
const SHARED: usize = 1 << 22;

/// The option of mimalloc that says after how many milliseconds free memory goes back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// A network frees its buffers and takes as large ones again many times a second. With mimalloc's own second, a
/// step of a training spends an eighth of its time on pages that the system has to clear anew.
const PURGE_AFTER: std::ffi::c_long = 10_000;

fn main() -> ExitCode {
    // SAFETY: the option is only a number that the allocator reads; a test holds its place against the library.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, PURGE_AFTER) };
    gemm::set_threading_threshold(SHARED);
    if std::env::var_os(SPIN.0).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(SPIN.0, SPIN.1) };
    }
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("UNIGAUGE_LOG")
                .unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(|| unigauge::print::Remarks)
        .with_target(false)
        .init();
    unigauge::commands::main().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_of_the_allocator_is_the_delay_of_purging() {
        // The library's own default, which no other option has.
        let value = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(value, 1000);
    }
}

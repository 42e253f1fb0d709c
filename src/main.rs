//! The `xianjie` program.

use std::panic;
use std::process::{ExitCode, exit};

use xianjie::cli::{Cli, CliError, Globals};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// With which a shell says that a program was ended by SIGPIPE: 128 and the signal's number.
const ENDED_BY_SIGPIPE: i32 = 128 + 13;

fn main() -> ExitCode {
    end_with_the_reader();
    // Another provider can only have been installed before, and there is nothing before this.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli.run()),
        Err(error) => CliError::internal(&error).report(&Globals::default()),
    }
}

/// Whoever reads the output may go, as `head` does: then the program ends as quietly as others, which
/// SIGPIPE ends. Rust ignores that signal, and what prints panics instead.
fn end_with_the_reader() {
    let otherwise = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        let words = panicked.payload().downcast_ref::<String>();
        if words.is_some_and(|words| words.contains("failed printing to stdout: Broken pipe")) {
            exit(ENDED_BY_SIGPIPE);
        }
        otherwise(panicked);
    }));
}

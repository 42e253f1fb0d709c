//! The `xianjie` program.

use std::process::ExitCode;

use xianjie::cli::{Cli, CliError, Globals};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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

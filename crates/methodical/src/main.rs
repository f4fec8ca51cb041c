//! The program: parse, run, exit code.

mod cli;
mod command;
mod failure;
mod log;
mod serve;
mod settings;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code)
        }
    }
}

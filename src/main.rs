//! postino carries messages between agents that share nothing else. The program; what it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    postino::main()
}

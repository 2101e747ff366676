//! postino carries messages between agents that share nothing else. The program; what it does is in the library.

use std::process::ExitCode;

/// musl maps and unmaps memory for each few pieces, which is most of what a short process would do.
#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    postino::main()
}

//! The process: options in, exit code out.

use flashkv::base::heap::Heap;

#[global_allocator]
static ALLOCATOR: Heap = Heap;

fn main() -> std::process::ExitCode {
    flashkv::boot::main()
}

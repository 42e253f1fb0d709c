//! The `xianjie` program.

fn main() {}

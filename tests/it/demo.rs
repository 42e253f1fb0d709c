//! The whole story, by the real program: it checks each of its claims itself, and fails where one
//! does not hold.

use std::process::Command;

#[test]
fn the_story_is_told_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let told = Command::new(env!("CARGO_BIN_EXE_xianjie"))
        .arg("demo")
        .arg("--into")
        .arg(folder.path().join("province"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&told.stdout);
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{printed}\n{said}");
    for word in ["kill -9", "all 74 receipts verify offline", "[imprisoned]", "[released]"] {
        assert!(printed.contains(word), "{word} is not in\n{printed}");
    }
}

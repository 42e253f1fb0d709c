//! Strict reading: what is wrong is named, and files are named with it.

use super::{ProfileFileError, parse};
use crate::client::profile::Profile;
use crate::client::testing::World;

const PROFILE: &str = r#"
agency = "gz-baiyun-court"
hub = "https://127.0.0.1:7443"
server_name = "localhost"
trust = "../../trust.json"
[transport]
certificate = "transport.crt"
key = "transport.key"
"#;

fn error(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("it was read"),
        Err(error) => crate::client::error::chain(&error),
    }
}

#[test]
fn what_is_wrong_is_named() {
    assert!(parse(PROFILE).is_ok());
    let cases = [
        ("https://127.0.0.1:7443", "http://127.0.0.1:7443", "`hub` must read https://HOST:PORT"),
        ("https://127.0.0.1:7443", "https://127.0.0.1", "`hub` must read https://HOST:PORT"),
        ("gz-baiyun-court", "白云法院", "`agency` may hold only a-z, 0-9 and hyphens"),
        ("\"localhost\"", "\"a b\"", "`server_name` must be a DNS name or an IP address"),
        ("agency =", "agnecy =", "unknown field `agnecy`"),
        ("agency = \"gz-baiyun-court\"", "", "a profile needs `agency`, or a section [operator]"),
        ("[transport]", "[document]", "a profile needs a section [transport], or [operator]"),
    ];
    for (from, to, expected) in cases {
        let found = error(&PROFILE.replace(from, to));
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn an_operator_connects_with_the_certificate_that_signs() {
    let text = "hub = \"https://127.0.0.1:7444\"\nserver_name = \"localhost\"\ntrust = \"t\"\n\
                [operator]\nname = \"first\"\ncertificate = \"operator.crt\"\nkey = \"operator.key\"";
    let parsed = parse(text).unwrap();
    assert_eq!(parsed.transport.certificate.to_str(), Some("operator.crt"));
    assert!(matches!(parse(&text.replace("first", "First")), Err(ProfileFileError::Id { .. })));
}

#[test]
fn a_folder_is_loaded_and_a_missing_file_is_named() {
    let world = World::new();
    let folder = world.profile();
    let profile = Profile::load(&folder).unwrap();
    assert_eq!(profile.agency.as_ref().map(|code| code.as_str()), Some("court"));
    assert_eq!(profile.signed_by, "案件系统");
    assert!(profile.document.is_some() && profile.operator.is_none());

    std::fs::remove_file(folder.join("document.key")).unwrap();
    let error = Profile::load(&folder).unwrap_err();
    assert!(error.to_string().ends_with("document.key"), "{error}");
    assert!(error.file().is_some());
}

use super::*;

const NOW: Time = Time(1_795_449_600_000);

const TOML: &str = r#"
[[agency]]
code = "court"
name = "某区人民法院"
kind = "basic court"
level = "county"
serves = ["440111"]
supervised_by = "procuratorate"
valid_until = "2027-01-01"

[[agency]]
code = "procuratorate"
name = "某区人民检察院"
kind = "procuratorate"
level = "county"
acts_at = ["city"]
serves = ["440111"]
electronic_service = false
"#;

#[test]
fn a_file_in_toml_and_the_same_in_json_give_the_same_agencies() {
    let from_toml = parse(TOML, false, NOW).unwrap();
    let value: toml::Value = toml::from_str(TOML).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(parse(&json, true, NOW).unwrap(), from_toml);

    let [court, procuratorate] = from_toml.as_slice() else { panic!("two agencies") };
    assert_eq!(court.kind, Kind::BasicCourt);
    assert_eq!(court.valid_from, NOW);
    assert_eq!(court.valid_until, Some(dates::day("2027-01-01").unwrap()));
    assert!(court.electronic_service && !procuratorate.electronic_service);
    assert_eq!(procuratorate.acts_at, [Level::City].into());
}

#[test]
fn what_others_are_linked_to_comes_first_even_in_a_ring() {
    let mut agencies = parse(TOML, false, NOW).unwrap();
    agencies[1].parent = Some("court".parse().unwrap());
    let codes: Vec<_> = linked_first(agencies).iter().map(|a| a.code.to_string()).collect();
    assert_eq!(codes, ["procuratorate", "court"]);
}

#[test]
fn an_error_names_the_table_and_the_key() {
    let broken = |from: &str, to: &str| parse(&TOML.replace(from, to), false, NOW).unwrap_err();
    assert!(broken("code = \"court\"", "").starts_with("agency 1: needs `code`"));
    assert!(broken("basic court", "tribunal").starts_with("agency 1 (court): kind: want one of"));
    assert!(broken("2027-01-01", "2027").starts_with("agency 1 (court): valid_until: want a date"));
    assert!(broken("acts_at", "acts_on").starts_with("agency 2 (procuratorate): unknown field"));
    assert!(broken("name = \"某区人民法院\"", "").contains("name: must be given"));
}

#[test]
fn an_agency_is_described_in_full() {
    let agencies = parse(TOML, false, NOW).unwrap();
    let text = describe(&agencies[0]);
    for part in ["court  某区人民法院", "basic court", "440111", "procuratorate", "2027-01-01"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("suspended"));
}

use super::*;

#[test]
fn resident_ids_are_checked_to_the_last_character() {
    assert!("11010519491231002X".parse::<ResidentId>().is_ok());
    assert_eq!("110105194912310021".parse::<ResidentId>(), Err(IdError::CheckDigit));
    assert_eq!("11010519491331002X".parse::<ResidentId>(), Err(IdError::BirthDate));
    assert_eq!("11010519491231002".parse::<ResidentId>(), Err(IdError::Length(18)));
    assert!("1101051949123100２X".parse::<ResidentId>().is_err());
}

#[test]
fn a_resident_id_never_prints() {
    let id: ResidentId = "11010519491231002X".parse().unwrap();
    assert_eq!(format!("{id:?}"), "ResidentId(…)");
}

#[test]
fn social_credit_codes_on_official_pages_pass_and_their_neighbours_fail() {
    for code in ["11622300013931138G", "112200000135445097", "11330524K14997775F"] {
        assert!(code.parse::<SocialCreditCode>().is_ok(), "{code}");
    }
    assert_eq!("11622300013931139G".parse::<SocialCreditCode>(), Err(IdError::CheckDigit));
}

#[test]
fn document_ids_are_version_seven_in_one_spelling() {
    let text = "0197b3c4-5d6e-7f80-8a9b-0c1d2e3f4a5b";
    assert_eq!(text.parse::<DocumentId>().unwrap().to_string(), text);
    for bad in [
        "0197B3C4-5D6E-7F80-8A9B-0C1D2E3F4A5B",
        "0197b3c4-5d6e-4f80-8a9b-0c1d2e3f4a5b",
        "0197b3c4-5d6e-7f80-0a9b-0c1d2e3f4a5b",
        "0197b3c45d6e7f808a9b0c1d2e3f4a5b",
        "",
    ] {
        assert_eq!(bad.parse::<DocumentId>(), Err(IdError::NotUuidV7), "{bad}");
    }
}

#[test]
fn origins_have_one_spelling() {
    assert!("hub.gd.demo/ledger/1".parse::<Origin>().unwrap().is_demo());
    assert!(!"demo.hub.cn/ledger/1".parse::<Origin>().unwrap().is_demo());
    for bad in ["hub/ledger/0", "hub/ledger/01", "hub/ledger/1/", "/ledger/1", "Hub/ledger/1"] {
        assert_eq!(bad.parse::<Origin>(), Err(IdError::Origin), "{bad}");
    }
}

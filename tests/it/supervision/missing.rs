//! Persons whose whereabouts are unknown (下落不明): listed to those whom they concern, until found.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use xianjie::wire::pb;
use xianjie_core::domain::agency::{Kind, Right};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::Time;

use super::{CORRECTIONS, COURT, DETENTION, HOUR_MS, POLICE, PROCURATORATE, Watched};
use crate::people::{NOW, agency, code, enrolment, system};

/// Three other persons, invented as the first.
const OTHERS: [&str; 3] = ["110105194912310046", "110105194912310062", "110105194912310089"];

impl Watched {
    /// The persons whom an agency is shown as missing, page by page.
    async fn missing(&self, agency: &str, page_size: u32) -> Vec<pb::MissingPerson> {
        let mut client = self.client(agency).await;
        let agency = agency.to_owned();
        let mut request =
            pb::ListMissingPersonsRequest { agency, page_size, page_token: String::new() };
        let mut persons = Vec::new();
        loop {
            let page = client.list_missing_persons(request.clone()).await.unwrap().into_inner();
            assert!(page_size == 0 || page.persons.len() <= page_size as usize);
            persons.extend(page.persons);
            if page.next_page_token.is_empty() {
                return persons;
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn cases_missing(&self, agency: &str, page_size: u32) -> Vec<String> {
        let persons = self.missing(agency, page_size).await.into_iter();
        persons.map(|person| person.correction_case).collect()
    }

    /// The agency of a case has lost contact with its person.
    async fn lose(&self, case: &str) -> Value {
        let lost = json!({
            "subject": { "correction_case": case },
            "lost_contact_notice": { "search": "实地查访、联系亲属，均无下落（示例）" },
        });
        self.submit(CORRECTIONS, lost).await.0
    }

    async fn find(&self, case: &str) {
        let found = json!({
            "subject": { "correction_case": case },
            "found_notice": { "found_time": "2026-11-24T10:30:00+08:00" },
        });
        self.submit(CORRECTIONS, found).await;
    }

    fn set_clock(&self, time: Time) {
        std::fs::write(self.process.folder().join("clock"), time.0.to_string()).unwrap();
    }
}

/// An enrolment of another person.
fn enrolment_of(identity_number: &str, juvenile: bool) -> Value {
    let mut fields = enrolment();
    fields["case_number"] = format!("（2026）粤0104刑初示例{identity_number}号").into();
    fields["subject"]["identity_number"] = identity_number.into();
    fields["subject"]["juvenile"] = juvenile.into();
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_missing_person_concerns_sees_them_listed_until_they_are_found() {
    let hub = Watched::holding(CORRECTIONS, enrolment()).await;
    assert!(hub.missing(CORRECTIONS, 0).await.is_empty());
    hub.lose(&hub.case).await;
    // Said once more an hour later: known since the first time.
    hub.set_clock(Time(NOW.0 + HOUR_MS));
    hub.lose(&hub.case).await;
    for concerned in [CORRECTIONS, COURT, PROCURATORATE] {
        let persons = hub.missing(concerned, 0).await;
        let [person] = &persons[..] else { panic!("{concerned}: {persons:?}") };
        assert_eq!(person.correction_case, hub.case);
        let since = person.since_time.as_ref().and_then(xianjie::wire::time::read_time);
        assert_eq!(since, Some(NOW), "{concerned}");
        let custody = person.custody.as_ref().unwrap();
        assert_eq!(custody.state(), pb::CustodyState::InCorrection, "{concerned}");
        assert!(custody.missing && custody.answers == CORRECTIONS, "{concerned}");
    }
    // The police are asked to help, and owe that; the person concerns them no further. Nobody is
    // between two agencies, so there is no gap.
    assert!(hub.duties(POLICE, false, 100).await.contains(&"协助查找".to_owned()));
    for other in [POLICE, DETENTION] {
        assert!(hub.missing(other, 0).await.is_empty(), "{other}");
    }
    let agency = CORRECTIONS.to_owned();
    let request = pb::ListGapsRequest { agency, ..pb::ListGapsRequest::default() };
    let gaps = hub.client(CORRECTIONS).await.list_gaps(request).await.unwrap().into_inner();
    assert!(gaps.gaps.is_empty());

    hub.find(&hub.case).await;
    for concerned in [CORRECTIONS, COURT, PROCURATORATE] {
        assert!(hub.missing(concerned, 0).await.is_empty(), "{concerned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_missing_persons_hold_each_once_and_a_juvenile_without_custody() {
    let mut hub = Watched::holding(CORRECTIONS, enrolment()).await;
    let mut cases = BTreeSet::from([hub.case.clone()]);
    for (number, identity) in OTHERS.iter().enumerate() {
        let (_, case) = hub.submit(CORRECTIONS, enrolment_of(identity, number == 0)).await;
        cases.insert(case);
    }
    for case in &cases {
        hub.lose(case).await;
    }
    let all: Vec<String> = cases.into_iter().collect();
    assert_eq!(all.len(), 4);
    // Let the procuratorate supervise the court too: it finds each person under two agencies.
    let court = agency(COURT, Kind::BasicCourt, "440104", PROCURATORATE);
    hub.process.change(&[Change::PutAgency(Box::new(court))]).await;
    for size in [0, 1, 2, 3, 4] {
        for reader in [CORRECTIONS, COURT, PROCURATORATE] {
            assert_eq!(hub.cases_missing(reader, size).await, all, "{reader} {size}");
        }
    }
    let persons = hub.missing(PROCURATORATE, 0).await;
    assert_eq!(persons.iter().filter(|person| person.custody.is_none()).count(), 1);
    assert!(persons.iter().all(|person| person.since_time.is_some()));

    // Without the right to supervise there is nothing to see.
    let mut plain = system(PROCURATORATE);
    let rights = plain.agencies.get_mut(&code(PROCURATORATE)).unwrap();
    rights.remove(&Right::Supervise);
    hub.process.change(&[Change::PutSystem(Box::new(plain))]).await;
    assert!(hub.missing(PROCURATORATE, 2).await.is_empty());

    let client = &mut hub.client(CORRECTIONS).await;
    let wrong = pb::ListMissingPersonsRequest {
        agency: CORRECTIONS.to_owned(),
        page_token: "1".to_owned(),
        ..pb::ListMissingPersonsRequest::default()
    };
    let wrong = client.list_missing_persons(wrong).await.unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::InvalidArgument);

    // What the index holds follows from the records alone.
    hub.process.stop();
    let audit = hub.process.audit();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sought_whose_correction_has_ended() {
    let hub = Watched::holding(CORRECTIONS, enrolment()).await;
    hub.lose(&hub.case).await;
    let release = json!({
        "subject": { "correction_case": hub.case },
        "decision_date": "2026-11-24",
        "release_notice": {
            "release_ground": "RELEASE_GROUND_AMNESTY",
            "release_date": "2026-11-24",
        },
    });
    hub.submit(CORRECTIONS, release).await;
    assert!(hub.missing(CORRECTIONS, 0).await.is_empty());
}

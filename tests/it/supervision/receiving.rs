//! What the agency that is to receive a person is shown of custody: nothing before the papers name it,
//! then who answers until it registers the person, and all of it from then on.

use pb::CustodyStep as Step;
use pb::inbox_service_client::InboxServiceClient;
use serde_json::{Value, json};
use tonic::{Code, Status};
use xianjie::wire::pb;
use xianjie_core::domain::agency::Kind;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{Digest, InboxNumber};

use super::{CORRECTIONS, COURT, DETENTION, PROCURATORATE, Watched};
use crate::hostile::documents::verdict;
use crate::people::{agency, wire_acknowledgement};

/// The custodian answers until the person is registered.
const HELD: (pb::CustodyState, &str) = (pb::CustodyState::Awaiting, DETENTION);

impl Watched {
    /// Who answers for the person of a case, as an agency sees it.
    async fn asked(&self, agency: &str, case: &str) -> Result<pb::GetCustodyResponse, Status> {
        let request = pb::GetCustodyRequest {
            agency: agency.to_owned(),
            correction_case: case.to_owned(),
            ..pb::GetCustodyRequest::default()
        };
        let answer = self.client(agency).await.get_custody(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Signs for everything in an agency's inbox.
    async fn acknowledge_all(&self, agency: &str) {
        let mut inbox = InboxServiceClient::new(self.process.connect(agency).await);
        let request = pb::ListDeliveriesRequest {
            agency: agency.to_owned(),
            ..pb::ListDeliveriesRequest::default()
        };
        let deliveries = inbox.list_deliveries(request).await.unwrap().into_inner().deliveries;
        let statements = deliveries.iter().map(|delivery| {
            let leaf = &delivery.receipt.as_ref().unwrap().leaf;
            let item = (InboxNumber(delivery.inbox_number), Digest(leaf[9..].try_into().unwrap()));
            wire_acknowledgement(&self.process.people.acknowledgement(agency, vec![item]))
        });
        let request = pb::AcknowledgeDeliveriesRequest {
            agency: agency.to_owned(),
            acknowledgements: statements.collect(),
        };
        let answer = inbox.acknowledge_deliveries(request).await.unwrap().into_inner();
        assert!(!answer.results.is_empty());
        assert!(answer.results.iter().all(|result| result.refusal.is_none()), "{answer:?}");
    }
}

/// A verdict for execution in a county, on a person whom a detention centre holds.
fn verdict_for(place: &str) -> Value {
    let mut fields = verdict(1);
    fields["execution_place"] = place.into();
    fields["verdict_handover"]["custodian"] = DETENTION.into();
    fields
}

fn standing(custody: &pb::CustodyNow) -> (pb::CustodyState, &str) {
    (custody.state(), &custody.answers)
}

fn taken(answer: &pb::GetCustodyResponse) -> Vec<Step> {
    answer.steps.iter().map(pb::PastStep::step).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_receive_a_person_sees_nothing_before_the_papers_and_who_answers_after() {
    let mut hub = Watched { process: crate::process::Process::start().await, case: String::new() };
    // The papers go to the wrong county first.
    let there = |name, kind| Change::PutAgency(Box::new(agency(name, kind, "440104", "")));
    let corrections = there("yuexiu-corrections", Kind::CorrectionsAgency);
    hub.process.change(&[corrections, there("yuexiu-police", Kind::Police)]).await;
    let (sent, case) = hub.submit(COURT, verdict_for("440104")).await;
    hub.case = case;
    assert_eq!(standing(&hub.custody(COURT, 100).await.0), HELD);
    // A case that is none of its own is to it as one that doesn't exist.
    let strange = hub.asked(CORRECTIONS, &hub.case).await.unwrap_err();
    let unknown = hub.asked(CORRECTIONS, &"1".repeat(32)).await.unwrap_err();
    for refused in [&strange, &unknown] {
        assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
    }
    assert_eq!(strange.message(), unknown.message());
    assert_eq!(strange.details(), unknown.details());

    let withdrawn = json!({ "in_reply_to": sent, "withdrawal": { "reasons": "执行地有误" } });
    hub.submit(COURT, withdrawn).await;
    assert!(hub.asked(CORRECTIONS, &hub.case).await.is_err());
    let (papers, same) = hub.submit(COURT, verdict_for("440106")).await;
    assert_eq!(same, hub.case);
    // Offered or signed for, the papers show the same: their own step, and none before it.
    let offered = hub.asked(CORRECTIONS, &hub.case).await.unwrap();
    assert_eq!(standing(offered.custody.as_ref().unwrap()), HELD);
    assert_eq!(taken(&offered), [Step::Papers]);
    assert_eq!(hub.custody(COURT, 100).await.1, [Step::Papers, Step::Recall, Step::Papers]);
    hub.acknowledge_all(CORRECTIONS).await;
    let receipt = json!({
        "in_reply_to": papers,
        "return_receipt": { "received_date": "2026-11-24", "receiver": "示例丙（虚构）" },
    });
    hub.submit(CORRECTIONS, receipt).await;
    let signed_for = hub.asked(CORRECTIONS, &hub.case).await.unwrap();
    assert_eq!(signed_for, offered, "signing for the papers is no taking over of the person");

    let registered = json!({
        "in_reply_to": papers,
        "registration_record": { "reported_date": "2026-11-24" },
    });
    hub.submit(CORRECTIONS, registered).await;
    for concerned in [CORRECTIONS, COURT, PROCURATORATE] {
        let (custody, _) = hub.custody(concerned, 100).await;
        let own = (pb::CustodyState::InCorrection, CORRECTIONS);
        assert_eq!(standing(&custody), own, "{concerned}");
    }
    // From the papers on there was no time at which nobody answered (P8).
    let steps = hub.asked(CORRECTIONS, &hub.case).await.unwrap().steps;
    let answered: Vec<_> =
        steps.iter().map(|step| standing(step.after.as_ref().unwrap())).collect();
    assert_eq!(answered, [HELD, (pb::CustodyState::InCorrection, CORRECTIONS)]);
}

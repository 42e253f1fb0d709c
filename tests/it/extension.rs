//! A document type is data: a message, a line in the `oneof`, and a rulebook. Here two types that no
//! Rust knows are added to `proto/`, put under a law of their own, and exchanged.

use std::path::Path;

use prost::Message as _;
use serde_json::{Value, json};
use xianjie::hub::Hub;
use xianjie::wire::SOURCES;
use xianjie::wire::json::document_to_json;
use xianjie::wire::schema::Schema;
use xianjie::wire::signature::Signed;
use xianjie_core::domain::duty::Outcome;
use xianjie_core::domain::record::{Effect, Record};
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{Digest, DutyId, InboxNumber, Time};
use xianjie_core::ledger::Leaf;
use xianjie_core::refusal::Reason;

use crate::house::House;
use crate::people::{NOW, code, enrolment};

/// The last line of the choice of bodies, before which new ones go.
const LAST_BODY: &str = "    Ping ping = 356;\n";

const NEW_BODIES: &str = "
    // 就业培训通知.
    TrainingOffer training_offer = 900;
    // 就业培训回复.
    TrainingAnswer training_answer = 901;
";

const NEW_MESSAGES: &str = "
// 就业培训通知. A course that the person may attend.
message TrainingOffer {
  // 课程. The course.
  string course = 1;
  // 开始日期. Its first day.
  string course_start_date = 2;
  // 地点. Where it takes place.
  string course_place = 3;
}

// 就业培训回复. Whether the police object.
message TrainingAnswer {
  // 意见. The opinion.
  string course_opinion = 1;
}
";

const RULEBOOK: &str = r#"
[rulebook]
name = "training"
from = 2026-01-01

[document.training_offer]
name = "就业培训通知"
class = "request"
senders = ["corrections agency"]
to = ["county police of the place of execution"]
copies = ["supervising procuratorate of the sender"]
required = ["course", "course_start_date"]
articles = ["社区矫正法 37"]
[[document.training_offer.duties]]
name = "就业培训回复"
owner = "addressee"
within = "5 working days"
from = "receipt"
closed_by = ["training_answer"]
articles = ["社区矫正法 37"]

[document.training_answer]
name = "就业培训回复"
class = "information"
senders = ["police"]
answers = ["training_offer"]
to = ["asker"]
required = ["course_opinion"]
articles = ["社区矫正法 37"]
"#;

#[tokio::test]
async fn a_new_document_type_needs_no_rust() {
    let (schema, law) = (extended_schema(), extended_law());
    law.check_schema(&schema).unwrap();
    let house = House::found_with(schema, law).await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    submit(&hub, "tianhe-corrections", house.document("tianhe-corrections", enrolment())).await;

    // Routed by the new rule, with its duty.
    let offer = house.document("tianhe-corrections", offer());
    let record = submit(&hub, "tianhe-corrections", offer.clone()).await;
    assert_eq!(deliveries(&record), [("tianhe-police", false), ("tianhe-procuratorate", true)]);
    let opened = effects(&record, |effect| match effect {
        Effect::DutyOpened(duty) => Some(&**duty),
        _ => None,
    });
    let [duty] = opened[..] else { panic!("one duty") };
    assert_eq!(
        (duty.name.as_str(), duty.owner.agency().as_str()),
        ("就业培训回复", "tianhe-police")
    );
    // Five working days after Tuesday, 24 November: the end of 1 December.
    assert_eq!(duty.due, Some(Time(NOW.0 + (15 + 7 * 24) * 3_600_000)));

    // Delivered byte for byte, acknowledged, answered; the answer meets the duty.
    let delivered = hub.deliveries(&code("tianhe-police"), InboxNumber(0), false, 10).await;
    let [delivered] = &delivered.unwrap()[..] else { panic!("one delivery") };
    assert_eq!(delivered.entry.signed_document, offer.envelope);
    let leaf = Leaf::parse(&delivered.entry.leaf).unwrap();
    let items = vec![(delivered.number, Digest(leaf.commitment.0))];
    let statement = house.acknowledgement("tianhe-police", items);
    hub.acknowledge(&code("tianhe-police"), statement).await.unwrap();
    let answer = house.document("tianhe-police", answer(&house, &offer));
    let record = submit(&hub, "tianhe-police", answer).await;
    assert_eq!(deliveries(&record), [("tianhe-corrections", false)]);
    let closed: Vec<(DutyId, Outcome)> = effects(&record, |effect| match effect {
        Effect::DutyClosed { duty, outcome } => Some((*duty, *outcome)),
        _ => None,
    });
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].1, Outcome::Met);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// What the new rulebook demands is demanded; the built-in hub does not know the type.
#[tokio::test]
async fn a_new_document_type_is_held_to_its_rules() {
    let house = House::found_with(extended_schema(), extended_law()).await;
    let (hub, tasks) = house.open(house.store().await).await.unwrap();
    submit(&hub, "tianhe-corrections", house.document("tianhe-corrections", enrolment())).await;
    let mut lacking = offer();
    lacking["training_offer"] = json!({ "course": "电工" });
    let lacking = house.document("tianhe-corrections", lacking);
    let refusal = hub.submit(&code("tianhe-corrections"), lacking).await.unwrap_err();
    assert_eq!(refusal.gravest().field, "course_start_date");
    assert_eq!(refusal.reason(), Reason::Required);
    let wrong = house.document("tianhe-police", offer());
    let refusal = hub.submit(&code("tianhe-police"), wrong).await.unwrap_err();
    assert_eq!(refusal.reason(), Reason::WrongRole);
    drop(hub);
    tasks.ended().await.unwrap();

    let plain = House::found().await;
    let (hub, tasks) = plain.open(plain.store().await).await.unwrap();
    let unknown = house.document("tianhe-corrections", offer());
    let refusal = hub.submit(&code("tianhe-corrections"), unknown).await.unwrap_err();
    assert_eq!(refusal.reason(), Reason::UnknownField);
    drop(hub);
    tasks.ended().await.unwrap();
}

/// The schema of `proto/` with the new types, compiled as `proto/` is.
fn extended_schema() -> Schema {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, text) in SOURCES {
        let mut text = (*text).to_owned();
        if name.ends_with("/document.proto") {
            let with_new = text.replace(LAST_BODY, &format!("{LAST_BODY}{NEW_BODIES}"));
            assert_ne!(with_new, text, "document.proto has another last body now");
            text = with_new + NEW_MESSAGES;
        }
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let set = protox::compile(&paths, [folder.path()]).unwrap();
    Schema::from_descriptor_set(&set.encode_to_vec()).unwrap()
}

/// The built-in rulebooks and one more.
fn extended_law() -> Law {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src/domain/rules");
    let mut files = vec![("training.toml".to_owned(), RULEBOOK.to_owned())];
    let mut holidays = String::new();
    for file in std::fs::read_dir(rules).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        match name.as_str() {
            "holidays.toml" => holidays = text,
            "rows.toml" => {}
            name if name.ends_with(".toml") => files.push((name.to_owned(), text)),
            _ => {}
        }
    }
    Law::load(&files, &holidays).unwrap()
}

async fn submit(hub: &Hub, from: &str, signed: Signed) -> Record {
    let answer = hub.submit(&code(from), signed).await.unwrap();
    (*answer.entry.unwrap().1).clone()
}

fn deliveries(record: &Record) -> Vec<(&str, bool)> {
    effects(record, |effect| match effect {
        Effect::DeliveryOpened { agency, copy, .. } => Some((agency.as_str(), *copy)),
        _ => None,
    })
}

fn effects<'r, T>(record: &'r Record, wanted: fn(&'r Effect) -> Option<T>) -> Vec<T> {
    record.effects.iter().filter_map(|ruled| wanted(&ruled.effect)).collect()
}

fn offer() -> Value {
    json!({
        "subject": {
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": "11010519491231002X",
        },
        "training_offer": { "course": "电工", "course_start_date": "2026-12-07" },
    })
}

fn answer(house: &House, offer: &Signed) -> Value {
    let offer = document_to_json(house.schema(), &offer.payload).unwrap();
    let offer: Value = serde_json::from_str(&offer).unwrap();
    json!({
        "in_reply_to": { "sender": "tianhe-corrections", "document_id": offer["document_id"] },
        "training_answer": { "course_opinion": "无异议" },
    })
}

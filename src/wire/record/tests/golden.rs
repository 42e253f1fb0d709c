//! Records whose bytes are frozen: what is hashed can never be encoded otherwise. The files in
//! `tests/golden/` are for integrators too.

use std::collections::BTreeSet;

use expect_test::{ExpectFile, expect_file};
use jiff::civil::date;
use xianjie_core::domain::access::{self, Access, Allowed, Ground, Query};
use xianjie_core::domain::agency::{
    Agency, Branch, Certificate, Kind as AgencyKind, Level, Purpose, Right, System,
};
use xianjie_core::domain::custody::{CustodyChange, Holder, State, Step};
use xianjie_core::domain::document::Category;
use xianjie_core::domain::duty::{
    Duty, DutyState, Extension, Force, Outcome, Owner, RollRule, Warned,
};
use xianjie_core::domain::record::{
    Acknowledged, CaseSet, Clock, DirectoryChanged, DocumentTaken, DutyChange, DutyStep, Effect,
    Flagged, Kind, Notice, Opened, Outage, Record, Refusals, RefusedItem, Rejected, Revocations,
    RuledEffect, Settled, Signature, Signed, Timing,
};
use xianjie_core::domain::role::Role;
use xianjie_core::domain::term::Start;
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DocumentRef, DutyId, InboxNumber, LedgerIndex,
    SenderNumber, Time,
};

use crate::wire::record::{decode, encode};

const TIME: Time = Time(1_795_482_000_123);
const RULE: &str = "act_2020/verdict_handover/to/0";
const ARTICLE: &str = "社区矫正法 20";

/// The record encodes to the bytes in the file, and they are read as the record again.
fn check(kind: Kind, effects: Vec<Effect>, file: ExpectFile) {
    let ruled =
        |effect| RuledEffect { rule: RULE.to_owned(), articles: vec![ARTICLE.to_owned()], effect };
    let record = Record { kind, effects: effects.into_iter().map(ruled).collect() };
    let bytes = encode(&record);
    let mut text = String::new();
    for line in bytes.chunks(32) {
        text.push_str(&hex::encode(line));
        text.push('\n');
    }
    file.assert_eq(&text);
    assert_eq!(decode(&bytes), Ok(record));
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn document(last: u8) -> DocumentRef {
    let mut bytes = [0; 16];
    (bytes[6], bytes[8], bytes[15]) = (0x70, 0x80, last);
    DocumentRef { sender: id("yuexiu-court"), id: DocumentId(bytes) }
}

fn signed() -> Signed {
    let signature =
        Signature { algorithm: 1, certificate: Digest([1; 32]), value: vec![0x30, 0x06] };
    Signed {
        payload: b"payload".to_vec(),
        signatures: vec![signature],
        bindings: vec![LedgerIndex(3)],
    }
}

#[test]
fn opened() {
    let opened = Opened {
        origin: id("hub.demo/ledger/1"),
        checkpoint_key: "hub.demo/ledger/1+00000000+AA==".to_owned(),
        root_key: vec![0x30, 0x00],
        quorum: 2,
    };
    let effects = vec![Effect::RulebookActivated { digest: Digest([2; 32]) }];
    check(Kind::Opened(opened), effects, expect_file!["../../../../tests/golden/opened.hex"]);
}

#[test]
fn a_document_with_its_deliveries_and_its_case() {
    let case = CaseRef([5; 16]);
    let change = CustodyChange {
        moved: Some((State::Awaiting, Some(id("yuexiu-detention")))),
        guard: Some(Holder::Nobody),
        arrested: Some(false),
        ..CustodyChange::default()
    };
    let set = |set| Effect::CaseSet { case, set };
    let effects = vec![
        Effect::CaseOpened { case },
        set(CaseSet::Role(Role::DecisionOrgan, Some(id("yuexiu-court")))),
        set(CaseSet::Category(Category::Probation)),
        set(CaseSet::Place(id("440106"))),
        set(CaseSet::PendingPlace(None)),
        set(CaseSet::TermExpiry(date(2028, 12, 1))),
        set(CaseSet::Juvenile(false)),
        set(CaseSet::Number(Digest([6; 32]))),
        set(CaseSet::Count("warning".to_owned())),
        Effect::Custody { case, step: Step::Papers, change },
        Effect::DeliveryOpened {
            agency: id("tianhe-corrections"),
            copy: false,
            number: InboxNumber(7),
            in_lieu: true,
            carries: BTreeSet::new(),
        },
        Effect::DeliveryOpened {
            agency: id("tianhe-police"),
            copy: true,
            number: InboxNumber(8),
            in_lieu: false,
            carries: ["判决书、裁定书、决定书", "执行通知书"].map(str::to_owned).into(),
        },
        Effect::Withdrawn { document: document(3) },
    ];
    let file = expect_file!["../../../../tests/golden/document.hex"];
    check(Kind::Document(Box::new(taken())), effects, file);
}

fn taken() -> DocumentTaken {
    DocumentTaken {
        document: document(1),
        document_type: id("verdict_handover"),
        commitment: Digest([7; 32]),
        case: Some(CaseRef([5; 16])),
        signers: vec![(Digest([1; 32]), LedgerIndex(3))],
        rulebook: Digest([2; 32]),
        engine: 1,
        sender_number: SenderNumber(4),
        in_reply_to: Some(LedgerIndex(0)),
        thread: LedgerIndex(9),
        replaces: Some(document(2)),
        places: [("new_place".to_owned(), id("440111"))].into(),
        unique: Some(Digest([8; 32])),
        supervisors: [id("tianhe-procuratorate"), id("yuexiu-procuratorate")].into(),
        notice: Some((LedgerIndex(5), Notice::Rejected)),
    }
}

#[test]
fn what_does_not_fit() {
    let flagged = Flagged {
        document: document(1),
        agencies: [id("tianhe-corrections"), id("yuexiu-court")].into(),
        supervisors: [id("tianhe-procuratorate")].into(),
    };
    let what = "hub/second_registration".to_owned();
    let effects = vec![
        Effect::Contradiction { case: Some(CaseRef([5; 16])), what },
        Effect::NoticeOwed {
            notice: Notice::Contradiction,
            to: [id("tianhe-procuratorate")].into(),
        },
    ];
    let file = expect_file!["../../../../tests/golden/flagged.hex"];
    check(Kind::Flagged(flagged), effects, file);
}

#[test]
fn acknowledged_with_duties() {
    let duty = DutyId { index: LedgerIndex(9), ordinal: 1 };
    let owner = Owner::Person { watched_by: id("tianhe-corrections") };
    let acknowledged = Acknowledged {
        agency: id("tianhe-corrections"),
        sender: id("yuexiu-court"),
        statement: signed(),
        supervisors: [id("tianhe-procuratorate")].into(),
    };
    let timing =
        Timing { not_before: Some(TIME), due: Some(TIME), provisional: true, wake: Some(TIME) };
    let effects = vec![
        Effect::DeliverySettled {
            agency: id("tianhe-corrections"),
            number: InboxNumber(7),
            how: Settled::Acknowledged,
        },
        Effect::DutyOpened(Box::new(opened_duty())),
        Effect::DutyStarted { duty, from: Start::Day(date(2026, 11, 24)), timing },
        Effect::DutyChanged { duty, change: DutyChange::Extended, owner, timing },
        Effect::DutyClosed { duty, outcome: Outcome::MetLate },
        Effect::DutyReopened { duty },
    ];
    let file = expect_file!["../../../../tests/golden/acknowledged.hex"];
    check(Kind::Acknowledged(acknowledged), effects, file);
}

fn opened_duty() -> Duty {
    let next = Duty {
        rule: "act_2020/verdict_handover/duties/1/if_missed".to_owned(),
        name: "督促".to_owned(),
        if_missed: None,
        ..duty_of(None)
    };
    duty_of(Some(Box::new(next)))
}

fn duty_of(if_missed: Option<Box<Duty>>) -> Duty {
    Duty {
        rule: RULE.to_owned(),
        articles: vec![ARTICLE.to_owned()],
        name: "送达回执".to_owned(),
        opener: id("verdict_handover"),
        opened_by: document(1),
        case: Some(CaseRef([5; 16])),
        thread: LedgerIndex(9),
        owner: Owner::Agency(id("tianhe-corrections")),
        creditor: Some(id("yuexiu-court")),
        limit: "5 days from receipt".to_owned(),
        force: Force::Binding,
        roll: RollRule::UnlessArrested,
        done_when_decided: true,
        state: DutyState::Open,
        waits_for: Some((id("tianhe-corrections"), InboxNumber(7))),
        runs_from: Some(Start::Instant(TIME.0)),
        stated: Some(TIME),
        wake: Some(TIME),
        warned: Warned::No,
        suspended: None,
        extend: Some(Extension {
            by: "1 months".to_owned(),
            with: id("extension_notice"),
            times: 1,
            granted: 0,
        }),
        suspend: Some((id("review_request"), id("review_of_correction"))),
        if_missed,
        not_before: Some(TIME),
        due: Some(TIME),
        provisional: true,
        handover: true,
        closed_by: vec![id("return_receipt")],
        cancelled_by: vec![id("death_notice")],
        passes_to: Some((id("file_transfer"), "new agency".to_owned())),
    }
}

#[test]
fn rejected_refused_and_closed_for_a_while() {
    let rejected = Rejected {
        agency: id("tianhe-corrections"),
        sender: id("yuexiu-court"),
        number: InboxNumber(7),
        reason: "REJECTION_REASON_NOT_FOR_US".to_owned(),
        statement: signed(),
        supervisors: [id("tianhe-procuratorate")].into(),
    };
    let how = Settled::ServedOtherwise(date(2026, 11, 24));
    let agency = id("tianhe-corrections");
    let effects = vec![Effect::DeliverySettled { agency, number: InboxNumber(7), how }];
    let file = expect_file!["../../../../tests/golden/rejected.hex"];
    check(Kind::Rejected(rejected), effects, file);

    let item = RefusedItem {
        time: TIME,
        id: Some(document(1).id),
        salt: [10; 32],
        digest: Digest([9; 32]),
        reasons: vec!["REQUIRED subject".to_owned()],
    };
    let refusals = Refusals { agency: id("yuexiu-court"), items: vec![item], more: 2 };
    let file = expect_file!["../../../../tests/golden/refusals.hex"];
    check(Kind::Refusals(refusals), Vec::new(), file);
}

#[test]
fn what_time_did() {
    let outage = Outage { from: TIME, until: Time(TIME.0 + 60_000) };
    let file = expect_file!["../../../../tests/golden/clock.hex"];
    check(Kind::Clock(Clock::Outage(outage)), Vec::new(), file);

    let missed = Clock::Duty {
        duty: DutyId { index: LedgerIndex(3), ordinal: 1 },
        step: DutyStep::HandoverMissed,
        times: 2,
        outage: Some(outage),
        agencies: [id("tianhe-corrections"), id("yuexiu-court")].into(),
        supervisors: [id("tianhe-procuratorate")].into(),
    };
    let file = expect_file!["../../../../tests/golden/clock_duty.hex"];
    check(Kind::Clock(missed), Vec::new(), file);

    let agency: AgencyCode = id("tianhe-corrections");
    let lain = Clock::Unacknowledged {
        agency: agency.clone(),
        number: InboxNumber(7),
        agencies: [id("yuexiu-court")].into(),
        supervisors: [id("tianhe-procuratorate")].into(),
    };
    let sender = id("yuexiu-court");
    let told = Effect::UnacknowledgedTold { agency, sender, number: InboxNumber(7) };
    let file = expect_file!["../../../../tests/golden/clock_unacknowledged.hex"];
    check(Kind::Clock(lain), vec![told], file);
}

#[test]
fn a_revocation_list() {
    let list = Revocations {
        issuer: Digest([11; 32]),
        number: vec![1, 0],
        list: Digest([12; 32]),
        this_update: TIME,
        next_update: Some(Time(TIME.0 + 86_400_000)),
    };
    let effects = vec![Effect::CertificateRevoked {
        digest: Digest([1; 32]),
        compromised_since: Some(Time(TIME.0 - 1)),
    }];
    let file = expect_file!["../../../../tests/golden/revocations.hex"];
    check(Kind::Revocations(list), effects, file);
}

#[test]
fn a_query_and_a_showing() {
    let ground = Ground { purpose: access::Purpose::CaseHandling, article: id("刑诉法 286") };
    let query = Access {
        agency: id("yuexiu-court"),
        system: id("yuexiu-system"),
        method: "QueryPerson".to_owned(),
        cases: [CaseRef([5; 16]), CaseRef([6; 16])].into(),
        document: None,
        query: Some(Allowed {
            query: Query { topic: id("supervision"), ground },
            opens: [id("discipline_record"), id("registration_record")].into(),
        }),
        by_query: None,
        supervisors: [id("tianhe-procuratorate"), id("yuexiu-procuratorate")].into(),
    };
    let showing = Access {
        method: "GetDocument".to_owned(),
        cases: [CaseRef([5; 16])].into(),
        document: Some(LedgerIndex(9)),
        query: None,
        by_query: Some(LedgerIndex(11)),
        ..query.clone()
    };
    let file = expect_file!["../../../../tests/golden/access_query.hex"];
    check(Kind::Access(Box::new(query)), Vec::new(), file);
    let file = expect_file!["../../../../tests/golden/access_showing.hex"];
    check(Kind::Access(Box::new(showing)), Vec::new(), file);
}

#[test]
fn a_change_of_the_directory() {
    let changed = DirectoryChanged {
        id: document(4).id,
        operators: vec![id("operator-1"), id("operator-2")],
        statement: signed(),
    };
    let rights = [Right::Submit, Right::Receive].into();
    let system = System {
        code: id("yuexiu-system"),
        name: "越秀法院办案系统".to_owned(),
        agencies: [(id("yuexiu-court"), rights)].into(),
        gateway: false,
        suspended: false,
    };
    let certificate = Certificate {
        digest: Digest([1; 32]),
        purpose: Purpose::Document(id("yuexiu-court")),
        label: "HSM 1".to_owned(),
        der: vec![0x30, 0x00],
        valid_from: TIME,
        valid_until: Time(TIME.0 + 1),
        binding: LedgerIndex(10),
        revoked: None,
    };
    let effects = vec![
        Effect::AgencyPut(Box::new(agency())),
        Effect::SystemPut(Box::new(system)),
        Effect::CertificatePut(Box::new(certificate)),
        Effect::CertificateRevoked { digest: Digest([1; 32]), compromised_since: Some(TIME) },
        Effect::AgencySuspended { agency: id("yuexiu-court"), suspended: true },
        Effect::AgencySuspended { agency: id("yuexiu-court"), suspended: false },
        Effect::SystemSuspended { system: id("yuexiu-system"), suspended: true },
        Effect::SystemSuspended { system: id("yuexiu-system"), suspended: false },
    ];
    let file = expect_file!["../../../../tests/golden/directory.hex"];
    check(Kind::Directory(changed), effects, file);
}

fn agency() -> Agency {
    Agency {
        code: id("yuexiu-court"),
        name: "广州市越秀区人民法院".to_owned(),
        kind: AgencyKind::BasicCourt,
        level: Level::County,
        acts_at: [Level::City].into(),
        branch: Branch::Local,
        serves: [id("440104")].into(),
        parent: Some(id("guangzhou-court")),
        supervised_by: Some(id("yuexiu-procuratorate")),
        social_credit_code: None,
        electronic_service: true,
        valid_from: TIME,
        valid_until: Some(Time(TIME.0 + 2)),
        successor: None,
        suspended: false,
        enrolment_until: Some(Time(TIME.0 + 1)),
    }
}

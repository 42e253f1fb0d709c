//! Records of every kind, with every effect.

use std::collections::BTreeSet;

use jiff::civil::Date;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use xianjie_core::domain::access::{self, Access, Allowed, Ground, Query};
use xianjie_core::domain::agency::{
    Agency, Branch, Certificate, Kind as AgencyKind, Level, Purpose, Revocation, Right, System,
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
    AgencyCode, CaseRef, Digest, DivisionCode, DocumentId, DocumentRef, DocumentType, DutyId,
    InboxNumber, LedgerIndex, OperatorName, SenderNumber, SystemCode, Time,
};

pub(super) fn record() -> impl Strategy<Value = Record> {
    (kind(), vec(ruled(), 0..6)).prop_map(|(kind, effects)| Record { kind, effects })
}

fn ruled() -> impl Strategy<Value = RuledEffect> {
    (text(), vec(text(), 0..3), effect()).prop_map(|(rule, articles, mut effect)| {
        if let Effect::DutyOpened(duty) = &mut effect {
            duty.rule.clone_from(&rule);
            duty.articles.clone_from(&articles);
        }
        RuledEffect { rule, articles, effect }
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        opened().prop_map(Kind::Opened),
        taken().prop_map(|taken| Kind::Document(Box::new(taken))),
        acknowledged().prop_map(Kind::Acknowledged),
        rejected().prop_map(Kind::Rejected),
        refusals().prop_map(Kind::Refusals),
        clock().prop_map(Kind::Clock),
        changed().prop_map(Kind::Directory),
        revocations().prop_map(Kind::Revocations),
        access().prop_map(|access| Kind::Access(Box::new(access))),
        flagged().prop_map(Kind::Flagged),
    ]
}

fn flagged() -> impl Strategy<Value = Flagged> {
    (document(), agencies(), agencies()).prop_map(|(document, agencies, supervisors)| Flagged {
        document,
        agencies,
        supervisors,
    })
}

fn access() -> impl Strategy<Value = Access> {
    let who = (agency_code(), "[a-z]{1,8}", text(), agencies());
    let ground = (select(access::Purpose::WORDS), "[a-z0-9]{0,3}条")
        .prop_map(|((purpose, _), article)| Ground { purpose, article: article.parse().unwrap() });
    let query =
        ("[a-z_]{1,8}", ground, btree_set(kind_name(), 0..3)).prop_map(|(topic, ground, opens)| {
            Allowed { query: Query { topic: topic.parse().unwrap(), ground }, opens }
        });
    let what = (btree_set(case(), 0..3), of(index()), of(query), of(index()));
    (who, what).prop_map(|(who, what)| Access {
        agency: who.0,
        system: who.1.parse().unwrap(),
        method: who.2,
        cases: what.0,
        document: what.1,
        query: what.2,
        by_query: what.3,
        supervisors: who.3,
    })
}

fn opened() -> impl Strategy<Value = Opened> {
    ("[a-z]{1,8}\\.demo/ledger/[1-9]", text(), bytes(), any::<u32>()).prop_map(
        |(origin, checkpoint_key, root_key, quorum)| Opened {
            origin: origin.parse().unwrap(),
            checkpoint_key,
            root_key,
            quorum,
        },
    )
}

fn taken() -> impl Strategy<Value = DocumentTaken> {
    let what = (document(), kind_name(), digest(), of(case()), vec((digest(), index()), 0..3));
    let how = (digest(), any::<u32>(), any::<u64>(), of(index()), index(), of(document()));
    let more = (
        btree_map(text(), division(), 0..3),
        of(digest()),
        btree_set(agency_code(), 0..3),
        of((index(), notice())),
    );
    (what, how, more).prop_map(|(what, how, more)| DocumentTaken {
        document: what.0,
        document_type: what.1,
        commitment: what.2,
        case: what.3,
        signers: what.4,
        rulebook: how.0,
        engine: how.1,
        sender_number: SenderNumber(how.2),
        in_reply_to: how.3,
        thread: how.4,
        replaces: how.5,
        places: more.0,
        unique: more.1,
        supervisors: more.2,
        notice: more.3,
    })
}

fn acknowledged() -> impl Strategy<Value = Acknowledged> {
    (agency_code(), agency_code(), signed(), agencies()).prop_map(
        |(agency, sender, statement, supervisors)| Acknowledged {
            agency,
            sender,
            statement,
            supervisors,
        },
    )
}

fn rejected() -> impl Strategy<Value = Rejected> {
    (agency_code(), agency_code(), any::<u64>(), text(), signed(), agencies()).prop_map(
        |(agency, sender, number, reason, statement, supervisors)| Rejected {
            agency,
            sender,
            number: InboxNumber(number),
            reason,
            statement,
            supervisors,
        },
    )
}

fn revocations() -> impl Strategy<Value = Revocations> {
    (digest(), bytes(), digest(), time(), of(time())).prop_map(
        |(issuer, number, list, this_update, next_update)| Revocations {
            issuer,
            number,
            list,
            this_update,
            next_update: next_update.filter(|time| time.0 != 0),
        },
    )
}

fn refusals() -> impl Strategy<Value = Refusals> {
    let item = (time(), of(document_id()), any::<[u8; 32]>(), digest(), vec(text(), 0..3));
    let item = item.prop_map(|(time, id, salt, digest, reasons)| RefusedItem {
        time,
        id,
        salt,
        digest,
        reasons,
    });
    (agency_code(), vec(item, 0..4), any::<u64>()).prop_map(|(agency, items, more)| Refusals {
        agency,
        items,
        more,
    })
}

fn changed() -> impl Strategy<Value = DirectoryChanged> {
    (document_id(), vec(operator(), 0..3), signed())
        .prop_map(|(id, operators, statement)| DirectoryChanged { id, operators, statement })
}

fn effect() -> impl Strategy<Value = Effect> {
    prop_oneof![case_effect(), delivery_effect(), duty_effect(), other_effect(), directory_effect()]
}

fn case_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        case().prop_map(|case| Effect::CaseOpened { case }),
        (case(), case_set()).prop_map(|(case, set)| Effect::CaseSet { case, set }),
        (case(), word(Step::WORDS), custody()).prop_map(|(case, step, change)| Effect::Custody {
            case,
            step,
            change
        }),
        (of(case()), text()).prop_map(|(case, what)| Effect::Contradiction { case, what }),
    ]
}

fn case_set() -> impl Strategy<Value = CaseSet> {
    prop_oneof![
        (word(Role::WORDS), of(agency_code())).prop_map(|(role, who)| CaseSet::Role(role, who)),
        word(Category::WORDS).prop_map(CaseSet::Category),
        division().prop_map(CaseSet::Place),
        of(division()).prop_map(CaseSet::PendingPlace),
        date().prop_map(CaseSet::TermExpiry),
        any::<bool>().prop_map(CaseSet::Juvenile),
        digest().prop_map(CaseSet::Number),
        text().prop_map(CaseSet::Count),
    ]
}

fn custody() -> impl Strategy<Value = CustodyChange> {
    let flags = (of(any::<bool>()), of(any::<bool>()), of(any::<bool>()));
    let holder = of(agency_code()).prop_map(|code| code.map_or(Holder::Nobody, Holder::Agency));
    (of((word(State::WORDS), of(agency_code()))), of(holder), flags).prop_map(
        |(moved, guard, (missing, arrested, proposal))| CustodyChange {
            moved,
            missing,
            guard,
            arrested,
            proposal,
        },
    )
}

fn delivery_effect() -> impl Strategy<Value = Effect> {
    let settled = prop_oneof![
        Just(Settled::Acknowledged),
        Just(Settled::Rejected),
        date().prop_map(Settled::ServedOtherwise),
    ];
    prop_oneof![
        (agency_code(), any::<bool>(), any::<u64>(), any::<bool>(), btree_set(text(), 0..3))
            .prop_map(|(agency, copy, number, in_lieu, carries)| Effect::DeliveryOpened {
                agency,
                copy,
                number: InboxNumber(number),
                in_lieu,
                carries,
            }),
        (agency_code(), any::<u64>(), settled).prop_map(|(agency, number, how)| {
            Effect::DeliverySettled { agency, number: InboxNumber(number), how }
        }),
    ]
}

fn duty_effect() -> BoxedStrategy<Effect> {
    let change = select(vec![
        DutyChange::Forewarned,
        DutyChange::Passed,
        DutyChange::Recomputed,
        DutyChange::PassedOn,
        DutyChange::Extended,
        DutyChange::Suspended,
        DutyChange::Resumed,
        DutyChange::Confined,
    ]);
    prop_oneof![
        duty().prop_map(|duty| Effect::DutyOpened(Box::new(duty))),
        (duty_id(), start(), timing())
            .prop_map(|(duty, from, timing)| { Effect::DutyStarted { duty, from, timing } }),
        (duty_id(), change, owner(), timing()).prop_map(|(duty, change, owner, timing)| {
            Effect::DutyChanged { duty, change, owner, timing }
        }),
        (duty_id(), outcome()).prop_map(|(duty, outcome)| Effect::DutyClosed { duty, outcome }),
        duty_id().prop_map(|duty| Effect::DutyReopened { duty }),
    ]
    .boxed()
}

fn clock() -> BoxedStrategy<Clock> {
    let outage = || (time(), time()).prop_map(|(from, until)| Outage { from, until });
    let step = select(vec![
        DutyStep::Forewarned,
        DutyStep::Missed,
        DutyStep::HandoverMissed,
        DutyStep::Recomputed,
        DutyStep::Reminded,
        DutyStep::Lapsed,
    ]);
    prop_oneof![
        outage().prop_map(Clock::Outage),
        (duty_id(), step, any::<u32>(), of(outage()), agencies(), agencies()).prop_map(
            |(duty, step, times, outage, agencies, supervisors)| Clock::Duty {
                duty,
                step,
                times,
                outage,
                agencies,
                supervisors,
            }
        ),
        (agency_code(), any::<u64>(), agencies(), agencies()).prop_map(
            |(agency, number, agencies, supervisors)| Clock::Unacknowledged {
                agency,
                number: InboxNumber(number),
                agencies,
                supervisors,
            }
        ),
    ]
    .boxed()
}

fn start() -> impl Strategy<Value = Start> {
    prop_oneof![
        any::<i64>().prop_map(Start::Instant),
        (1990i16..2100, 1i8..13, 1i8..29)
            .prop_map(|(year, month, day)| Start::Day(Date::new(year, month, day).unwrap())),
    ]
}

fn timing() -> impl Strategy<Value = Timing> {
    (of(time()), of(time()), any::<bool>(), of(time())).prop_map(
        |(not_before, due, provisional, wake)| Timing { not_before, due, provisional, wake },
    )
}

/// A duty, and what opens if it passes undone.
fn duty() -> impl Strategy<Value = Duty> {
    (one_duty(), of(one_duty()), text(), vec(text(), 0..3)).prop_map(
        |(duty, next, rule, articles)| Duty {
            if_missed: next.map(|next| Box::new(Duty { rule, articles, ..next })),
            ..duty
        },
    )
}

fn one_duty() -> BoxedStrategy<Duty> {
    let state = prop_oneof![
        Just(DutyState::Open),
        (outcome(), index()).prop_map(|(outcome, by)| DutyState::Closed { outcome, by }),
    ];
    let what = (text(), kind_name(), document(), of(case()), index());
    let who = (owner(), of(agency_code()), state, of((kind_name(), text())));
    let force = select(vec![Force::Binding, Force::Soft, Force::Right]);
    let roll = select(vec![RollRule::Holidays, RollRule::Never, RollRule::UnlessArrested]);
    let limit = (text(), force, roll, of(time()), of(time()), any::<bool>());
    let ends = (any::<bool>(), vec(kind_name(), 0..3), vec(kind_name(), 0..3), any::<bool>());
    let extension = (text(), kind_name(), any::<u8>()).prop_map(|(by, with, times)| Extension {
        by,
        with,
        times,
        granted: 0,
    });
    let waits_for = (agency_code(), any::<u64>().prop_map(InboxNumber));
    let stated = of(time());
    let suspend = of((kind_name(), kind_name()));
    let time = (of(waits_for), of(start()), of(time()), of(extension), suspend, stated);
    (what, who, limit, ends, time)
        .prop_map(|(what, who, limit, ends, time)| Duty {
            rule: String::new(),
            articles: Vec::new(),
            name: what.0,
            opener: what.1,
            opened_by: what.2,
            case: what.3,
            thread: what.4,
            owner: who.0,
            creditor: who.1,
            limit: limit.0,
            force: limit.1,
            roll: limit.2,
            state: who.2,
            waits_for: time.0,
            runs_from: time.1,
            stated: time.5,
            wake: time.2,
            warned: Warned::No,
            suspended: None,
            extend: time.3,
            suspend: time.4,
            if_missed: None,
            not_before: limit.3,
            due: limit.4,
            provisional: limit.5,
            handover: ends.0,
            closed_by: ends.1,
            done_when_decided: ends.3,
            cancelled_by: ends.2,
            passes_to: who.3,
        })
        .boxed()
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        agency_code().prop_map(Owner::Agency),
        agency_code().prop_map(|watched_by| Owner::Person { watched_by }),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    select(vec![
        Outcome::Met,
        Outcome::MetLate,
        Outcome::Cancelled,
        Outcome::Replaced,
        Outcome::Withdrawn,
        Outcome::Lapsed,
    ])
}

fn other_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        document().prop_map(|document| Effect::Withdrawn { document }),
        (agency_code(), agency_code(), any::<u64>()).prop_map(|(agency, sender, number)| {
            Effect::UnacknowledgedTold { agency, sender, number: InboxNumber(number) }
        }),
        (notice(), agencies()).prop_map(|(notice, to)| Effect::NoticeOwed { notice, to }),
        digest().prop_map(|digest| Effect::RulebookActivated { digest }),
    ]
}

fn directory_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        agency().prop_map(|agency| Effect::AgencyPut(Box::new(agency))),
        system().prop_map(|system| Effect::SystemPut(Box::new(system))),
        certificate().prop_map(|certificate| Effect::CertificatePut(Box::new(certificate))),
        (digest(), of(time())).prop_map(|(digest, compromised_since)| {
            Effect::CertificateRevoked { digest, compromised_since }
        }),
        (agency_code(), any::<bool>())
            .prop_map(|(agency, suspended)| Effect::AgencySuspended { agency, suspended }),
        (system_code(), any::<bool>())
            .prop_map(|(system, suspended)| Effect::SystemSuspended { system, suspended }),
    ]
}

fn agency() -> impl Strategy<Value = Agency> {
    let level = || word(Level::WORDS);
    let branch = select(vec![Branch::Local, Branch::Bingtuan, Branch::Railway, Branch::Military]);
    let who = (agency_code(), text(), word(AgencyKind::WORDS), level(), btree_set(level(), 0..3));
    let whose = (
        branch,
        btree_set(division(), 0..4),
        of(agency_code()),
        of(agency_code()),
        of("[0-9A-Z]{18}"),
        of(agency_code()),
    );
    let when = (time(), of(time()), of(time()), any::<bool>(), any::<bool>());
    (who, whose, when).prop_map(|(who, whose, when)| Agency {
        code: who.0,
        name: who.1,
        kind: who.2,
        level: who.3,
        acts_at: who.4,
        branch: whose.0,
        serves: whose.1,
        parent: whose.2,
        supervised_by: whose.3,
        social_credit_code: whose.4,
        electronic_service: when.3,
        valid_from: when.0,
        valid_until: when.1,
        successor: whose.5,
        suspended: when.4,
        enrolment_until: when.2,
    })
}

fn system() -> impl Strategy<Value = System> {
    let rights = btree_set(word(Right::WORDS), 0..4);
    let agencies = btree_map(agency_code(), rights, 0..4);
    (system_code(), text(), agencies, any::<bool>(), any::<bool>()).prop_map(
        |(code, name, agencies, gateway, suspended)| System {
            code,
            name,
            agencies,
            gateway,
            suspended,
        },
    )
}

fn certificate() -> impl Strategy<Value = Certificate> {
    let purpose = prop_oneof![
        system_code().prop_map(Purpose::Transport),
        agency_code().prop_map(Purpose::Document),
        agency_code().prop_map(Purpose::Acknowledgement),
        operator().prop_map(Purpose::Operator),
    ];
    let revoked = (time(), of(time()))
        .prop_map(|(at, compromised_since)| Revocation { at, compromised_since });
    (digest(), purpose, text(), bytes(), (time(), time()), index(), of(revoked)).prop_map(
        |(digest, purpose, label, der, (valid_from, valid_until), binding, revoked)| Certificate {
            digest,
            purpose,
            label,
            der,
            valid_from,
            valid_until,
            binding,
            revoked,
        },
    )
}

fn signed() -> impl Strategy<Value = Signed> {
    let signature = (any::<i32>(), digest(), bytes())
        .prop_map(|(algorithm, certificate, value)| Signature { algorithm, certificate, value });
    (bytes(), vec(signature, 0..3), vec(index(), 0..3))
        .prop_map(|(payload, signatures, bindings)| Signed { payload, signatures, bindings })
}

fn notice() -> impl Strategy<Value = Notice> {
    select(Notice::ALL.to_vec())
}

fn word<T: Copy + std::fmt::Debug + 'static>(
    words: &'static [(T, &'static str)],
) -> impl Strategy<Value = T> {
    select(words).prop_map(|(word, _)| word)
}

fn agencies() -> impl Strategy<Value = BTreeSet<AgencyCode>> {
    btree_set(agency_code(), 0..3)
}

fn agency_code() -> impl Strategy<Value = AgencyCode> {
    "[a-z0-9-]{1,40}".prop_map(|text| text.parse().unwrap())
}

fn system_code() -> impl Strategy<Value = SystemCode> {
    "[a-z0-9-]{1,40}".prop_map(|text| text.parse().unwrap())
}

fn operator() -> impl Strategy<Value = OperatorName> {
    "[a-z0-9-]{1,40}".prop_map(|text| text.parse().unwrap())
}

fn division() -> impl Strategy<Value = DivisionCode> {
    "[0-9A-Z]{1,12}".prop_map(|text| text.parse().unwrap())
}

fn kind_name() -> impl Strategy<Value = DocumentType> {
    "[a-z_]{1,64}".prop_map(|text| text.parse().unwrap())
}

fn document() -> impl Strategy<Value = DocumentRef> {
    (agency_code(), document_id()).prop_map(|(sender, id)| DocumentRef { sender, id })
}

fn document_id() -> impl Strategy<Value = DocumentId> {
    any::<[u8; 16]>().prop_map(|mut id| {
        id[6] = 0x70 | id[6] & 0x0f;
        id[8] = 0x80 | id[8] & 0x3f;
        DocumentId(id)
    })
}

fn duty_id() -> impl Strategy<Value = DutyId> {
    (index(), any::<u32>()).prop_map(|(index, ordinal)| DutyId { index, ordinal })
}

fn case() -> impl Strategy<Value = CaseRef> {
    any::<[u8; 16]>().prop_map(CaseRef)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn index() -> impl Strategy<Value = LedgerIndex> {
    any::<u64>().prop_map(LedgerIndex)
}

fn time() -> impl Strategy<Value = Time> {
    any::<i64>().prop_map(Time)
}

fn date() -> impl Strategy<Value = Date> {
    (1900..2200_i16, 1..=12_i8, 1..=28_i8).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap())
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

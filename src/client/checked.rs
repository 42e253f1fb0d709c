//! The hub's answer to a document that is only checked, as text for people.

use std::fmt::Write as _;

use xianjie_core::domain::custody::State;
use xianjie_core::domain::explain::{Language, state_phrase};
use xianjie_core::domain::term::Due;
use xianjie_core::ids::Time;
use xianjie_core::refusal::Reason;

use crate::wire::pb::{self, checked_duty::Owner};
use crate::wire::record::Word as _;
use crate::wire::time::read_time;

/// How many things a person must mend before the document is taken. An attachment that the hub
/// doesn't hold yet is none: `send` uploads it first.
#[must_use]
pub fn wrong(answer: &pb::CheckDocumentResponse) -> usize {
    answer.violations.iter().filter(|violation| !is_upload(violation)).count()
}

fn is_upload(violation: &pb::Violation) -> bool {
    violation.reason == Reason::AttachmentMissing.name()
}

/// The answer as text, in English and Chinese.
#[must_use]
pub fn describe(answer: &pb::CheckDocumentResponse) -> String {
    // Writing to a string can't fail.
    let mut text = format!("{}\n", answer.document_type);
    let wrong: Vec<_> = answer.violations.iter().filter(|v| !is_upload(v)).cloned().collect();
    violations(&mut text, "Wrong · 问题", &wrong);
    flags(&mut text, &answer.flags);
    heading(&mut text, "Addressees · 送达单位", answer.addressees.len());
    for addressee in &answer.addressees {
        let kind = if addressee.copy { "copy 抄送" } else { "primary 主送" };
        let in_lieu = if addressee.in_lieu { " (in lieu 代收)" } else { "" };
        let (agency, relation) = (&addressee.agency, &addressee.relation);
        let _ = writeln!(
            text,
            "  - {kind}: {agency}{in_lieu}: {relation}{}",
            articles(&addressee.articles)
        );
        if !addressee.carries.is_empty() {
            let kinds = addressee.carries.join("、");
            let _ = writeln!(text, "    with these attachments alone 仅附送: {kinds}");
        }
    }
    heading(&mut text, "Duties that it opens · 产生的期限义务", answer.opens.len());
    for duty in &answer.opens {
        let owner = match &duty.owner {
            Some(Owner::OwnerAgency(agency)) => agency.clone(),
            Some(Owner::PersonWatchedBy(agency)) => format!("the person 本人 ({agency})"),
            None => String::new(),
        };
        let due = duty.due_time.as_ref().and_then(read_time).map_or_else(String::new, last_day);
        let (name, limit, articles) = (&duty.name, &duty.limit, articles(&duty.articles));
        let _ = writeln!(text, "  - {name}: {owner}, {limit}{due}{articles}");
    }
    heading(&mut text, "Duties that it closes · 完成的期限义务", answer.closes.len());
    for closing in &answer.closes {
        let outcome = closing.outcome().as_str_name();
        let outcome = outcome.trim_start_matches("DUTY_OUTCOME_").to_lowercase();
        let _ = writeln!(text, "  - {}: {}", closing.name, outcome.replace('_', " "));
    }
    if let Some(custody) = &answer.custody {
        heading(&mut text, "Custody · 监管责任", 1);
        let answers = if custody.answers.is_empty() { "-" } else { custody.answers.as_str() };
        let _ = match State::from_number(custody.state) {
            Ok(state) => {
                let state = Language::Both.of(&state_phrase(state));
                writeln!(text, "  - {state}, answers 责任单位: {answers}")
            }
            // A step that changes no state, or one of a later version.
            Err(_) => writeln!(text, "  - state unchanged · 监管状态不变"),
        };
    }
    heading(
        &mut text,
        "Attachments that sending uploads first · 发送时将先行上传的附件",
        answer.missing_attachments.len(),
    );
    for digest in &answer.missing_attachments {
        let _ = writeln!(text, "  - sha256 {}", hex::encode(digest));
    }
    signatures(&mut text, &answer.signatures);
    let _ = writeln!(text, "\ndocument sha256: {}", hex::encode(&answer.document_sha256));
    text
}

fn heading(text: &mut String, heading: &str, count: usize) {
    if count > 0 {
        let _ = writeln!(text, "\n{heading}");
    }
}

fn violations(text: &mut String, title: &str, violations: &[pb::Violation]) {
    heading(text, title, violations.len());
    for violation in violations {
        let field = if violation.field.is_empty() { "document" } else { violation.field.as_str() };
        let (reason, message, zh) = (&violation.reason, &violation.message, &violation.message_zh);
        let articles = articles(&violation.articles);
        let _ = writeln!(text, "  - {field}: {reason}: {message} · {zh}{articles}");
        match (violation.help.as_str(), violation.help_zh.as_str()) {
            ("", _) => {}
            (help, "") => drop(writeln!(text, "    {help}")),
            (help, same) if help == same => drop(writeln!(text, "    {help}")),
            (help, help_zh) => drop(writeln!(text, "    {help} · {help_zh}")),
        }
    }
}

/// What does not fit and is taken all the same.
fn flags(text: &mut String, flags: &[pb::Violation]) {
    heading(
        text,
        "Taken, and flagged to the procuratorate · 照收，并提请检察机关注意",
        flags.len(),
    );
    for flag in flags {
        let (reason, message, zh) = (&flag.reason, &flag.message, &flag.message_zh);
        let _ = writeln!(text, "  - {message} · {zh} ({reason}){}", articles(&flag.articles));
    }
}

fn signatures(text: &mut String, signatures: &[pb::CheckedSignature]) {
    heading(text, "Signatures · 签名", signatures.len());
    for signature in signatures {
        let valid = if signature.valid { "valid 有效" } else { "not valid 无效" };
        let (signed, reason) = (hex::encode(&signature.signed_sha256), &signature.reason);
        let colon = if reason.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "  - {valid}{colon}{reason}; signs 应签摘要 {signed}");
    }
}

/// ` [社区矫正法 20]`, or nothing.
fn articles(articles: &[String]) -> String {
    if articles.is_empty() { String::new() } else { format!(" [{}]", articles.join(", ")) }
}

/// The last day on which a duty is met in time.
fn last_day(time: Time) -> String {
    let due = Due { at_ms: time.0, provisional: false };
    format!(", last day 最后日期 {}", due.last_day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_in_full() {
        let answer = pb::CheckDocumentResponse {
            document_type: "verdict_handover".to_owned(),
            violations: vec![
                pb::Violation {
                    field: "effective_date".to_owned(),
                    reason: "REQUIRED".to_owned(),
                    message: "must be filled in".to_owned(),
                    message_zh: "必须填写".to_owned(),
                    articles: vec!["社区矫正法 20".to_owned()],
                    help: "a date".to_owned(),
                    help_zh: "日期".to_owned(),
                },
                pb::Violation {
                    field: "attachments[0]".to_owned(),
                    reason: "ATTACHMENT_MISSING".to_owned(),
                    ..pb::Violation::default()
                },
            ],
            addressees: vec![pb::CheckedAddressee {
                agency: "a".to_owned(),
                copy: true,
                relation: "county police of the place of execution".to_owned(),
                articles: Vec::new(),
                in_lieu: true,
                carries: vec!["判决书".to_owned()],
            }],
            flags: vec![pb::Violation {
                reason: "UNEXPECTED_SENDER".to_owned(),
                message: "another agency should have sent it".to_owned(),
                message_zh: "应由其他单位发送".to_owned(),
                ..pb::Violation::default()
            }],
            opens: vec![pb::CheckedDuty {
                name: "送达回执".to_owned(),
                owner: Some(Owner::OwnerAgency("a".to_owned())),
                limit: "5 days".to_owned(),
                due_time: Some(crate::wire::time::write_time(Time(1_795_449_600_000))),
                ..pb::CheckedDuty::default()
            }],
            missing_attachments: vec![vec![3]],
            signatures: vec![pb::CheckedSignature {
                reason: "SIGNATURE_INVALID".to_owned(),
                signed_sha256: vec![1, 2],
                ..pb::CheckedSignature::default()
            }],
            ..pb::CheckDocumentResponse::default()
        };
        expect_test::expect![[r#"
            verdict_handover

            Wrong · 问题
              - effective_date: REQUIRED: must be filled in · 必须填写 [社区矫正法 20]
                a date · 日期

            Taken, and flagged to the procuratorate · 照收，并提请检察机关注意
              - another agency should have sent it · 应由其他单位发送 (UNEXPECTED_SENDER)

            Addressees · 送达单位
              - copy 抄送: a (in lieu 代收): county police of the place of execution
                with these attachments alone 仅附送: 判决书

            Duties that it opens · 产生的期限义务
              - 送达回执: a, 5 days, last day 最后日期 2026-11-23

            Attachments that sending uploads first · 发送时将先行上传的附件
              - sha256 03

            Signatures · 签名
              - not valid 无效: SIGNATURE_INVALID; signs 应签摘要 0102

            document sha256: 
        "#]]
        .assert_eq(&describe(&answer));
        assert_eq!(wrong(&answer), 1);
    }
}

//! The catalogue of reasons: every "no" of the hub with what a sender's program does next. It stands
//! in `docs/reasons.md` for integrators, and a test compares the two.

use std::fmt::Write as _;

use serde_json::{Value, json};
use xianjie_core::refusal::{Class, Reason};

const HEAD: &str = "\
# Why the hub says no (不予接收的原因)

Every refusal names a reason and gives one advice. Programs branch on the advice alone; the reason is
for people and logs. In unary calls both stand in the trailers `xianjie-reason` and `xianjie-advice`;
in streams in the message `Refusal`. An error without `xianjie-reason` says nothing of the outcome:
send the same bytes again.

| advice | what the program does |
|---|---|
| `RESEND` | sends the same bytes again after a pause, for ever (稍后以相同内容重发) |
| `UPLOAD_THEN_RESEND` | uploads what is missing, then sends the same bytes again (补传附件后重发) |
| `NEW_DOCUMENT` | stops: a person corrects the document, which gets a new id (更正后以新编号发送) |
| `ASK_OPERATOR` | stops: agency and operators put something right first (联系运维人员) |

This page is printed by `xianjie law reasons`.

| reason | advice | gRPC code | what it means | 含义 |
|---|---|---|---|---|
";

/// The catalogue, in Markdown.
pub(super) fn catalogue() -> String {
    let mut text = HEAD.to_owned();
    for reason in Reason::ALL {
        let (name, advice) = (reason.name(), reason.advice().name());
        let (code, english, chinese) = (code(reason.class()), reason.english(), reason.chinese());
        // Writing to a string can't fail.
        let _ = writeln!(text, "| `{name}` | `{advice}` | {code} | {english} | {chinese} |");
    }
    text
}

/// One reason for programs.
pub(super) fn to_json(reason: &Reason) -> Value {
    json!({
        "reason": reason.name(),
        "advice": reason.advice().name(),
        "code": code(reason.class()),
        "message": reason.english(),
        "message_zh": reason.chinese(),
    })
}

/// The name of the gRPC code as the specification writes it.
fn code(class: Class) -> &'static str {
    match class {
        Class::Invalid => "INVALID_ARGUMENT",
        Class::Unauthenticated => "UNAUTHENTICATED",
        Class::Denied => "PERMISSION_DENIED",
        Class::NotFound => "NOT_FOUND",
        Class::Exists => "ALREADY_EXISTS",
        Class::State => "FAILED_PRECONDITION",
        Class::Unavailable => "UNAVAILABLE",
        Class::Unsupported => "UNIMPLEMENTED",
        Class::Internal => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    /// `UPDATE_EXPECT=1 cargo test` writes the page anew.
    #[test]
    fn the_page_for_integrators_is_current() {
        expect_test::expect_file!["../../../docs/reasons.md"].assert_eq(&super::catalogue());
    }
}

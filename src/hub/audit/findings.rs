//! What an audit says, in both languages: which promise, where, and what. Never a value of a record
//! or a row, and never a person.

use std::fmt::Display;

use xianjie_core::ids::LedgerIndex;

/// How many findings are listed, and how many notes: the rest is a count, for a ledger that is
/// broken once may be broken everywhere.
pub const LISTED: usize = 1000;

/// One thing that an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The promise that it concerns, such as `P5`.
    pub promise: &'static str,
    /// The record that it concerns.
    pub index: Option<LedgerIndex>,
    /// What it is, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrong {
    promise: &'static str,
    en: &'static str,
    zh: &'static str,
}

/// Findings so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    count: u64,
}

impl Findings {
    /// Adds one; `what` names the field, row or tile, if the words alone do not.
    pub(super) fn add(&mut self, wrong: Wrong, index: Option<LedgerIndex>, what: impl Display) {
        let what = what.to_string();
        let text = |words: &str, colon: &str| match what.as_str() {
            "" => words.to_owned(),
            what => format!("{words}{colon}{what}"),
        };
        let finding = Finding {
            promise: wrong.promise,
            index,
            en: text(wrong.en, ": "),
            zh: text(wrong.zh, "："),
        };
        self.count += 1;
        if self.listed.len() < LISTED {
            self.listed.push(finding);
        }
    }

    /// Adds those of another list.
    pub(super) fn absorb(&mut self, other: Self) {
        self.count += other.count;
        let room = LISTED.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
    }

    /// The list, and how many there are in all.
    pub(super) fn into_list(self) -> (Vec<Finding>, u64) {
        (self.listed, self.count)
    }
}

macro_rules! wrongs {
    ($($name:ident $promise:literal $en:literal $zh:literal)*) => {
        /// All that can be wrong.
        pub(super) mod wrong {
            use super::Wrong;
            $(pub(in crate::hub::audit) const $name: Wrong =
                Wrong { promise: $promise, en: $en, zh: $zh };)*
        }
    };
}

wrongs! {
    DOCUMENT_MISSING "P1"
        "the document's bytes are not stored" "文书原文缺失"
    DOCUMENT_FOREIGN "P1"
        "a document is stored with a record of another kind" "非文书记录附有文书原文"
    DOCUMENT_COMMITMENT "P1"
        "the stored document does not fit the record's commitment" "所存文书与记录中的承诺值不符"
    DOCUMENT_UNREADABLE "P1"
        "the stored document can't be read" "所存文书无法读取"
    ATTACHMENT_MISSING "P1"
        "an attachment is not held whole" "附件缺失或不完整"
    DOCUMENT_TWICE "P2"
        "a document of this sender and id was recorded before" "同一单位同一文书编号已有记录"
    DOCUMENT_OTHER "P2"
        "the record names another document than the one stored" "记录所称文书与所存文书不一致"
    SETTLED_TWICE "P3"
        "a delivery is settled that was settled before" "送达重复办结"
    SETTLED_UNFIT "P3"
        "a delivery is settled in a way that this kind of record can't" "送达的办结方式与记录种类不符"
    SETTLED_UNSAID "P3"
        "a delivery is settled that the statement does not name" "办结了签收、退件声明未列的送达"
    SAID_UNSETTLED "P3"
        "the statement names a delivery that is not settled" "声明所列送达未办结"
    DELIVERY_UNKNOWN "P3"
        "the statement names a delivery that does not exist" "声明所列送达不存在"
    NUMBER_GAP "P4"
        "a number is not the next one" "编号不连续"
    ENTRY_MISSING "P5"
        "the entry is missing; the audit ends here" "账本条目缺失，审计到此为止"
    ENTRY_BEYOND "P5"
        "an entry stands behind the head" "账头之后另有条目"
    LEAF_FORM "P5"
        "the leaf is malformed" "叶子格式不正确"
    LEAF_COMMITMENT "P5"
        "the leaf does not commit to its record" "叶子与记录不符"
    LEAF_TIME "P5"
        "the leaf is earlier than the one before it" "叶子时间早于前一条"
    RECORD_FORM "P5"
        "the record can't be read" "记录无法读取"
    RECORD_FIRST "P5"
        "record 0 alone opens the ledger, and must" "开账记录必须且只能是第 0 条"
    ORIGIN "P5"
        "record 0 names another ledger" "第 0 条记录所称账本不是本账本"
    TILE_MISSING "P5"
        "a full tile is missing (level/index)" "完整瓦片缺失（层/序号）"
    TILE_DIFFERS "P5"
        "a stored tile is not that of the leaves (level/index)" "所存瓦片与叶子不符（层/序号）"
    HEAD_ROOT "P5"
        "the head's root is not that of the leaves" "账头根值与叶子不符"
    HEAD_TIME "P5"
        "the head's time is not the last leaf's" "账头时间不是最后一条的时间"
    HEAD_BACK "P5"
        "the head went back while it was audited" "审计期间账头后退"
    CHECKPOINT_INVALID "P5"
        "the published checkpoint does not verify" "已发布的检查点未通过验证"
    CHECKPOINT_ROOT "P5"
        "the published checkpoint's root is not that of the leaves" "已发布检查点的根值与叶子不符"
    CHECKPOINT_AHEAD "P5"
        "more was published than the ledger holds" "已发布的条目多于账本"
    FLOOR_ROOT "P5"
        "the floor's root is not that of the leaves" "底线文件的根值与叶子不符"
    FLOOR_AHEAD "P5"
        "the ledger stands below its floor" "账本低于底线"
    SIGNERS_DIFFER "P6"
        "the signatures are not those that the record names" "签名与记录所列签名人不一致"
    SIGNER_UNKNOWN "P6"
        "a signer's certificate was not registered" "签名证书当时未登记"
    SIGNER_BINDING "P6"
        "the binding is not the record that registered the certificate" "所引登记记录不是证书的登记记录"
    SIGNER_LAPSED "P6"
        "a signer's certificate did not count at that time" "签名证书当时无效"
    SIGNER_FOREIGN "P6"
        "a signer's certificate is for another purpose" "签名证书用途不符"
    SIGNATURE_INVALID "P6"
        "a signature does not verify" "签名验证不通过"
    STATEMENT_FORM "P6"
        "the signed statement can't be read" "签名声明无法读取"
    STATEMENT_OTHER "P6"
        "the signed statement says other than the record" "签名声明与记录不一致"
    STATEMENT_COMMITMENT "P6"
        "the statement commits to another record than the delivery's" "声明中的承诺值与该送达的记录不符"
    CERTIFICATE_DIGEST "P6"
        "a certificate is registered under another's digest" "证书摘要与证书不符"
    QUORUM "P6"
        "fewer operators signed than the change needs" "签名的运维人员不足法定人数"
    EFFECT_UNSIGNED "P6"
        "the directory is changed by a record that may not change it" "名录变更所在记录无权变更名录"
    LIST_FOREIGN "P6"
        "a list revokes a certificate that its authority did not issue" "吊销列表吊销了非其机构签发的证书"
    LIST_BACK "P6"
        "a list's number is lower than that of an earlier list" "吊销列表编号小于此前列表"
    REVOKED_TWICE "P6"
        "a certificate is revoked that was revoked before" "证书重复吊销"
    AGENCY_UNKNOWN "P7"
        "an agency was not in the directory then" "单位当时不在名录中"
    CONTRADICTION_OPEN "P7"
        "a document's record tells its addressees what does not fit" "文书记录向受送达单位载明矛盾事项"
    PERSON_MISSING "P8"
        "a case's link to its person is missing" "案件与矫正对象的关联缺失"
    PERSON_EXTRA "P8"
        "a case is linked to a person that no document links it to" "案件与矫正对象的关联无文书依据"
    CASE_UNANSWERED "P8"
        "nobody answers for the person of an open case" "未结案件无人承担监管责任"
    CASE_UNLIMITED "P8"
        "a handover is under way with no time limit known" "交接进行中，期限不明"
    CASE_NOBODY "P8"
        "nobody answers for the person yet" "尚无单位承担监管责任"
    RECORD_UNFIT "P9"
        "the record does not apply to the state" "记录无法应用于状态"
    ROW_MISSING "P9"
        "a row is missing" "状态行缺失"
    ROW_EXTRA "P9"
        "a row stands that no record made" "状态行无记录依据"
    ROW_DIFFERS "P9"
        "a row is not what the records make it" "状态行与记录不符"
    FLAGGED_ASTRAY "P9"
        "what does not fit about a document does not stand right after it" "矛盾提示未紧接其所指文书的记录"
    REPLY_AHEAD "P10"
        "the record answers one that is not before it" "所答复的记录不在其前"
    REPLY_OTHER "P10"
        "the record answers another document than the one stored says" "记录的答复对象与文书不一致"
    AFTER_MISSING "P10"
        "a document that it must come after is not before it" "应在其前的文书不在其前"
}

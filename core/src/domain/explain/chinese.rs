//! The rulebook language's words in Chinese, as the statutes write them. Each match is complete: a
//! new word of the language does not compile without its Chinese.

use crate::domain::agency::{Kind, Level};
use crate::domain::custody::{State, Step};
use crate::domain::document::Category;
use crate::domain::relation::{Place, RoleRef};
use crate::domain::role::Role;
use crate::domain::rulebook::{Class, Event, Soft};
use crate::domain::term::Span;

/// The kinds that one word fits: that of the first, since `court` fits all courts.
pub(super) fn kinds(kinds: &[Kind]) -> &'static str {
    kinds.first().map_or("单位", |first| kind(*first))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::SpecialCourt => "人民法院",
        Kind::BasicCourt => "基层人民法院",
        Kind::IntermediateCourt => "中级人民法院",
        Kind::HighCourt => "高级人民法院",
        Kind::Procuratorate => "人民检察院",
        Kind::Police => "公安机关",
        Kind::DetentionCentre => "看守所",
        Kind::Prison => "监狱",
        Kind::PrisonAdministration => "监狱管理机关",
        Kind::CorrectionsAgency => "社区矫正机构",
        Kind::JusticeDepartment => "司法行政机关",
        Kind::SupervisionCommission => "监察委员会",
        Kind::StateSecurityOrgan => "国家安全机关",
        Kind::CoastGuard => "海警机构",
        Kind::SocialOrganisation => "社会组织",
        Kind::Department => "有关部门",
        Kind::Hub => "衔接平台",
    }
}

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::County => "县级",
        Level::City => "设区的市级",
        Level::Provincial => "省级",
        Level::National => "国家级",
    }
}

pub(super) fn place(place: Place) -> &'static str {
    match place {
        Place::Execution => "执行地",
        Place::Intended => "拟适用社区矫正的居住地",
        Place::New => "新执行地",
        Place::Old => "原执行地",
        Place::Destination => "外出目的地",
        Place::Decision => "决定地",
        Place::Custody => "羁押地",
        Place::NewCase => "新罪审理地",
        Place::Province => "执行地所在省",
    }
}

pub(super) fn role_ref(role_ref: RoleRef) -> &'static str {
    match role_ref {
        RoleRef::Sender => "发送单位",
        RoleRef::Addressee => "主送单位",
        RoleRef::Asker => "来文单位",
        RoleRef::Asked => "来文的主送单位",
        RoleRef::Case(case) => role(case),
    }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::DecisionOrgan => "社区矫正决定机关",
        Role::OriginalCourt => "原审人民法院",
        Role::RulingOrgan => "作出撤销或者收监裁定、决定的机关",
        Role::FileHolder => "存放档案的监狱、看守所",
        Role::Custodian => "羁押单位",
        Role::FormerCustodian => "原羁押单位",
        Role::Guard => "限制人身自由的执行单位",
        Role::ResponsibleAgency => "负责的社区矫正机构",
        Role::OldAgency => "原执行地社区矫正机构",
        Role::NewAgency => "新执行地社区矫正机构",
        Role::Deliverer => "送交机关",
    }
}

pub(super) fn category(category: Category) -> &'static str {
    match category {
        Category::PublicSurveillance => "管制",
        Category::Probation => "缓刑",
        Category::Parole => "假释",
        Category::TemporaryRelease => "暂予监外执行",
    }
}

pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::Service => "送达",
        Class::Notice => "通知",
        Class::Proposal => "提请、建议",
        Class::Decision => "决定、裁定",
        Class::Receipt => "回执",
        Class::Information => "通报、告知",
        Class::Forwarding => "转送",
        Class::Request => "函、申请",
        Class::Correction => "纠正意见、检察建议",
        Class::Record => "存档记录",
    }
}

/// The day or moment from which a limit runs.
pub(super) fn event(event: Event) -> &'static str {
    match event {
        Event::EffectiveDate => "生效之日",
        Event::DecisionDate => "作出决定之日",
        Event::Receipt => "收到之日",
        Event::ApplicationDate => "申请之日",
        Event::Discovery => "发现之日",
        Event::Arrest => "执行逮捕之时",
        Event::MeasureDate => "采取措施之时",
        Event::TermExpiry => "期限届满之日",
        Event::StatedDate => "文书载明之日",
        Event::LeavingCustody => "离开监所之日",
        Event::NoticeToPerson => "告知本人之日",
        Event::GivenDate => "口头提出之日",
        Event::Opening => "义务产生之时",
    }
}

pub(super) fn soft(soft: Soft) -> &'static str {
    match soft {
        Soft::AtOnce => "立即",
        Soft::Promptly => "及时",
    }
}

pub(super) fn span(span: Span) -> String {
    match span {
        Span::Hours(n) => format!("{n}小时"),
        Span::Days(n) => format!("{n}日"),
        Span::WorkingDays(n) => format!("{n}个工作日"),
        Span::Months(n) => format!("{n}个月"),
    }
}

pub(super) fn state(state: State) -> &'static str {
    match state {
        State::None => "无",
        State::Confined => "在押",
        State::Awaiting => "待报到",
        State::Offered => "移送待接收",
        State::InCorrection => "在矫",
        State::Moving => "变更执行地中",
        State::Revoked => "已撤销或者决定收监",
        State::AtLarge => "在逃",
        State::Delivered => "送交执行中",
        State::Imprisoned => "已收监",
        State::Released => "已解除矫正",
        State::Dead => "死亡",
    }
}

pub(super) fn step(step: Step) -> &'static str {
    match step {
        Step::Decide => "决定暂予监外执行",
        Step::Papers => "法律文书送达",
        Step::Free => "假释出监",
        Step::Offer => "移送",
        Step::Accept => "登记接收",
        Step::Refuse => "不予接收、不予收监",
        Step::Recall => "撤回移送",
        Step::Move => "变更执行地",
        Step::Revoke => "撤销、收监",
        Step::Lose => "追捕",
        Step::Capture => "抓获",
        Step::Deliver => "送交执行",
        Step::Imprison => "收监",
        Step::Release => "解除矫正",
        Step::Die => "死亡",
        Step::Missing => "失去联系",
        Step::Found => "查找到",
        Step::Detain => "被限制人身自由",
        Step::Undetain => "限制人身自由解除",
        Step::Arrest => "逮捕",
        Step::Pending => "提请撤销或者收监",
        Step::Resume => "提请终结，恢复原状",
    }
}

/// What an agency is called that the document names; a role, or a word that only people read. One
/// that is not listed keeps its word.
pub(super) fn named(name: &str) -> &str {
    let known = NAMED.iter().find(|(word, _)| *word == name).map(|(_, chinese)| *chinese);
    let role = || Role::WORDS.iter().find(|(_, word)| *word == name).map(|(r, _)| role(*r));
    known.or_else(role).unwrap_or(name)
}

const NAMED: &[(&str, &str)] = &[
    ("addressees", "收文单位"),
    ("commissioned", "受委托单位"),
    ("competent department", "主管部门"),
    ("court", "受理的人民法院"),
    ("decision organ addressed", "受理的决定机关"),
    ("education department", "教育行政部门"),
    ("executing or deciding organ", "执行机关或者决定机关"),
    ("exit-entry police", "出入境管理机构"),
    ("procuratorate or court", "人民检察院或者原审人民法院"),
    ("receiving detention centre", "收监的看守所"),
    ("receiving prison or detention centre", "收监的监狱、看守所"),
    ("supervised unit", "被监督单位"),
    ("unit concerned", "有关单位"),
];

/// A field that conditions read; one that none reads keeps its proto name.
pub(super) fn field(name: &str) -> &str {
    FIELDS.iter().find(|(field, _)| *field == name).map_or(name, |(_, chinese)| chinese)
}

/// A value of such a field; one that no rule names keeps its word.
pub(super) fn value<'a>(field: &str, word: &'a str) -> &'a str {
    let known = VALUES.iter().find(|(f, w, _)| *f == field && *w == word);
    known.map_or(word, |(_, _, chinese)| chinese)
}

const FIELDS: &[(&str, &str)] = &[
    ("court_level", "管辖法院层级"),
    ("discipline_kind", "奖惩种类"),
    ("escalate_to", "报告对象"),
    ("extension", "延长期限"),
    ("file_moves", "档案转移"),
    ("ground", "事由"),
    ("measure", "措施种类"),
    ("outcome", "结果"),
    ("procedure", "审理程序"),
    ("sentence_kind", "主刑"),
];

const VALUES: &[(&str, &str, &str)] = &[
    ("court_level", "high", "高级人民法院"),
    ("court_level", "intermediate", "中级人民法院"),
    ("escalate_to", "superior organ", "被监督单位的上级机关"),
    ("escalate_to", "upper procuratorate", "上一级人民检察院"),
    ("extension", "more than three months", "超过三个月"),
    ("extension", "up to three months", "一至三个月"),
    ("file_moves", "false", "否"),
    ("file_moves", "true", "是"),
    ("ground", "new crime", "新罪"),
    ("ground", "supervision violation", "违反监督管理规定"),
    ("measure", "administrative detention", "行政拘留"),
    ("measure", "arrest", "逮捕"),
    ("measure", "bail", "取保候审"),
    ("measure", "compulsory drug treatment", "强制隔离戒毒"),
    ("measure", "criminal detention", "刑事拘留"),
    ("measure", "judicial detention", "司法拘留"),
    ("measure", "other", "其他"),
    ("measure", "residential surveillance", "监视居住"),
    ("measure", "supervision detention", "留置、管护"),
    ("outcome", "approved", "批准、同意"),
    ("outcome", "arrest", "决定逮捕"),
    ("outcome", "granted", "裁定减刑、假释"),
    ("outcome", "partly", "部分采纳"),
    ("outcome", "recommit", "收监执行"),
    ("outcome", "refused", "不予批准、不予撤销、不予收监、不同意"),
    ("outcome", "revoked", "撤销缓刑、假释"),
    ("outcome", "set aside", "撤销原决定"),
    ("outcome", "upheld", "维持"),
    ("procedure", "fast track", "速裁程序"),
    ("procedure", "ordinary", "普通程序"),
    ("procedure", "summary", "简易程序"),
    ("sentence_kind", "life", "无期徒刑"),
];

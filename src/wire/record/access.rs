//! Accesses: queries, and showings of what concerns a protected person.

use std::str::FromStr;

use xianjie_core::domain::access::{Access, Allowed, Article, Ground, Query};
use xianjie_core::ids::LedgerIndex;

use super::base::{case, case_bytes, id, ids, texts};
use super::{RecordError, Word};
use crate::wire::pb;

pub(super) fn message(access: &Access) -> pb::Access {
    pb::Access {
        agency: access.agency.to_string(),
        system: access.system.to_string(),
        method: access.method.clone(),
        correction_cases: access.cases.iter().map(|case| case_bytes(Some(case))).collect(),
        document_index: access.document.map(|index| index.0),
        supervisors: texts(&access.supervisors),
        query: access.query.as_ref().map(query_message),
        query_index: access.by_query.map(|index| index.0),
    }
}

pub(super) fn read(message: pb::Access) -> Result<Access, RecordError> {
    Ok(Access {
        agency: id(&message.agency, "agency")?,
        system: id(&message.system, "system")?,
        method: message.method,
        cases: message
            .correction_cases
            .iter()
            .map(|bytes| case(bytes))
            .collect::<Result<_, _>>()?,
        document: message.document_index.map(LedgerIndex),
        query: message.query.map(read_query).transpose()?,
        by_query: message.query_index.map(LedgerIndex),
        supervisors: ids(&message.supervisors, "supervisors")?,
    })
}

fn query_message(allowed: &Allowed) -> pb::QueryMade {
    let query = &allowed.query;
    let ground = pb::LegalGround {
        purpose: query.ground.purpose.number(),
        article: query.ground.article.as_str().to_owned(),
    };
    pb::QueryMade {
        topic: query.topic.to_string(),
        ground: Some(ground),
        document_types: texts(&allowed.opens),
    }
}

fn read_query(message: pb::QueryMade) -> Result<Allowed, RecordError> {
    let ground = message.ground.ok_or(RecordError::Missing("ground"))?;
    let article = Article::from_str(&ground.article).map_err(|_| RecordError::Form("article"))?;
    let query = Query {
        topic: id(&message.topic, "topic")?,
        ground: Ground { purpose: Word::from_number(ground.purpose)?, article },
    };
    Ok(Allowed { query, opens: ids(&message.document_types, "document_types")? })
}

//! To whom the law sends each paper, read from the statute by hand: what the rulebooks say in their
//! language, said a second time. A paper that goes to anyone else, or not to all of these, breaks P7.

use std::collections::BTreeSet;

use jiff::civil::Date;
use xianjie_core::domain::document::Category;
use xianjie_core::ids::AgencyCode;

use crate::agencies::Agencies;
use crate::lives::Life;

/// The first day of the revised Prison Law (监狱法).
pub(crate) const PRISON_LAW: Date = Date::constant(2026, 11, 1);

/// One paper on its way.
pub(crate) struct Route<'r> {
    pub(crate) agencies: &'r Agencies,
    pub(crate) life: &'r Life,
    pub(crate) sender: &'r AgencyCode,
    /// The type of what it answers, and who sent that.
    pub(crate) answers: Option<(&'r str, &'r AgencyCode)>,
    /// Whom it chooses where the law leaves a choice.
    pub(crate) chosen: &'r [AgencyCode],
    /// An outcome that opens or ends something.
    pub(crate) outcome: Option<&'r str>,
    pub(crate) today: Date,
}

impl Route<'_> {
    /// Who gets a paper of this type.
    pub(crate) fn addressees(&self, kind: &str) -> BTreeSet<AgencyCode> {
        let mut all = match kind {
            "decision_notice" | "parole_release_notice" | "person_transfer" => {
                vec![self.here("corrections")]
            }
            "verdict_handover" => {
                let local = self.agencies.serves(&self.life.decided_by, &self.life.place);
                let procuratorate =
                    if local { self.here("procuratorate") } else { self.supervisor() };
                vec![self.here("corrections"), self.here("police"), procuratorate]
            }
            "temporary_release_decision" => {
                let mut all =
                    vec![self.here("corrections"), self.here("police"), self.supervisor()];
                all.push(self.life.court.clone());
                all.extend(self.life.prison.clone());
                all
            }
            "temporary_release_opinion" => {
                vec![self.agencies.provincial("prisons"), self.supervisor()]
            }
            "forwarding" => {
                let there = self.life.moving
                    && self.answers.is_some_and(|(kind, _)| kind == "file_transfer");
                let at = |end| if there { self.there(end) } else { self.here(end) };
                vec![at("procuratorate"), at("police")]
            }
            // Whoever has what is withdrawn learns of it.
            "withdrawal" => self.addressees(self.answers.unwrap().0).into_iter().collect(),
            "assessment_commission" => vec![self.here("corrections")],
            "commission_received_notice" => vec![self.here("procuratorate")],
            "assessment_opinion" => vec![self.asker(), self.here("procuratorate")],
            "extension_agreement" => vec![self.here("corrections")],
            "no_show_notice" => vec![self.life.decided_by.clone(), self.here("procuratorate")],
            "lost_contact_notice" => vec![self.here("police"), self.here("procuratorate")],
            "found_notice" => {
                vec![self.here("corrections"), self.here("police"), self.here("procuratorate")]
            }
            "coercive_measure_notice" | "measure_ended_notice" => {
                vec![self.here("corrections"), self.here("procuratorate")]
            }
            "penalty_proposal" => vec![self.here("police"), self.here("procuratorate")],
            "written_correction" => self.chosen.to_vec(),
            "release_notice" | "death_notice" => {
                let mut all = vec![
                    self.life.decided_by.clone(),
                    self.here("procuratorate"),
                    self.here("police"),
                ];
                let keeps = kind == "death_notice" && self.life.is_temporary();
                all.extend(self.life.prison.clone().filter(|_| keeps));
                all
            }
            "full_term_release" => {
                let mut all = vec![self.here("corrections")];
                all.extend(self.since_prison_law(self.supervisor()));
                all
            }
            "expiry_notice" => self.life.prison.clone().into_iter().collect(),
            // Answers that go to whoever asked, and to nobody else.
            "return_receipt"
            | "penalty_result"
            | "correction_reply"
            | "review_request"
            | "transfer_consultation_reply"
            | "transfer_no_show_notice" => vec![self.asker()],
            "review_of_correction" => {
                let upheld = self.outcome == Some("upheld");
                let superior = self.agencies.above(self.sender, "procuratorate");
                [self.asker()].into_iter().chain(upheld.then_some(superior)).collect()
            }
            // Records are deposited, and sent to nobody.
            "registration_record"
            | "discipline_record"
            | "monitoring_record"
            | "monitoring_lifted"
            | "detention_release"
            | "served_otherwise" => Vec::new(),
            _ => self.moves(kind).or_else(|| self.revokes(kind)).unwrap(),
        };
        all = all.iter().map(|agency| self.agencies.heir(agency)).collect();
        all.into_iter().filter(|agency| agency != self.sender).collect()
    }

    /// Papers about another place of execution (变更执行地).
    fn moves(&self, kind: &str) -> Option<Vec<AgencyCode>> {
        Some(match kind {
            "transfer_consultation" => vec![self.there("corrections")],
            "place_change_decision" => {
                vec![self.life.decided_by.clone(), self.there("corrections")]
            }
            "file_transfer" => vec![
                self.there("corrections"),
                self.life.decided_by.clone(),
                self.here("procuratorate"),
                self.here("police"),
            ],
            "transfer_refusal" if self.life.moving => {
                vec![self.asker(), self.there("procuratorate")]
            }
            "transfer_refusal" => vec![self.asker(), self.here("procuratorate")],
            _ => return None,
        })
    }

    /// Papers about revocation, recommitment and commutation (撤销、收监、减刑).
    fn revokes(&self, kind: &str) -> Option<Vec<AgencyCode>> {
        let parole = self.life.category == Category::Parole;
        let file_holder = || self.life.prison.clone();
        Some(match kind {
            "revocation_proposal" | "revocation_ruling" => {
                let mut all = vec![self.level_with_court("procuratorate")];
                if kind == "revocation_proposal" {
                    all.push(self.life.court.clone());
                } else {
                    all.extend([self.asker(), self.here("corrections"), self.here("police")]);
                }
                if parole {
                    all.push(self.level_with_court("police"));
                    all.extend(file_holder());
                }
                all
            }
            "arrest_request" => vec![self.life.court.clone(), self.here("procuratorate")],
            "arrest_decision" => {
                let arrest = self.outcome == Some("arrest");
                let police = arrest.then(|| self.here("police"));
                [self.asker(), self.here("procuratorate")].into_iter().chain(police).collect()
            }
            "arrest_executed" | "arrest_not_executed" | "custody_receipt" => {
                vec![self.asker(), self.here("corrections")]
            }
            "new_crime_revocation_notice" => {
                vec![self.life.court.clone(), self.here("corrections"), self.here("police")]
            }
            "pursuit_notice" => vec![self.here("police")],
            "capture_notice" => {
                vec![self.here("corrections"), self.ruler()]
            }
            "delivery_to_custody" => self.chosen.to_vec(),
            "admission_refusal" => {
                let more = [self.supervisor(), self.ruler()];
                let more = more.into_iter().filter_map(|agency| self.since_prison_law(agency));
                [self.asker()].into_iter().chain(more).collect()
            }
            "recommitment_proposal" => {
                vec![self.life.decided_by.clone(), self.here("procuratorate")]
            }
            "recommitment_decision" => {
                let mut all = vec![self.here("corrections"), self.here("police")];
                all.extend([self.here("procuratorate"), self.life.court.clone()]);
                all.extend(file_holder());
                all
            }
            "commutation_draft" => vec![self.agencies.above(self.sender, "corrections")],
            "commutation_proposal" => {
                let mut all =
                    vec![self.city("court"), self.city("procuratorate"), self.city("police")];
                all.extend(file_holder());
                all
            }
            "commutation_ruling" => {
                let mut all = vec![self.asker(), self.here("corrections")];
                all.extend([self.city("procuratorate"), self.city("police")]);
                all.extend(file_holder());
                all
            }
            _ => return None,
        })
    }

    fn here(&self, end: &str) -> AgencyCode {
        self.agencies.at(&self.life.place, end)
    }

    fn there(&self, end: &str) -> AgencyCode {
        self.agencies.at(self.life.new_place.as_ref().unwrap(), end)
    }

    fn city(&self, end: &str) -> AgencyCode {
        self.agencies.over(&self.life.place, end)
    }

    fn level_with_court(&self, end: &str) -> AgencyCode {
        if Agencies::is_of_city(&self.life.court) { self.city(end) } else { self.here(end) }
    }

    /// Who revoked, or decided on recommitment.
    fn ruler(&self) -> AgencyCode {
        if self.life.sent.contains_key("new_crime_revocation_notice") {
            self.here("court")
        } else if self.life.is_temporary() {
            self.life.decided_by.clone()
        } else {
            self.life.court.clone()
        }
    }

    fn supervisor(&self) -> AgencyCode {
        self.agencies.supervisor(self.sender)
    }

    fn asker(&self) -> AgencyCode {
        self.answers.unwrap().1.clone()
    }

    fn since_prison_law(&self, agency: AgencyCode) -> Option<AgencyCode> {
        (self.today >= PRISON_LAW).then_some(agency)
    }
}

//! The closed lists: each core enum and the protobuf enum of the same values.

use xianjie_core::domain::access::Purpose;
use xianjie_core::domain::agency::{Branch, Kind, Level, Right};
use xianjie_core::domain::custody::{State, Step};
use xianjie_core::domain::document::Category;
use xianjie_core::domain::duty::{Force, Outcome, RollRule};
use xianjie_core::domain::record::{DutyChange, DutyStep, Notice};
use xianjie_core::domain::role::Role;

use super::RecordError;
use crate::wire::pb;

/// An enum of core's that protobuf numbers.
pub trait Word: Copy {
    /// Its number in `proto/`.
    fn number(self) -> i32;

    /// The value of this number.
    ///
    /// # Errors
    /// [`RecordError::UnknownValue`]: a number of a later version, or 0, which is never valid.
    fn from_number(number: i32) -> Result<Self, RecordError>;
}

macro_rules! same {
    ($core:ident is $pb:ident { $($item:ident $(is $other:ident)?,)* }) => {
        impl Word for $core {
            fn number(self) -> i32 {
                match self { $(Self::$item => same!(@$pb $item $($other)?) as i32,)* }
            }

            fn from_number(number: i32) -> Result<Self, RecordError> {
                $(if number == same!(@$pb $item $($other)?) as i32 { return Ok(Self::$item); })*
                Err(RecordError::UnknownValue(stringify!($pb)))
            }
        }
    };
    (@$pb:ident $item:ident) => { pb::$pb::$item };
    (@$pb:ident $item:ident $other:ident) => { pb::$pb::$other };
}

same!(Kind is AgencyKind {
    SpecialCourt, BasicCourt, IntermediateCourt, HighCourt, Procuratorate, Police, DetentionCentre,
    Prison, PrisonAdministration, CorrectionsAgency, JusticeDepartment, SupervisionCommission,
    StateSecurityOrgan, CoastGuard, SocialOrganisation, Department, Hub,
});

same!(Purpose is QueryPurpose { Execution, Supervision, CaseHandling, StateProvision, });

same!(Level is AgencyLevel { County, City, Provincial, National, });

same!(Branch is Branch { Local, Bingtuan, Railway, Military, });

same!(Right is Right { Submit, Receive, Acknowledge, Supervise, Query, });

same!(Category is Category { PublicSurveillance, Probation, Parole, TemporaryRelease, });

same!(Role is CaseRole {
    DecisionOrgan, OriginalCourt, RulingOrgan, FileHolder, Custodian, FormerCustodian, Guard,
    ResponsibleAgency, OldAgency, NewAgency, Deliverer,
});

same!(State is CustodyState {
    None, Confined, Awaiting, Offered, InCorrection, Moving, Revoked, AtLarge, Delivered,
    Imprisoned, Released, Dead,
});

same!(Step is CustodyStep {
    Decide, Papers, Free, Offer, Accept, Refuse, Recall, Move, Revoke, Lose, Capture, Deliver,
    Imprison, Release, Die, Missing, Found, Detain, Undetain, Arrest, Pending, Resume,
});

same!(Force is DutyForce { Binding, Soft, Right, });

same!(RollRule is DutyRoll { Holidays, Never, UnlessArrested, });

same!(Outcome is DutyOutcome { Met, MetLate, Cancelled, Replaced, Withdrawn, Lapsed, });

same!(DutyChange is DutyChange {
    Forewarned, Passed, Recomputed, PassedOn, Extended, Suspended, Resumed, Confined,
});

same!(DutyStep is ClockStep {
    Forewarned is DutyForewarned, Missed is DutyMissed, HandoverMissed, Recomputed is LimitRecomputed,
    Reminded is DutyReminded, Lapsed is RightLapsed,
});

same!(Notice is NoticeKind {
    Contradiction, Rejected is DeliveryRejected, Forewarned is DutyForewarned, Missed is DutyMissed,
    HandoverMissed, Reminded is DutyReminded, Unacknowledged is DeliveryUnacknowledged,
});

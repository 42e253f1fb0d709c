//! How agencies err: they forget, come late, repeat themselves, mistake place or paper, refuse what is
//! theirs. Each has a temper, and keeps it.

use crate::dice::Dice;

/// How an agency works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// In time and in order, nearly always.
    Careful,
    /// Now and then late.
    Hurried,
    /// Often late, often wrong.
    Careless,
}

/// What goes wrong with one thing to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slip {
    /// Nothing.
    None,
    /// It is done days late.
    Late,
    /// It is done when somebody asks, after weeks.
    Forgotten,
    /// It is never done.
    Never,
}

/// What goes wrong with one paper on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing.
    None,
    /// The same bytes come again.
    Repeated,
    /// The same id comes again, with other bytes.
    Reused,
    /// A paper that its sender may not send comes first.
    WrongType,
    /// It answers nothing although it must.
    NoReference,
    /// It is sent for a place that nobody here serves.
    WrongPlace,
}

impl Temper {
    /// The temper of an agency.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        dice.by_share(&[(70, Self::Careful), (22, Self::Hurried), (8, Self::Careless)])
    }

    /// What goes wrong with something to be done.
    pub(crate) fn slip(self, dice: &mut Dice) -> Slip {
        let (late, forgotten, never) = match self {
            Self::Careful => (15, 4, 1),
            Self::Hurried => (120, 20, 5),
            Self::Careless => (300, 80, 25),
        };
        let fine = 1000 - late - forgotten - never;
        dice.by_share(&[
            (fine, Slip::None),
            (late, Slip::Late),
            (forgotten, Slip::Forgotten),
            (never, Slip::Never),
        ])
    }

    /// What goes wrong with a paper on its way.
    pub(crate) fn mishap(self, dice: &mut Dice) -> Mishap {
        let each = match self {
            Self::Careful => 4,
            Self::Hurried => 12,
            Self::Careless => 30,
        };
        dice.by_share(&[
            (1000 - 7 * each, Mishap::None),
            (3 * each, Mishap::Repeated),
            (each, Mishap::Reused),
            (each, Mishap::WrongType),
            (each, Mishap::NoReference),
            (each, Mishap::WrongPlace),
        ])
    }

    /// Hours until its inbox is next worked through.
    pub(crate) fn mail_hours(self, dice: &mut Dice) -> i64 {
        match self {
            Self::Careful => dice.between(1, 12),
            Self::Hurried => dice.between(2, 60),
            Self::Careless if dice.chance(60) => dice.between(24 * 20, 24 * 60),
            Self::Careless => dice.between(12, 24 * 6),
        }
    }

    /// Whether it rejects a delivery that it should take.
    pub(crate) fn rejects(self, dice: &mut Dice) -> bool {
        match self {
            Self::Careful => false,
            Self::Hurried => dice.chance(3),
            Self::Careless => dice.chance(20),
        }
    }
}

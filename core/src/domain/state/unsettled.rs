//! Which deliveries of an inbox are not settled: an index of one bit a delivery.
//!
//! A row an unsettled delivery would be written and deleted again for each, mostly within a second,
//! and on a page of its own for each inbox. This way a row stands for [`SPAN`] numbers, and the rows
//! of all inboxes that have little open stand together.

use serde::{Deserialize, Serialize};

use crate::ids::InboxNumber;

/// How many numbers a row stands for.
pub const SPAN: u64 = 512;

/// Which numbers a row stands for: the span `n` for those from `n * SPAN + 1` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Span {
    /// The span that holds a number.
    #[must_use]
    pub fn of(number: InboxNumber) -> Self {
        Self(number.0.saturating_sub(1) / SPAN)
    }

    /// Its first number.
    #[must_use]
    pub fn first(self) -> InboxNumber {
        InboxNumber(self.0.saturating_mul(SPAN).saturating_add(1))
    }
}

/// The unsettled deliveries of a span: bit `i` for its number `i`, counted from its first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled([u64; 8]);

impl Unsettled {
    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this number of the span is open.
    #[must_use]
    pub fn contains(&self, number: InboxNumber) -> bool {
        let (word, bit) = place(number);
        self.0[word] & bit != 0
    }

    /// Opens a number of the span.
    pub fn insert(&mut self, number: InboxNumber) {
        let (word, bit) = place(number);
        self.0[word] |= bit;
    }

    /// Settles a number of the span.
    pub fn remove(&mut self, number: InboxNumber) {
        let (word, bit) = place(number);
        self.0[word] &= !bit;
    }

    /// The open numbers, in order, if this is the row of `span`.
    pub fn numbers(self, span: Span) -> impl Iterator<Item = InboxNumber> {
        let from = span.first().0;
        let numbers = (0..SPAN).map(move |i| InboxNumber(from.saturating_add(i)));
        numbers.filter(move |number| self.contains(*number))
    }
}

/// The word and the bit that stand for a number in its span.
fn place(number: InboxNumber) -> (usize, u64) {
    let i = number.0.saturating_sub(1) % SPAN;
    let word = usize::try_from(i / 64).unwrap_or_default();
    (word, 1 << (i % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_in_one_span_and_has_a_bit_of_its_own() {
        for number in (1..=3 * SPAN).map(InboxNumber) {
            let span = Span::of(number);
            assert!(span.first() <= number && number < Span(span.0 + 1).first());
            let mut open = Unsettled::default();
            open.insert(number);
            assert_eq!(open.numbers(span).collect::<Vec<_>>(), [number]);
            open.remove(number);
            assert!(open.is_empty());
        }
        assert_eq!(Span::of(InboxNumber(SPAN)), Span(0));
        assert_eq!(Span::of(InboxNumber(SPAN + 1)), Span(1));
    }

    #[test]
    fn open_numbers_come_in_order() {
        let numbers: Vec<InboxNumber> = [1, 2, 64, 65, 511, 512].map(InboxNumber).to_vec();
        let mut open = Unsettled::default();
        numbers.iter().rev().for_each(|number| open.insert(*number));
        open.insert(InboxNumber(100));
        open.remove(InboxNumber(100));
        assert_eq!(open.numbers(Span(0)).collect::<Vec<_>>(), numbers);
    }

    #[test]
    fn the_last_numbers_that_there_are_have_a_place() {
        let last = InboxNumber(u64::MAX);
        let mut open = Unsettled::default();
        open.insert(last);
        assert!(open.contains(last));
        assert!(open.numbers(Span::of(last)).any(|number| number == last));
    }
}

//! The protobuf wire format, as far as walking needs it: tags, varints, lengths.

use prost::encoding::WireType;

/// Bytes being read from the front.
pub(in crate::wire) struct Input<'a>(&'a [u8]);

/// One value as the wire has it.
#[derive(Clone, Copy)]
pub(in crate::wire) enum Wire<'a> {
    Varint(u64),
    Fixed64,
    Fixed32,
    Bytes(&'a [u8]),
}

/// Why reading can't go on.
#[derive(Clone, Copy)]
pub(in crate::wire) enum Fault {
    /// The bytes end inside a value.
    Truncated,
    /// A varint of more than 64 bits.
    Varint,
    /// A tag without a field number, or with one too large.
    Tag,
    /// A group: deprecated, and in no message of this protocol.
    Group,
    /// A wire type that does not exist.
    WireType,
}

impl Fault {
    pub(in crate::wire) fn help(self) -> &'static str {
        match self {
            Self::Truncated => "the bytes end inside a value",
            Self::Varint => "a number of more than 64 bits",
            Self::Tag => "a field number that cannot be",
            Self::Group => "a group",
            Self::WireType => "a wire type that does not exist",
        }
    }
}

impl<'a> Input<'a> {
    pub(in crate::wire) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(in crate::wire) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A field number and the type of the value behind it.
    pub(in crate::wire) fn tag(&mut self) -> Result<(u32, WireType), Fault> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Fault::Tag)?;
        let wire = WireType::try_from(u64::from(tag & 0b111)).map_err(|_| Fault::WireType)?;
        match tag >> 3 {
            0 => Err(Fault::Tag),
            number => Ok((number, wire)),
        }
    }

    pub(in crate::wire) fn value(&mut self, wire: WireType) -> Result<Wire<'a>, Fault> {
        match wire {
            WireType::Varint => self.varint().map(Wire::Varint),
            WireType::SixtyFourBit => self.take(8).map(|_| Wire::Fixed64),
            WireType::ThirtyTwoBit => self.take(4).map(|_| Wire::Fixed32),
            WireType::LengthDelimited => {
                let length = usize::try_from(self.varint()?).map_err(|_| Fault::Truncated)?;
                self.take(length).map(Wire::Bytes)
            }
            WireType::StartGroup | WireType::EndGroup => Err(Fault::Group),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for place in 0..10 {
            let (byte, tail) = self.0.split_first().ok_or(Fault::Truncated)?;
            self.0 = tail;
            // The tenth byte holds the 64th bit alone.
            if place == 9 && *byte > 1 {
                return Err(Fault::Varint);
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Varint)
    }
}

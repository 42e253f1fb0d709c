//! Paths of fields in proto names, put together only when something is wrong there.

use std::fmt;

use prost_reflect::FieldDescriptor;

/// Where the walker stands.
pub(super) enum Path<'a> {
    /// In the message itself.
    Root,
    /// In the member of the message's `oneof`: fields below are named without it.
    Member(&'a Self, &'a FieldDescriptor),
    /// In a field.
    Field(&'a Self, &'a FieldDescriptor),
    /// In an element of a repeated field, from 0.
    Element(&'a Self, &'a FieldDescriptor, usize),
}

impl Path<'_> {
    /// The path of a field in the message that is here, and its place if it is repeated.
    pub(super) fn field<'a>(&'a self, field: &'a FieldDescriptor, place: usize) -> Path<'a> {
        if field.is_list() {
            Path::Element(self, field, place)
        } else if matches!(self, Self::Root) && is_member(field) {
            Path::Member(self, field)
        } else {
            Path::Field(self, field)
        }
    }
}

fn is_member(field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic())
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(above, field) | Self::Field(above, field) => {
                above.prefix(f)?;
                f.write_str(field.name())
            }
            Self::Element(above, field, place) => {
                above.prefix(f)?;
                write!(f, "{}[{place}]", field.name())
            }
        }
    }
}

impl Path<'_> {
    /// What stands before the names of the fields that are here.
    fn prefix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root | Self::Member(..) => Ok(()),
            Self::Field(..) | Self::Element(..) => write!(f, "{self}."),
        }
    }
}

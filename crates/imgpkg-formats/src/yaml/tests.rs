//! Reading and writing from end to end; the details are tested in their modules.

mod properties;
mod reading;
mod writing;

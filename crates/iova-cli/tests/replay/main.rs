//! The command as it is used: the built program on the captures of this repository, on broken ones, and on small
//! ones made for the purpose.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot run the program has to stop")]

mod arguments;
mod captures;
mod command;
mod facts;
mod inputs;
mod malformed;
mod placement;
mod pressure;
mod synthetic;
mod text;

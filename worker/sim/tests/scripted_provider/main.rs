//! The real engine and a provider that says exactly what a test wants, in virtual time.

mod late;
mod looks;
mod steps;
mod world;

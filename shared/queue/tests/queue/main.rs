//! Hints through both backends, with a real Redis.

mod flow;
mod latency;
mod outage;
mod support;
mod tidy;

//! Integration tests by user-visible behaviour, in one binary so that the big dependencies are linked once.

#[path = "../support/http.rs"]
mod http;

mod assets;
mod bad_input;
mod bench;
mod checkpoints;
mod cli;
mod command_generator;
mod compare;
mod dpg;
mod folder;
mod gate;
mod geneval;
mod grading;
mod openai;
mod parity;
mod ppocr;
mod qwen_observers;
mod report;
mod run;
mod scores;
mod simulation;
mod stats;
mod suites;
mod support;
mod typeset;
mod uniworld;
mod xomni;

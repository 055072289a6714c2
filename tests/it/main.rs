//! Integration tests by user-visible behaviour, in one binary so that the big dependencies are linked once.

#[path = "../support/chat.rs"]
mod chat;
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
mod edit_measures;
mod engines;
mod folder;
mod gate;
mod gedit;
mod geneval;
mod got_ocr;
mod grading;
mod history;
mod judge;
mod judge_faults;
mod judge_local;
mod judged;
mod ocrbench;
mod ocrbench_v2;
mod oneig;
mod openai;
mod parity;
mod ppocr;
mod qwen_observers;
mod recipes;
mod report;
mod run;
mod scores;
mod simulation;
mod stats;
mod study;
mod suites;
mod support;
mod table;
mod tables;
mod train;
mod turns;
mod typeset;
mod understand;
mod uniworld;
mod vqa;
mod vqascore;
mod world;
mod xomni;
mod xomni_train;

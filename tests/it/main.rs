//! Integration tests by user-visible behaviour, in one binary so that the big dependencies are linked once.

// A test may fail by a panic, arranges files of any kind, and is nobody's library.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, unreachable_pub)]

#[path = "../support/chat.rs"]
mod chat;
#[path = "../support/http.rs"]
mod http;
#[path = "../support/parquet.rs"]
mod parquet_files;

mod ablation;
mod assets;
mod bad_input;
mod bagel;
mod bagel_train;
mod bench;
mod beyond_scale;
mod checkpoints;
mod choices;
mod cli;
mod command_generator;
mod compare;
mod docs;
mod dpg;
mod edges;
mod edit_measures;
mod encoders;
mod engines;
mod exports;
mod folder;
mod gate;
mod gedit;
mod geneval;
mod got_ocr;
mod grading;
mod grpo;
mod history;
mod judge;
mod judge_answering;
mod judge_faults;
mod judge_local;
mod judged;
mod loose;
mod mini;
mod no_home;
mod notes;
mod ocrbench;
mod ocrbench_v2;
mod official_files;
mod oneig;
mod openai;
mod others_pictures;
mod parity;
mod pictures;
mod pinned;
mod pipes;
mod ppocr;
mod published;
mod python_models;
mod qwen_observers;
mod recipes;
mod reference;
mod region;
mod report;
mod rewards;
mod root;
mod run;
mod scores;
mod serve;
mod servers;
mod session;
mod shards;
mod signals;
mod simulation;
mod stats;
mod study;
mod suites;
mod support;
mod table;
mod table_notes;
mod tables;
mod thoughts;
mod train;
mod turns;
mod typeset;
mod understand;
mod uniworld;
mod vqa;
mod vqascore;
mod watch;
mod weights;
mod world;
mod xomni;
mod xomni_train;

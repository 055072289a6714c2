//! unigauge evaluates models that understand, generate and edit images.
//!
//! Data flows one way, each stage a pure step from files to files in a run folder:
//!
//! ```text
//! suite ──items──► generate ──outputs──► observe ──evidence──► grade ──grades──► report
//! ```
//!
//! | room | what lives there |
//! |---|---|
//! | [`config`] | TOML files of suites, models and studies: reading, locating mistakes |
//! | [`schemas`] | JSON schemas of the definition files |
//! | [`named`] | things that definition files name: one description each, one list a kind |
//! | [`record`] | the JSON-lines records that pass between stages |
//! | [`suite`] | what is asked: the items of a suite, from wherever its definition says |
//! | [`formats`] | how sources of items are written: one file per format |
//! | [`page`] | pages of text with drawn things, of which everything is known |
//! | [`prompts`] | items that the program makes itself: one file per generator of prompts |
//! | [`generate`] | who answers: the `Generator` trait and one file per generator |
//! | [`observe`] | what is seen: the `Observer` trait and one file per observer |
//! | [`grade`] | what it is worth: one file per benchmark rule, and aggregation |
//! | [`report`] | how it is shown: tables, charts, gallery |
//! | [`table`] | one printed table: a grid of cells, records, and a file for each format |
//! | [`compare`] | is the difference real: two runs item by item |
//! | [`study`] | an ablation study as one page: the levels of a factor beside a control |
//! | [`gate`] | baselines, policies and the verdict of CI |
//! | [`history`] | many runs of a suite: trend, change points, what changed |
//! | [`session`] | an evaluation from names to results: plan, prepare, execute, score; begin here |
//! | [`mod@reward`] | rewards in this process: observers that are opened once, and what outputs are worth |
//! | [`serve`] | a server of rewards for the trainers of other programs |
//! | [`run`] | the run folder and the engine: plan, resume, shards, progress |
//! | [`submit`] | scripts and manifests that send shards to schedulers |
//! | [`sync`] | run folders in object stores, and one writer for each shard there |
//! | [`image`] | pixels: bounded decoding, resampling |
//! | [`model`] | neural networks in candle: config, weights, forward |
//! | [`parity`] | the networks beside reference tensors of the Python implementations |
//! | [`mod@bench`] | how fast the networks are, with random weights |
//! | [`layout`] | where benchmarks keep their pictures: official folder layouts |
//! | [`files`] | files that are whole or absent, locks, SHA-256 as text |
//! | `parquet` | columns of Parquet files, with bounds |
//! | [`paths`] | `~`, links, the two spellings of a name |
//! | [`text`] | normalisation, edit distances |
//! | [`python`] | Python and numpy as official scripts use them |
//! | [`html`] | HTML as libxml2 reads it |
//! | [`world`] | the miniature world: drawn pictures of which everything is known |
//! | [`train`] | networks trained on the miniature world |
//! | [`remote`] | servers with the API of OpenAI: addresses, keys, faults, one asynchronous chat client |
//! | [`stats`] | intervals, paired tests, power |
//! | [`hub`] | assets: sources, revisions, checksums, cache |
//! | `http` | what `hub` and `remote` share: how a client begins, retries after 429 and other faults, pauses |
//! | `process` | child processes that can be stopped with all that they started |
//! | `guard` | panics of libraries at damaged files become errors |
//! | [`cancel`] | the flag that Ctrl-C and the signals of schedulers raise |
//! | [`exit`] | exit codes |
//! | [`mod@print`] | standard output and standard error, whose readers may go |
//! | [`commands`] | one file per subcommand: a thin front of `session` that parses, prints and ends in exit codes |
//!
//! Imports go downwards: commands → session → run → stages → image, text, paths, stats, hub, config, record.
//! A stage never imports another stage.

// Tests arrange files that may be of any kind.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

#[macro_use]
pub mod print;

pub mod bench;
pub mod cancel;
pub mod commands;
pub mod compare;
pub mod config;
pub mod exit;
pub mod files;
pub mod formats;
pub mod gate;
pub mod generate;
pub mod grade;
mod guard;
pub mod history;
pub mod html;
mod http;
pub mod hub;
pub mod image;
pub mod layout;
pub mod model;
pub mod named;
pub mod observe;
pub mod page;
pub mod parity;
mod parquet;
pub mod paths;
mod process;
pub mod prompts;
pub mod python;
pub mod record;
pub mod remote;
pub mod report;
pub mod reward;
pub mod run;
pub mod schemas;
pub mod serve;
pub mod session;
pub mod stats;
pub mod study;
pub mod submit;
pub mod suite;
pub mod sync;
pub mod table;
pub mod text;
pub mod train;
pub mod world;

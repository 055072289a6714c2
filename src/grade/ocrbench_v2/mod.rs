//! OCRBench v2: the metrics of its texts (`OCRBench_v2/eval_scripts` of Yuliang-Liu/MultimodalOCR, commit 794c36d6).

#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the rule that chooses among the metrics is made elsewhere"
    )
)]

mod answers;
mod choice;
mod counting;
mod formula;
pub mod text4;
mod vqa;

#[cfg(test)]
mod text_tests;

//! Where benchmarks keep their pictures: the official folder layouts, so that official scripts run on our
//! outputs and we read other people's. One file describes one layout.

mod dpg;
mod flat;
mod folder_layout;
mod gedit;
mod genai;
mod geneval;
mod imgedit;
mod longtext;
mod names;
mod oneig;
mod wise;

pub use folder_layout::{FolderLayout, Search, Sheet};
pub use gedit::Gedit;
pub use names::safe_name;

use crate::named::{Described, Named};

/// A folder layout, as a definition file names it.
pub type Layout = Named<dyn FolderLayout>;

/// All layouts.
static ALL: &[&dyn FolderLayout] = &[
    &geneval::Geneval,
    &dpg::Dpg,
    &longtext::LongText,
    &imgedit::ImgEdit,
    &Gedit,
    &wise::Wise,
    &oneig::OneIg,
    &genai::GenAi,
    &flat::Flat,
];

impl Described for dyn FolderLayout {
    const KIND: &'static str = "Layout";
    const ABOUT: &'static str = "A folder layout. Paths are relative to the folder of outputs.";

    fn all() -> &'static [&'static Self] {
        ALL
    }

    fn name(&self) -> &'static str {
        FolderLayout::name(self)
    }

    fn about(&self) -> &'static str {
        FolderLayout::about(self)
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new(&flat::Flat)
    }
}

#[cfg(test)]
mod tests;

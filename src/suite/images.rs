//! Input images of items: there, and inside their folder.

use std::path::{Component, Path, PathBuf};

/// The folder that relative paths start from, and whether paths may leave it.
pub(super) struct Images {
    base: PathBuf,
    /// `base` without links; None when it does not exist.
    real: Option<PathBuf>,
    allow_outside: bool,
    /// Nobody has said where the images are, so that their paths are taken as they stand.
    unseen: bool,
}

impl Images {
    /// Images whose folder is not known yet.
    pub(super) fn unseen(base: &Path) -> Self {
        Self {
            unseen: true,
            ..Self::new(base, false)
        }
    }

    pub(super) fn new(base: &Path, allow_outside: bool) -> Self {
        let here = if base.as_os_str().is_empty() {
            Path::new(".")
        } else {
            base
        };
        Self {
            base: here.to_owned(),
            real: here.canonicalize().ok(),
            allow_outside,
            unseen: false,
        }
    }

    /// Says what is wrong with the path of an input image.
    pub(super) fn check(&self, image: &str) -> Result<(), String> {
        let path = Path::new(image);
        if !self.allow_outside
            && !path
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(outside(image, "its path"));
        }
        if self.unseen {
            return Ok(());
        }
        let real = self
            .base
            .join(path)
            .canonicalize()
            .map_err(|_| format!("the image `{image}` is not there"))?;
        if !real.is_file() {
            return Err(format!("the image `{image}` is not a file"));
        }
        match &self.real {
            Some(base) if !self.allow_outside && !real.starts_with(base) => {
                Err(outside(image, "a link"))
            }
            _ => Ok(()),
        }
    }
}

fn outside(image: &str, how: &str) -> String {
    format!(
        "the image `{image}` lies outside the folder of the items ({how} leaves it); \
         set `allow_outside = true` under [items] if that is meant"
    )
}

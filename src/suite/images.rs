//! Input images of items: whether they exist and lie inside their folder.

use crate::paths::{Bounds, as_spelled};
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

/// The folder that relative paths start from, and whether paths may leave it.
pub(super) struct Images {
    base: PathBuf,
    /// Where links may lead. `None` if `base` does not exist.
    bounds: Option<Bounds>,
    allow_outside: bool,
    /// The folder of pictures that the program itself took out of a table.
    written: Option<PathBuf>,
    /// Whether the folder of the images is unknown, so that their paths are used as they are.
    unseen: bool,
}

impl Images {
    /// Images whose folder is not known.
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
            bounds: here.canonicalize().ok().as_deref().map(Bounds::of_folder),
            allow_outside,
            written: None,
            unseen: false,
        }
    }

    /// Also accepts the pictures that the program wrote into this folder.
    pub(super) fn with_written(self, folder: &Path) -> Self {
        Self {
            written: Some(folder.to_owned()),
            ..self
        }
    }

    /// The path of an input image as the file system spells it. `None` if it is written so already.
    ///
    /// # Errors
    /// Fails with what is wrong with the path.
    pub(super) fn respelled(&self, image: &str) -> Result<Option<String>, String> {
        Ok(match self.checked(image)? {
            Cow::Borrowed(_) => None,
            Cow::Owned(spelled) => Some(spelled),
        })
    }

    fn checked<'a>(&self, image: &'a str) -> Result<Cow<'a, str>, String> {
        let path = Path::new(image);
        if self
            .written
            .as_ref()
            .is_some_and(|folder| is_inside(path, folder))
        {
            return Ok(image.into());
        }
        if !self.allow_outside
            && !path
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(outside(image, "its path"));
        }
        if self.unseen {
            return Ok(image.into());
        }
        let (image, real) = self.there(image)?;
        if !real.is_file() {
            return Err(format!("the image `{image}` is not a file"));
        }
        match &self.bounds {
            Some(bounds) if !self.allow_outside && !bounds.hold(&real) => {
                Err(outside(&image, "a link"))
            }
            _ => Ok(image),
        }
    }

    /// The path as the file system spells it, and the same path without links.
    fn there<'a>(&self, image: &'a str) -> Result<(Cow<'a, str>, PathBuf), String> {
        let absent = || format!("the image `{image}` does not exist");
        if let Ok(real) = self.base.join(image).canonicalize() {
            return Ok((image.into(), real));
        }
        let spelled = as_spelled(&self.base, Path::new(image)).ok_or_else(absent)?;
        let real = self.base.join(&spelled).canonicalize();
        let text = spelled.into_os_string().into_string();
        Ok((
            text.map_err(|_| absent())?.into(),
            real.map_err(|_| absent())?,
        ))
    }
}

/// Whether the path begins with that of the folder, as both are written.
fn is_inside(path: &Path, folder: &Path) -> bool {
    path.strip_prefix(folder).is_ok_and(|below| {
        below
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
    })
}

fn outside(image: &str, how: &str) -> String {
    format!(
        "the image `{image}` lies outside the folder of the items ({how} leaves it); \
         set `allow_outside = true` under [items] if that is meant"
    )
}

//! A region of a picture: which pixels belong to it.

/// White pixels belong to the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    /// Row by row.
    white: Vec<bool>,
}

impl Mask {
    /// The region of all pixels for which `inside(x, y)` holds.
    pub fn from_fn(
        width: usize,
        height: usize,
        mut inside: impl FnMut(usize, usize) -> bool,
    ) -> Self {
        let mut white = Vec::with_capacity(width * height);
        for y in 0..height {
            white.extend((0..width).map(|x| inside(x, y)));
        }
        Self {
            width,
            height,
            white,
        }
    }

    /// A region from its pixels row by row; None when they are not `width` × `height`.
    pub fn from_pixels(width: usize, height: usize, white: Vec<bool>) -> Option<Self> {
        (white.len() == width * height).then_some(Self {
            width,
            height,
            white,
        })
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels row by row.
    pub fn pixels(&self) -> &[bool] {
        &self.white
    }

    /// Rows from the top; none of a mask without columns.
    pub fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.white.chunks_exact(self.width.max(1))
    }

    /// White pixels.
    pub fn count(&self) -> usize {
        self.white.iter().filter(|white| **white).count()
    }

    /// White pixels of all; 0 when there are none at all.
    pub fn share(&self) -> f64 {
        match self.white.len() {
            0 => 0.0,
            all => self.count() as f64 / all as f64,
        }
    }

    /// Everything else.
    #[must_use]
    pub fn inverted(&self) -> Self {
        Self {
            white: self.white.iter().map(|white| !white).collect(),
            ..*self
        }
    }

    /// What belongs to both regions; pixels beyond the shorter one belong to neither.
    pub fn overlap(&self, other: &Self) -> usize {
        let both = self.white.iter().zip(&other.white);
        both.filter(|(a, b)| **a && **b).count()
    }

    /// The region at another size, each pixel that of the nearest old one.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) || self.white.is_empty() {
            return self.clone();
        }
        Self::from_fn(width, height, |x, y| {
            let (x, y) = (x * self.width / width, y * self.height / height);
            self.white[y * self.width + x]
        })
    }

    /// Lengths of runs of pixels row by row, black and white in turn, black first (of length 0 if need be).
    pub fn runs(&self) -> Vec<u32> {
        let mut runs = vec![0];
        let mut colour = false;
        for &white in &self.white {
            if white != colour {
                colour = white;
                runs.push(0);
            }
            if let Some(last) = runs.last_mut() {
                *last += 1;
            }
        }
        runs
    }

    /// The region of these [`Self::runs`]; None when they do not add up to `width` × `height`.
    pub fn from_runs(width: usize, height: usize, runs: &[u32]) -> Option<Self> {
        let all = width.checked_mul(height)?;
        let sum = runs.iter().map(|run| *run as usize).sum::<usize>();
        if sum != all {
            return None;
        }
        let mut white = Vec::with_capacity(all);
        for (index, run) in runs.iter().enumerate() {
            white.extend(std::iter::repeat_n(index % 2 == 1, *run as usize));
        }
        Self::from_pixels(width, height, white)
    }
}

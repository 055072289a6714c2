//! A region of a picture, which consists of some of its pixels.

/// A region, whose pixels are white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    /// The pixels, row by row.
    white: Vec<bool>,
}

impl Mask {
    /// The region of all pixels for which `inside(x, y)` is true.
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

    /// A region from its pixels, row by row. `None` if there are not `width` × `height` of them.
    pub fn from_pixels(width: usize, height: usize, white: Vec<bool>) -> Option<Self> {
        (white.len() == width * height).then_some(Self {
            width,
            height,
            white,
        })
    }

    /// The width, in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The height, in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[bool] {
        &self.white
    }

    /// The rows from the top. A mask without columns has none.
    pub fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.white.chunks_exact(self.width.max(1))
    }

    /// The number of white pixels.
    pub fn count(&self) -> usize {
        self.white.iter().filter(|white| **white).count()
    }

    /// The share of white pixels, or 0 if there are no pixels.
    pub fn share(&self) -> f64 {
        match self.white.len() {
            0 => 0.0,
            all => self.count() as f64 / all as f64,
        }
    }

    /// The pixels that do not belong to the region.
    #[must_use]
    pub fn inverted(&self) -> Self {
        Self {
            white: self.white.iter().map(|white| !white).collect(),
            ..*self
        }
    }

    /// The number of pixels that belong to both regions. Pixels beyond the shorter region belong to neither.
    pub fn overlap(&self, other: &Self) -> usize {
        let both = self.white.iter().zip(&other.white);
        both.filter(|(a, b)| **a && **b).count()
    }

    /// The region at another size. Each pixel takes the value of the nearest old pixel.
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

    /// The lengths of the runs of black and white pixels in turn, row by row. The first run is black, and may
    /// have length 0.
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

    /// The region with these [`Self::runs`]. `None` if they do not add up to `width` × `height`.
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

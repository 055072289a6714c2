//! The changes that decoding makes to a picture, in words for a record.

/// A change that a model or a metric sees and that the owner of the file may not expect. What every ordinary
/// file has, such as an sRGB profile or an opaque alpha channel, is not a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Transparent parts are white now.
    LaidOnWhite,
    /// The EXIF orientation was applied.
    Turned,
    /// The other frames of an animation were left out.
    FirstFrame,
    /// The other pages of a TIFF were left out.
    FirstPage,
    /// 16 bits per channel became 8.
    EightBits,
    /// CMYK became RGB by the plain formula, without the colour profile of the file.
    FromCmyk,
}

impl Change {
    /// The sentence for a record. `picture` names the picture, such as "the picture". The sentence is the
    /// same for all pictures of one kind.
    pub fn note(self, picture: &str) -> String {
        match self {
            Self::LaidOnWhite => format!("transparent parts of {picture} were laid on white"),
            Self::Turned => format!("{picture} was turned upright by its EXIF orientation"),
            Self::FirstFrame => format!("{picture} is animated: the first frame was taken"),
            Self::FirstPage => format!("{picture} has several pages: the first was taken"),
            Self::EightBits => format!("{picture} has 16 bits per channel, of which 8 were kept"),
            Self::FromCmyk => {
                format!("{picture} is CMYK and became RGB without its colour profile")
            }
        }
    }
}

//! OpenCV's grey of 8-bit pictures.

/// `cvtColor(…, COLOR_RGB2GRAY)` of one pixel, exact to the bit.
pub fn grey([r, g, b]: [u8; 3]) -> u8 {
    let sum = u32::from(r) * 9_798 + u32::from(g) * 19_235 + u32::from(b) * 3_735;
    ((sum + (1 << 14)) >> 15) as u8
}

//! What the JPEG decoder does not report, from a walk through the marker segments (ITU-T T.81, annex B).

/// What the markers say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Markers {
    /// Whether the end-of-image marker follows the last scan. Without it, the decoder fills the missing part
    /// with grey.
    pub whole: bool,
    /// Number of channels in the frame header.
    pub channels: Option<u8>,
}

/// Walks through a file.
pub(super) fn markers(bytes: &[u8]) -> Markers {
    let mut found = Markers::default();
    let mut at = 2;
    let mut in_scan = false;
    while at + 1 < bytes.len() {
        let (first, marker) = (bytes[at], bytes[at + 1]);
        match (first, marker) {
            // Scans contain fill bytes, stuffed zeros and restart markers, and any other byte.
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, 0xd9) => {
                found.whole = true;
                return found;
            }
            (0xff, _) => {
                let Some(length) = bytes.get(at + 2..at + 4) else {
                    return found;
                };
                // Frame headers are SOF0 to SOF15, except the tables between them.
                if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                    found.channels = bytes.get(at + 9).copied();
                }
                in_scan = marker == 0xda;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
            // The data of a scan: the next marker, or the first byte of a stuffed zero.
            _ if in_scan => match memchr::memchr(0xff, &bytes[at..]) {
                Some(distance) => at += distance,
                None => return found,
            },
            _ => return found,
        }
    }
    found
}

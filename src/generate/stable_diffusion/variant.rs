//! The files of a variant, such as `model.fp16.safetensors`.

use crate::generate::pipeline::{CheckpointFolder, Location};

/// The location of a part's weights: the file or the index of the variant if there is one, and otherwise the
/// folder.
pub(in crate::generate) fn weights_of(
    folder: &CheckpointFolder,
    part: &str,
    variant: Option<&str>,
) -> Location {
    let location = folder.location_of(part);
    let Some(variant) = variant else {
        return location;
    };
    let names = ["diffusion_pytorch_model", "model"].map(|name| {
        [
            format!("{name}.{variant}.safetensors"),
            // Newer repositories have the variant at the end, older ones before the word `index`.
            format!("{name}.safetensors.index.{variant}.json"),
            format!("{name}.{variant}.safetensors.index.json"),
        ]
    });
    let mut names = names.iter().flatten();
    let found = names.find(|name| location.path.join(name).is_file());
    match found.map(|name| location.path.join(name)) {
        Some(path) => Location { path, ..location },
        None => location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn a_part_without_the_variant_uses_its_plain_file() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("unet");
        std::fs::create_dir(&part).unwrap();
        let checkpoint = CheckpointFolder::new(folder.path(), DType::F32);
        let place = |variant| weights_of(&checkpoint, "unet", variant).path;
        assert_eq!(place(Some("fp16")), part);
        let file = part.join("diffusion_pytorch_model.fp16.safetensors");
        std::fs::write(&file, "").unwrap();
        assert_eq!(place(Some("fp16")), file);
        assert_eq!(place(None), part);
        std::fs::remove_file(&file).unwrap();
        let index = part.join("model.safetensors.index.fp16.json");
        std::fs::write(&index, "{}").unwrap();
        assert_eq!(place(Some("fp16")), index);
    }
}

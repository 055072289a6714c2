"""Shows the documents beside Cargo.toml as pages of the site, and turns links to them into links between pages."""

import re
from pathlib import Path, PurePosixPath

from mkdocs.structure.files import File

# Documents of the repository's root by their page.
DOCUMENTS = {
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files, config):
    root = Path(config.config_file_path).parent
    for document, page in DOCUMENTS.items():
        files.append(File.generated(config, page, abs_src_path=str(root / document)))
    return files


def on_page_markdown(markdown, page, config, files):
    source = page.file.src_uri
    document = next((name for name, uri in DOCUMENTS.items() if uri == source), None)
    # Where the text lies in the repository.
    folder = PurePosixPath() if document else PurePosixPath("docs", source).parent

    def link(match):
        target, anchor = match.group(1), match.group(2) or ""
        if "://" in target:
            return match.group(0)
        path = normal(folder / target)
        uri = DOCUMENTS.get(path) or path.removeprefix("docs/")
        if document is None and path not in DOCUMENTS:
            return match.group(0)
        above = "../" * (len(PurePosixPath(source).parents) - 1)
        return f"]({above}{uri}{anchor})"

    return LINK.sub(link, markdown)


def normal(path):
    """The path without `..`."""
    parts = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)

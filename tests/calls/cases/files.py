"""Files of a workspace."""

from tests.calls.cases.case import Case, of, under

CASES = {
    "list_files": Case(of("seo"), says="config.yaml"),
    "read_file": Case(of("seo", path="config.yaml"), says="name"),
    "write_file": Case(
        of("seo", path="notes.md", content="Look here."),
        at=under("seo", "files", "notes.md"),
        seen=lambda told: "Look here." in str(told),
        raw=True,
    ),
    "replace_files": Case(
        of("seo", files={"notes.md": "Look here."}),
        at=under("seo", "files", "notes.md"),
        seen=lambda told: "Look here." in str(told),
        raw=True,
    ),
    "download_chat_file": Case(of("seo", path="/configs/config.yaml"), says="written_to"),
    "upload_chat_files": Case(
        of("seo", files={"notes.md": "Look here."}),
        at=under("seo", "files") + "?root=/workspace&depth=5",
        seen=lambda told: "notes.md" in str(told),
    ),
    "get_shared_context": Case(of("seo"), says="files"),
}

"""What a backup says of its own files, and what the names of objects say."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from paraphe.backup import programs
from paraphe.backup.errors import BackupError
from paraphe.backup.listing import read_listing
from paraphe.backup.manifest import DUMP, LISTING, Manifest, fact_of
from shared.domain.document_name import DocumentName, document_name

CLIENT, JOB = UUID(int=1), UUID(int=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished backup."""
    (tmp_path / DUMP).write_bytes(b"dump")
    (tmp_path / LISTING).write_text('{"name": "a", "size": 1, "sha256": "b"}\n')
    manifest = Manifest(
        made_at=datetime(2026, 5, 4, tzinfo=UTC),
        schema="0005",
        server_major=18,
        rows={"jobs": 7},
        objects=1,
        object_bytes=1,
        files={name: fact_of(tmp_path / name) for name in (DUMP, LISTING)},
    )
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    return tmp_path


@pytest.mark.parametrize("name", [DUMP, LISTING])
@pytest.mark.parametrize("damage", ["bit", "cut", "gone"])
def test_damage_is_seen(folder: Path, name: str, damage: str) -> None:
    manifest = Manifest.read(folder)
    manifest.check_files(folder)
    content = (folder / name).read_bytes()
    if damage == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content[:-1] if damage == "cut" else bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises(BackupError, match=name):
        manifest.check_files(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1}', '{"format": 1, "files": {"x": 1}}'])
def test_what_is_no_manifest_of_ours(folder: Path, text: str) -> None:
    (folder / "backup.json").write_text(text)
    with pytest.raises(BackupError):
        Manifest.read(folder)


def test_a_backup_that_was_not_finished_is_none(folder: Path) -> None:
    (folder / "backup.json").unlink()
    with pytest.raises(BackupError, match="no finished backup"):
        Manifest.read(folder)


@pytest.mark.parametrize("line", ["no json", '{"name": "a"}', '{"name": "a", "size": 1, "sha256": "b", "more": 1}'])
def test_a_listing_that_is_none(tmp_path: Path, line: str) -> None:
    (tmp_path / LISTING).write_text(line + "\n")
    with pytest.raises(BackupError):
        list(read_listing(tmp_path / LISTING))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"documents/{CLIENT}/abc/{JOB}", DocumentName(CLIENT, "abc", JOB)),
        (f"uploads/{CLIENT}/{JOB}", None),
        (f"documents/{CLIENT}/abc/{JOB}/more", None),
        (f"documents/{CLIENT}/abc/no-id", None),
        ("documents/", None),
    ],
)
def test_names_of_documents(name: str, found: DocumentName | None) -> None:
    assert document_name(name) == found


def test_programs_nearest_above_the_servers_version_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for major in (15, 17, 18):
        for program in programs.NEEDED:
            path = tmp_path / str(major) / program
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {major}.4 (Debian {major}.4-1)'\n")
            path.chmod(0o755)
    monkeypatch.setenv("PATH", ":".join(str(tmp_path / str(major)) for major in (18, 15, 17)))
    assert programs.folder_for(16) == tmp_path / "17"
    assert programs.folder_for(15) == tmp_path / "15"
    with pytest.raises(BackupError, match="version 99"):
        programs.folder_for(99)

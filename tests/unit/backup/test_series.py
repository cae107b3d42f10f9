"""Which backups of a folder go."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from paraphe.backup.series import next_folder, prune, remove_left_overs

NOW = datetime(2026, 5, 4, 2, 17, tzinfo=UTC)


def backup(series: Path, day: int, *, finished: bool = True) -> Path:
    folder = next_folder(series, NOW.replace(day=day))
    folder.mkdir()
    (folder / "database.dump").touch()
    if finished:
        (folder / "backup.json").touch()
    return folder


def test_an_unfinished_one_counts_for_none_and_is_gone_by_the_next_night(tmp_path: Path) -> None:
    old, newer = backup(tmp_path, 1), backup(tmp_path, 2)
    killed, at_work = backup(tmp_path, 3, finished=False), backup(tmp_path, 4, finished=False)
    assert prune(tmp_path, 2) == []
    assert remove_left_overs(tmp_path, NOW - timedelta(seconds=30)) == [killed]
    assert set(tmp_path.iterdir()) == {old, newer, at_work}


def test_the_oldest_go_first(tmp_path: Path) -> None:
    made = [backup(tmp_path, day) for day in (3, 1, 2)]
    assert prune(tmp_path, 1) == [made[2], made[1]]
    assert list(tmp_path.iterdir()) == [made[0]]


def test_what_we_did_not_name_stays(tmp_path: Path) -> None:
    for name in ("paraphe-20200101T000000Z.dump", "paraphe-2020", "lost+found"):
        (tmp_path / name).mkdir()
    assert remove_left_overs(tmp_path, NOW) == []
    for left in tmp_path.iterdir():
        (left / "backup.json").touch()
    assert prune(tmp_path, 1) == []

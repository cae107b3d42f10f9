"""A backup under load, the database destroyed, restored; and backups that are not what they were."""

import io
import json
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.pool import NullPool

from paraphe.backup.database import Database
from paraphe.backup.making import make_backup
from paraphe.backup.programs import PostgresPrograms
from paraphe.local.data_folder import DataFolder
from paraphe.local.preparation import prepare_database
from shared.db import keys
from shared.db.engine import make_engine
from shared.db.tables import jobs
from shared.domain.ids import first_id_at
from shared.domain.job import Document
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings, PostgresSettings
from tests.integration.db.stories import Stories, wait_for
from tests.servers import Servers
from tests.system import QUICK_RECOVERY, SAMPLES, System

PARAPHE = str(Path(sys.executable).with_name("paraphe"))


@dataclass
class Done:
    status: int
    said: str


def paraphe(*arguments: str | Path, largest_file: int | None = None) -> Done:
    """The command as an operator or a CronJob runs it; the settings are in the environment.

    ``largest_file``: bytes after which a file cannot be written on, as on a full disk.
    """
    command = [PARAPHE, *(str(one) for one in arguments)]
    if largest_file is not None:
        command = ["prlimit", f"--fsize={largest_file}", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout + done.stderr)


def destroy_database(servers: Servers) -> None:
    """Everything is gone; an empty database of that name is there, as an operator would make one."""
    url = make_url(servers.postgres.url("postgres")).set(drivername="postgresql+psycopg2")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("drop database paraphe with (force)"))
        connection.execute(text("create database paraphe"))


@pytest.fixture
def store(clean_servers: Servers) -> ObjectStore:
    """The bucket, without what other tests have left in it."""
    store = ObjectStore(ObjectsSettings())
    for prefix in ("documents/", "uploads/"):
        store.delete_under(prefix)
    return store


@pytest.fixture
def system(clean_servers: Servers, store: ObjectStore, tmp_path: Path) -> Iterator[System]:
    system = System(clean_servers, tmp_path, QUICK_RECOVERY)
    try:
        yield system
    finally:
        system.stop()


@contextmanager
def under_load(system: System, samples: list[Path]) -> Iterator[list[str]]:
    """Meanwhile documents are submitted one after the other; the list holds the ids of all accepted jobs."""
    accepted: list[str] = []
    stop = threading.Event()

    def submit_on() -> None:
        for sample in cycle(samples):
            if stop.is_set():
                return
            accepted.append(system.submit(sample))
            stop.wait(0.3)  # as scans come in; all of them are examined afterwards

    load = [threading.Thread(target=submit_on) for _ in range(3)]
    for thread in load:
        thread.start()
    try:
        yield accepted
    finally:
        stop.set()
        for thread in load:
            thread.join()


def test_no_accepted_job_is_lost_with_the_database(system: System, servers: Servers, tmp_path: Path) -> None:
    system.start("gateway", "detector", "notifier", "reconciler")
    samples = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json")
    with under_load(system, samples) as accepted:
        wait_for(lambda: len(accepted) >= 8, 30)
        made = paraphe("backup", "--out", tmp_path / "backup")
        assert made.status == 0, made.said
        at_backup = len(accepted)
        wait_for(lambda: len(accepted) >= at_backup + 8, 30)
    system.stop()

    destroy_database(servers)
    restored = paraphe("restore", "--from", tmp_path / "backup")
    assert restored.status == 0, restored.said
    with system.engine.begin() as connection:
        known = {str(one) for one in connection.execute(text("select id from jobs")).scalars()}
        recovered = connection.execute(
            text("select count(*) from jobs where metadata @> '{\"recovered\": true}'")
        ).scalar_one()
    assert known >= set(accepted), "an accepted job is gone"
    assert recovered >= 8, "those accepted after the backup come from their documents"
    system.start("gateway", "detector", "notifier", "reconciler")
    system.wait_for_outcomes(accepted, 90)
    system.assert_exactly_one_outcome(accepted)


@pytest.fixture
def stories(servers: Servers, store: ObjectStore) -> Iterator[Stories]:
    stories = Stories(make_engine(PostgresSettings()))
    yield stories
    stories.engine.dispose()  # a session left open would look like a running service


def stored_job(stories: Stories, store: ObjectStore, content: bytes = b"\x89PNG\r\n\x1a\n...") -> str:
    """A job whose document is in the store (of no importance here: its hash is not that of its content)."""
    job = stories.accept()
    store.put(job.document.object_name, io.BytesIO(content), len(content), "image/png")
    return job.document.object_name


@pytest.fixture
def made(stories: Stories, store: ObjectStore, tmp_path: Path) -> Path:
    """A backup of one job."""
    stored_job(stories, store)
    stories.engine.dispose()
    folder = tmp_path / "backup"
    done = paraphe("backup", "--out", folder)
    assert done.status == 0, done.said
    return folder


def test_verifying_changes_nothing_and_tries_the_dump_out(made: Path, stories: Stories) -> None:
    done = paraphe("restore", "--from", made, "--verify", "--quick")
    assert (done.status, done.said.splitlines()) == (
        0,
        ["database: 1 jobs, restored on trial", "objects: 1 listed, 0 at fault, 0 erased since"],
    )
    with stories.engine.connect() as connection:
        databases = connection.execute(text("select datname from pg_database where datname like 'paraphe_trial%'"))
        assert databases.all() == []


def test_what_an_interrupted_trial_left_goes_with_the_next_and_one_that_goes_on_stays(
    made: Path, stories: Stories
) -> None:
    trials = text("select datname from pg_database where datname like 'paraphe_trial%'")
    with stories.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in ("paraphe_trial_interrupted", "paraphe_trial_at_work"):
            connection.execute(text(f"create database {name}"))
        connection.execute(text("set application_name = paraphe_trial_at_work"))
        try:
            done = paraphe("restore", "--from", made, "--verify", "--quick")
            assert done.status == 0, done.said
            assert connection.execute(trials).scalars().all() == ["paraphe_trial_at_work"]
        finally:
            for name in connection.execute(trials).scalars().all():
                connection.execute(text(f"drop database {name}"))


def test_a_dump_is_loaded_into_older_servers_too(
    stories: Stories, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pg_restore sets a timeout that servers before 17 refuse. What somebody wrote may look the same, and stays."""
    setting = "SET transaction_timeout = 0;"
    stories.accept(metadata={"note": setting})
    scripts: list[str] = []
    run = PostgresPrograms.run

    def run_and_look(self: PostgresPrograms, program: str, arguments: Sequence[str | Path], **options: Any) -> str:
        if program == "psql":
            script = Path(str(arguments[-1]).removeprefix("--file=")).read_text()
            scripts.append(re.sub(r"^\\(un)?restrict .*", "", script, flags=re.M))  # each has a key of its own
        return run(self, program, arguments, **options)

    monkeypatch.setattr(PostgresPrograms, "run", run_and_look)
    database = Database(PostgresSettings())
    manifest = make_backup(tmp_path / "backup", database, store)
    assert database.try_out(tmp_path / "backup", manifest)
    database.server_major = 16
    assert database.try_out(tmp_path / "backup", manifest)
    database.close()
    newer, older = scripts
    assert newer.count(setting) == 2, "pg_restore writes it from version 17 on"
    assert older == newer.replace(setting, " " * len(setting), 1)
    assert older.count(setting) == 1


def test_verifying_reads_the_objects(made: Path) -> None:
    """The object of this test is not what its name says: its hash differs."""
    done = paraphe("restore", "--from", made, "--verify")
    assert done.status == 1
    assert "is damaged: its sha256 is" in done.said


def test_a_lost_document_is_found_and_an_erased_one_is_no_loss(
    made: Path, stories: Stories, store: ObjectStore
) -> None:
    store.delete_under("documents/")
    lost = paraphe("restore", "--from", made, "--verify", "--quick")
    assert (lost.status, "is missing from the store" in lost.said) == (1, True)
    stories.do(lambda c: c.execute(text("delete from jobs")))
    erased = paraphe("restore", "--from", made, "--verify", "--quick")
    assert (erased.status, "0 at fault, 1 erased since" in erased.said) == (0, True)


def test_a_damaged_backup_is_refused_and_nothing_happens(made: Path, stories: Stories) -> None:
    content = (made / "database.dump").read_bytes()
    (made / "database.dump").write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    done = paraphe("restore", "--from", made, "--replace")
    assert (done.status, "database.dump is damaged" in done.said) == (1, True)
    assert stories.do(lambda c: c.execute(text("select count(*) from jobs")).scalar_one()) == 1


def test_a_dump_that_holds_less_than_it_should_is_found_out(made: Path, stories: Stories) -> None:
    manifest = json.loads((made / "backup.json").read_text())
    manifest["rows"]["jobs"] += 1
    (made / "backup.json").write_text(json.dumps(manifest))
    done = paraphe("restore", "--from", made, "--verify", "--quick")
    assert (done.status, "not what was dumped" in done.said) == (1, True)


def test_jobs_and_running_services_are_in_the_way(made: Path, stories: Stories) -> None:
    refused = paraphe("restore", "--from", made)
    assert (refused.status, "holds 1 jobs" in refused.said) == (1, True)
    with stories.engine.connect():
        busy = paraphe("restore", "--from", made, "--replace")
    assert (busy.status, "Stop the services first" in busy.said) == (1, True)
    stories.engine.dispose()
    stories.do(lambda c: c.execute(text("update jobs set model = 'changed since'")))
    stories.engine.dispose()
    replaced = paraphe("restore", "--from", made, "--replace")
    assert replaced.status == 0, replaced.said
    assert stories.do(lambda c: c.execute(text("select model from jobs")).scalar_one()) == "signatures"


def test_what_was_erased_after_the_backup_is_erased_again_if_asked(
    made: Path, stories: Stories, store: ObjectStore
) -> None:
    store.delete_under("documents/")
    stories.engine.dispose()
    kept = paraphe("restore", "--from", made, "--replace")
    assert "jobs without document: 1 (kept" in kept.said
    erased = paraphe("restore", "--from", made, "--replace", "--erase-missing")
    assert "jobs without document: 1 (erased)" in erased.said
    assert stories.do(lambda c: c.execute(text("select count(*) from jobs")).scalar_one()) == 0


def test_a_job_by_a_clock_that_was_half_an_hour_behind_is_not_lost(
    made: Path, stories: Stories, store: ObjectStore
) -> None:
    """Its id seems older than the backup, which does not know it."""
    job_id = first_id_at(datetime.now(UTC), -timedelta(minutes=30))
    document = Document(job_id, stories.client.id, "cd" * 32, 11, "image/png")
    store.put(document.object_name, io.BytesIO(b"\x89PNG\r\n\x1a\n..."), 11, "image/png")
    stories.engine.dispose()
    done = paraphe("restore", "--from", made, "--replace")
    assert "queued again from their documents: 1 jobs" in done.said
    assert stories.do(lambda c: c.execute(select(jobs.c.state).where(jobs.c.id == job_id)).scalar_one()) == "queued"


def test_documents_nobody_can_be_asked_about_are_left_alone(made: Path, stories: Stories, store: ObjectStore) -> None:
    stored_job(stories, store, b"not a picture")
    late = Stories(stories.engine, client_name="late")
    stored_job(late, store)
    mine = stored_job(stories, store)
    stories.engine.dispose()
    done = paraphe("restore", "--from", made, "--replace")
    assert done.said.count("left alone") == 2
    assert "queued again from their documents: 1 jobs" in done.said
    job_id = mine.rpartition("/")[2]
    found = stories.do(lambda c: c.execute(text("select id::text, state from jobs order by id desc limit 1")).one())
    assert tuple(found) == (job_id, "queued")
    client = stories.do(lambda c: keys.ensure_client(c, "acme"))
    assert client.webhook_secret == stories.client.webhook_secret


def test_a_backup_needs_an_empty_folder_and_a_restore_a_backup(
    stories: Stories, tmp_path: Path, servers: Servers
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    full = paraphe("backup", "--out", tmp_path / "full")
    assert (full.status, "is not empty" in full.said) == (1, True)
    none = paraphe("restore", "--from", tmp_path / "full")
    assert (none.status, "no finished backup" in none.said) == (1, True)


def test_a_backup_that_fails_leaves_nothing_and_neither_does_one_that_was_killed(made: Path, tmp_path: Path) -> None:
    """Or one bad night fills the volume, and every night after it fails."""
    series = tmp_path / "backups"
    good, killed = (series / f"paraphe-2020010{day}T000000Z" for day in (1, 2))
    series.mkdir()
    made.rename(good)
    killed.mkdir()
    (killed / "database.dump").touch()
    failed = paraphe("backup", "--into", series, "--keep", "1", largest_file=4096)
    assert (failed.status, "pg_dump failed" in failed.said) == (1, True), failed.said
    assert list(series.iterdir()) == [good]
    assert {path.name for path in good.iterdir()} == {"backup.json", "database.dump", "objects.jsonl"}
    (tmp_path / "mine").mkdir()
    assert paraphe("backup", "--out", tmp_path / "mine", largest_file=4096).status == 1
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_backup_is_closed_to_others_whoever_made_its_folder(stories: Stories, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o755)
    for folder in (mine, tmp_path / "new"):
        assert paraphe("backup", "--out", folder).status == 0
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_of_a_folder_of_backups_the_newest_stay(stories: Stories, store: ObjectStore, tmp_path: Path) -> None:
    """As the CronJob runs it."""
    series = tmp_path / "backups"
    series.mkdir()
    (series / "somebody-elses").mkdir()
    killed = series / "paraphe-20200101T000000Z"
    killed.mkdir()
    (killed / "database.dump").touch()
    stored_job(stories, store)
    kept = []
    for _ in range(3):
        time.sleep(1)  # they are named after the second
        done = paraphe("backup", "--into", series, "--keep", "2")
        assert done.status == 0, done.said
        kept.append(done.said[: done.said.index(": 1 jobs")].splitlines()[-1])
    assert sorted(map(str, series.iterdir())) == sorted([*kept[1:], str(series / "somebody-elses")])
    verified = paraphe("restore", "--from", kept[-1], "--verify", "--quick")
    assert verified.status == 0, verified.said


def test_backups_are_on_record_and_one_that_cannot_be_is_still_good(
    stories: Stories, store: ObjectStore, tmp_path: Path
) -> None:
    stored_job(stories, store)
    assert paraphe("backup", "--out", tmp_path / "one").status == 0
    facts = text("select jobs, objects, bytes > 0, made_at < finished_at from backups")
    assert stories.do(lambda c: [tuple(row) for row in c.execute(facts)]) == [(1, 1, True, True)]
    stories.do(lambda c: c.execute(text("alter table backups rename to hidden")))
    try:
        made = paraphe("backup", "--out", tmp_path / "two")
        assert (made.status, "not on record" in made.said) == (0, True), made.said
        assert (tmp_path / "two" / "backup.json").exists()
    finally:
        stories.do(lambda c: c.execute(text("alter table hidden rename to backups")))


@pytest.mark.parametrize(
    "arguments", [[], ["--out", "a", "--into", "b"], ["--out", "a", "--keep", "2"], ["--into", "b", "--keep", "0"]]
)
def test_where_to_is_said_once(arguments: list[str]) -> None:
    assert paraphe("backup", *arguments).status == 2


def test_a_folder_that_is_not_mounted_is_not_made(servers: Servers, tmp_path: Path) -> None:
    done = paraphe("backup", "--into", tmp_path / "missing")
    assert (done.status, "mounted" in done.said) == (1, True)
    assert not (tmp_path / "missing").exists()


def test_the_servers_of_a_data_folder_are_used_or_started_for_the_time(
    tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While ``paraphe up`` runs, a backup uses its servers; else both commands bring them up and stop them again."""
    for name in servers.environment:
        monkeypatch.delenv(name)  # they would win over the folder
    path = Path(tempfile.mkdtemp(prefix="paraphe-backup-"))
    try:
        folder = DataFolder(path)
        folder.prepare()
        aside = Servers.in_folder(folder)
        aside.group.ensure_running()
        with pytest.MonkeyPatch.context() as environment:
            for name, value in aside.environment.items():
                environment.setenv(name, value)
            prepare_database(folder)
            ObjectStore(ObjectsSettings()).ensure_bucket()
        folder.lock()  # as a running `paraphe up` does
        folder.write_owner("http://127.0.0.1:1")
        made = paraphe("backup", "--data", path, "--out", tmp_path / "while-running")
        assert made.status == 0, made.said
        refused = paraphe("restore", "--data", path, "--from", tmp_path / "while-running")
        assert (refused.status, "stop it first" in refused.said) == (1, True)
        folder.unlock()
        aside.group.stop()
        made = paraphe("backup", "--data", path, "--out", tmp_path / "backup")
        assert made.status == 0, made.said
        done = paraphe("restore", "--data", path, "--from", tmp_path / "backup", "--replace")
        assert done.status == 0, done.said
        assert json.loads((tmp_path / "backup" / "backup.json").read_text())["rows"]["api_keys"] == 1
        assert not any(server.is_alive() for server in aside.group.members)
    finally:
        shutil.rmtree(path, ignore_errors=True)

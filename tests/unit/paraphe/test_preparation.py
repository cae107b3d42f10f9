"""What is wrong is said before anything is started, to the person at the terminal."""

from pathlib import Path

import pytest

from paraphe.local.data_folder import DataFolder
from paraphe.local.errors import StartupError
from paraphe.local.preparation import prepare_database


def test_every_faulty_setting_of_every_service_is_named_by_its_variable_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = (
        "PARAPHE_JOB_LEASE_S",
        "PARAPHE_DETECTOR_THREADS",
        "PARAPHE_WEBHOOK_ALLOWED_NETWORKS",
        "PARAPHE_LOG_LEVEL",
    )
    for name in faulty:
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("PARAPHE_MAIL_ADMIN_ADDRESSES", "boss@example.org")
    monkeypatch.delenv("PARAPHE_POSTGRES_URL", raising=False)
    with pytest.raises(StartupError) as caught:
        prepare_database(DataFolder(tmp_path))
    said = str(caught.value)
    for name in (*faulty, "PARAPHE_POSTGRES_URL"):
        assert f"\n  {name}: " in said
    assert "PARAPHE_MAIL_HOST is not set" in said
    assert "hush" not in said

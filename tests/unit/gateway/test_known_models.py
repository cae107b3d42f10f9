"""The model of a job: named, or the deployment's default."""

from pathlib import Path

import pytest

from services.gateway.known_models import KnownModels
from services.gateway.problems import Problem
from shared.settings import ModelSettings


def models_in(folder: Path, *names: str) -> KnownModels:
    for name in names:
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "1" / "model.json").touch()
    return KnownModels(ModelSettings(directory=folder, default="standard"))


def test_a_job_gets_the_model_it_names_or_the_default(tmp_path: Path) -> None:
    models = models_in(tmp_path, "standard", "other")
    assert (models.choose("other"), models.choose(None)) == ("other", "standard")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("unheard-of", "There is no model of this name. Known: other."),
        (None, "The default model here, standard, is missing. Known: other."),
    ],
)
def test_one_that_is_missing_is_a_problem_that_says_which_there_are(
    tmp_path: Path, named: str | None, said: str
) -> None:
    with pytest.raises(Problem) as caught:
        models_in(tmp_path, "other").choose(named)
    assert caught.value.detail == said


def test_where_no_folder_is_the_detector_decides(tmp_path: Path) -> None:
    assert models_in(tmp_path / "elsewhere").choose(None) == "standard"

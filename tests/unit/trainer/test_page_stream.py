"""Pages drawn while a network trains: both sorts arrive, a network learns from them, and the processes end with it."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from services.trainer.page_pool import Cut, PagePool, PooledPage
from services.trainer.page_stream import PageStream, drawing_of
from services.trainer.pool_loader import Feed, PoolLoader
from services.trainer.training import parse_arguments, train
from tests.unit.trainer.signed_letters import write_letters

LONG_SIDE = 320


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_letters(tmp_path_factory.mktemp("letters") / "data")


def arrived(stream: PageStream, count: int) -> list[PooledPage]:
    pages: list[PooledPage] = []
    while len(pages) < count:
        pages += stream.arrived()
        time.sleep(0.05)
    return pages


def test_drawn_pages_are_reduced_and_the_same_whenever_drawn(data: Path) -> None:
    drawing = drawing_of(data, seed=3, held_out=0.0, long_side=LONG_SIDE, kinds=3)
    drawn, signed_anew = drawing.page(0), drawing.page(1)
    assert max(drawn[0].shape) == max(signed_anew[0].shape) == LONG_SIDE
    assert (drawn[2], signed_anew[2]) == (True, False), "of a real page only the signatures are known"
    assert torch.equal(drawing.page(1)[0], signed_anew[0])


def test_only_the_kinds_to_be_learned_are_marked(data: Path) -> None:
    marked = {}
    for count in (1, 3):
        drawing = drawing_of(data, seed=3, held_out=0.0, long_side=LONG_SIDE, kinds=count)
        marked[count] = [sorted(drawing.page(number)[1][:, 0].tolist()) for number in range(0, 16, 2)]
    assert marked[1] == [[kind for kind in page if kind == 0] for page in marked[3]]
    assert any(kind > 0 for page in marked[3] for kind in page)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epoch-windows", "8"], "8 windows an epoch hold no batch of 16: raise epoch_windows"),
        (["--pool-room", "0"], "make pool_room at least 1"),
    ],
)
def test_settings_that_leave_nothing_to_train_on_are_refused(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--data", "d", "--out", "o", "--drawing", "1", *options])
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_every_process_draws_and_none_survives_the_end(data: Path) -> None:
    stream = PageStream(drawing_of(data, 3, 0.0, LONG_SIDE, 3), processes=2)
    try:
        assert {page.fully_labelled for page in arrived(stream, 12)} == {True, False}
        loader = PoolLoader(
            PagePool(arrived(stream, 1)[:1], 6, LONG_SIDE, torch.device("cpu")),
            stream,
            Feed(4, 10, Cut(128, 0.4), 0.75, 1),
        )
        batches = list(loader)
        assert [len(batch["img"]) for batch in batches] == [4, 4], "no batch is left incomplete"
        children = multiprocessing.active_children()
        for child in children:
            assert child.pid
            os.kill(child.pid, signal.SIGKILL)
            child.join()
        with pytest.raises(RuntimeError, match="no process draws"):
            stream.arrived()
    finally:
        stream.close()
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_network_trains_on_pages_drawn_meanwhile(data: Path, tmp_path: Path) -> None:
    options = ["--data", str(data), "--out", str(tmp_path), "--size", "192", "--crop", "128", "--kinds", "3"]
    options += ["--drawing", "1", "--pool-room", "12", "--epoch-windows", "16", "--batch", "8", "--epochs", "1"]
    best = train(parse_arguments([*options, "--held-out", "0", "--mosaic", "0"]))
    assert best.is_file()
    assert len((tmp_path / "run" / "results.csv").read_text().splitlines()) == 2
    assert not multiprocessing.active_children()

"""Ultralytics' detection trainer with our warm start and with the settings that make it quick on a CPU."""

from __future__ import annotations

import importlib
import math
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from ultralytics.models.yolo.detect import DetectionTrainer

from services.trainer import runtime
from services.trainer.cropping import WindowCropper
from services.trainer.packing import listed
from services.trainer.page_pool import Cut, PagePool
from services.trainer.page_stream import PageStream, drawing_of
from services.trainer.partial_labels import note_labelled_kinds
from services.trainer.pool_loader import Feed, PoolLoader, packed_pages
from services.trainer.sharp_scaling import scale_sharply
from services.trainer.warm_start import load_weights, restore_normalization
from shared.processor import has_bf16

if TYPE_CHECKING:
    from services.trainer.training import TrainingSettings

_NETWORKS = Path(__file__).with_name("networks")


def run(settings: TrainingSettings, data: Path) -> Path:
    """Train on the pages that data (a data.yaml) names, or resume, and return the best checkpoint's path."""
    on_gpu = torch.cuda.is_available()
    if not on_gpu and has_bf16(torch.cpu.get_capabilities()):
        engine: Any = importlib.import_module("ultralytics.engine.trainer")
        engine.autocast = _bf16_on_cpu
    last = newest_checkpoint(Path(settings.out))
    resumed = last.exists()
    model = runtime.load_model(last if resumed else architecture(settings.family))
    model.add_callback("on_train_start", _channels_last)
    model.add_callback("on_train_batch_start", lower_rate_with_time)
    trainer = _warm_trainer(settings)
    model.train(trainer=trainer, resume=resumed, **_arguments(settings, data, on_gpu))
    return last.with_name("best.pt")


def finished(out: Path) -> Path | None:
    """The best checkpoint of a run that has come to its end, None of another; going on would begin anew, over it.

    At its end Ultralytics takes the optimiser and the number of the epoch out of what a run leaves.
    """
    last = newest_checkpoint(out)
    if not last.exists() or torch.load(last, map_location="cpu", weights_only=False)["epoch"] >= 0:
        return None
    return last.with_name("best.pt")


def newest_checkpoint(out: Path) -> Path:
    """Where a run keeps what a resumption goes on from; there is none before its first epoch has ended."""
    return out / "run" / "weights" / "last.pt"


def architecture(family: str) -> Path | str:
    """One of our own networks, or else the name of one that Ultralytics has."""
    own = _NETWORKS / f"{family}.yaml"
    return own if own.exists() else own.name


def _arguments(settings: TrainingSettings, data: Path, on_gpu: bool) -> dict[str, Any]:
    return {
        "data": str(data),
        "project": str(Path(settings.out).resolve()),
        "name": "run",
        "exist_ok": True,
        "imgsz": settings.size,
        "epochs": settings.epochs,
        "time": settings.hours or None,
        "batch": settings.batch,
        "nbs": settings.nominal_batch,
        "optimizer": "AdamW",
        "lr0": settings.learning_rate,
        "cos_lr": True,
        "warmup_epochs": settings.warmup,
        "warmup_bias_lr": 0.0,
        "mosaic": settings.mosaic,
        "close_mosaic": 0 if settings.drawing else settings.close_mosaic,  # drawn pages have no mosaic
        "scale": settings.scale,
        "freeze": settings.freeze or None,
        "fliplr": 0.0,
        "flipud": 0.0,
        "cache": "ram" if settings.drawing or not on_gpu else False,
        "workers": 12 if on_gpu and not settings.drawing else 0,
        "device": 0 if on_gpu else "cpu",
        "amp": "bf16" if on_gpu else False,
        "seed": settings.seed,
        "deterministic": not on_gpu,  # a GPU's quickest kernels are not, and pages arrive by chance there anyway
        "save_period": 5,
        "patience": settings.epochs,
        "plots": True,
    }


def _bf16_on_cpu(*_: Any, **__: Any) -> AbstractContextManager[Any]:
    """Ultralytics refuses bf16 without CUDA; on CPUs with bf16 instructions it halves the time of a step."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


def _channels_last(trainer: Any) -> None:
    if trainer.device.type == "cpu":
        trainer.model = trainer.model.to(memory_format=torch.channels_last)


def lower_rate_with_time(trainer: Any) -> None:
    """A run that ends by the clock lowers its rate by the clock.

    Ultralytics lowers it at the start of an epoch, for as many epochs as it guesses there will be: a run of three long
    ones stops at half the rate it began with, and its weights are still moving. After a resumption the clock starts
    anew, so the epochs say how far the run is at least.
    """
    if not trainer.args.time:
        return
    elapsed = (time.time() - trainer.train_time_start) / (3600 * trainer.args.time)
    progress = min(1.0, max(elapsed, trainer.epoch / trainer.epochs))
    least = trainer.args.lrf
    share = least + (1 - least) * (1 + math.cos(math.pi * progress)) / 2
    for group in trainer.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * share


class _SharpTrainer(DetectionTrainer):
    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        dataset = super().build_dataset(img_path, mode, batch)
        if mode == "train":
            scale_sharply(dataset.transforms)
        return dataset

    def _close_dataloader_mosaic(self) -> None:  # makes the transforms anew
        super()._close_dataloader_mosaic()  # type: ignore[no-untyped-call]
        if hasattr(self.train_loader.dataset, "transforms"):
            scale_sharply(self.train_loader.dataset.transforms)


def _warm_trainer(settings: TrainingSettings) -> type[DetectionTrainer]:
    """A trainer whose fresh model takes every weight that fits, and whose loss knows what each page is labelled for."""

    windows = settings.crop and not settings.drawing
    cropper = WindowCropper(settings.crop, settings.whole, settings.seed) if windows else None

    class WarmTrainer(_SharpTrainer):
        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            model = super().get_model(cfg, weights, verbose)
            if settings.warm_start and weights is None:
                _start_from(settings, model, self.data)
            return model

        def get_dataloader(self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train") -> Any:
            if mode == "train" and settings.drawing:
                return _drawn_pages(settings, Path(dataset_path), batch_size, self.device)
            return super().get_dataloader(dataset_path, batch_size, rank, mode)

        def plot_training_labels(self) -> None:
            if not settings.drawing:  # they are not known before
                super().plot_training_labels()  # type: ignore[no-untyped-call]

        def preprocess_batch(self, batch: Any) -> Any:
            note_labelled_kinds(self.model, batch["im_file"])
            prepared = super().preprocess_batch(batch)
            return cropper.crop(prepared) if cropper else prepared

    return WarmTrainer


def _start_from(settings: TrainingSettings, model: Any, data: dict[str, Any]) -> None:
    load_weights(model, Path(settings.warm_start), list(data["names"].values()), settings.seed)
    if settings.warm_start.endswith(".npz"):
        restore_normalization(model, listed(Path(data["train"])), settings.size)


def _drawn_pages(settings: TrainingSettings, listing: Path, batch: int, device: torch.device) -> PoolLoader:
    drawing = drawing_of(
        Path(settings.data), settings.seed, settings.held_out, long_side=settings.size, kinds=settings.kinds
    )
    stream = PageStream(drawing, settings.drawing)
    pool = PagePool(packed_pages(listing), settings.pool_room, settings.size, device)
    cut = Cut(settings.crop or settings.size, settings.scale, settings.whole)
    feed = Feed(batch, settings.epoch_windows, cut, settings.drawn_share, settings.seed)
    return PoolLoader(pool, stream, feed)

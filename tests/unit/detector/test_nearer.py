"""Stamps seen from near: parts show them wherever they are, and what is found there lies where its ink is."""

from dataclasses import replace

import numpy as np
import pytest

from services.detector.model_cache import ModelCache
from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Backend
from services.detector.yolo.backends.choice import choose_backend
from services.detector.yolo.boxes import RawBoxes
from services.detector.yolo.detector import Detector
from services.detector.yolo.nearer import part_size, parts, told_from_near, without_colours, worth_a_look
from services.detector.yolo.preprocess import View
from services.trainer.metrics import box_iou
from services.trainer.synthesis.page import SyntheticPage, make_page
from services.trainer.synthesis.recipes import RECIPES
from shared.domain.at_stamps import at_stamps
from shared.domain.detection import Detection, Kind, Page, Tone
from shared.domain.model_version import Calibration, ModelVersion
from shared.pages.renderer import RenderedPage
from shared.settings import PROJECT_ROOT

WIDTH, HEIGHT = 1414, 2000
"""Of a page whose raster is half as large."""
SIZE, SEEN_WIDTH = 1024, 724
"""Of the largest look, and of the page at it."""
NOWHERE = (0.0, 0.0, 0.0, 0.0)
(STAMPED,) = (recipe for recipe in RECIPES if recipe.name == "stamped_page")


@pytest.fixture(scope="module")
def fast() -> ModelVersion:
    return ModelCache(PROJECT_ROOT / "models").load("signatures-fast")


@pytest.fixture(scope="module")
def stamped() -> RenderedPage:
    return rendered(make_page(3, 1, recipes=[STAMPED]))


def blank_page(width: int = WIDTH // 2, height: int = HEIGHT // 2) -> RenderedPage:
    return RenderedPage(1, 2 * width, 2 * height, np.full((height, width, 3), 255, dtype=np.uint8), Tone.GREY)


def inked_page(box: tuple[int, int, int, int]) -> RenderedPage:
    page = blank_page()
    x1, y1, x2, y2 = (side // 2 for side in box)
    page.raster[y1:y2, x1:x2] = 0
    return page


def ink_in(view: View) -> list[float]:
    """Where a part's ink lies on its page."""
    rows, columns = np.nonzero(view.tensor.max(axis=0) < 0.2)
    corners = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], dtype=np.float32)
    return [float(side) for side in view.placement.to_page(corners)[0]]


def stamps(*boxes: tuple[float, float, float, float]) -> Floats:
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    "stamp",
    [
        (600, 900, 800, 1060),
        (20, 10, 180, 190),
        (1240, 1800, 1400, 1980),
        (1200, 20, 1400, 220),
        (200, 400, 1300, 1400),
    ],
    ids=["middle", "top left", "bottom right", "top right", "larger than a part"],
)
def test_a_part_shows_a_stamp_and_what_is_seen_there_lies_where_it_is_on_the_page(
    stamp: tuple[int, int, int, int],
) -> None:
    (seen,) = parts(inked_page(stamp), stamps(stamp), SIZE, SEEN_WIDTH)
    assert seen.tensor.shape == (3, part_size(SIZE), part_size(SIZE))
    if stamp[2] - stamp[0] < 800:
        assert ink_in(seen) == pytest.approx(stamp, abs=2)
    else:
        assert seen.tensor.max() == 0, "as much of it as there is room for"


def test_a_part_is_enlarged_beyond_the_largest_look() -> None:
    (seen,) = parts(inked_page((600, 900, 800, 1060)), stamps((600, 900, 800, 1060)), SIZE, SEEN_WIDTH)
    columns = np.flatnonzero((seen.tensor[0] < 0.2).any(axis=0))
    assert len(columns) / (200 * 1024 / HEIGHT) == pytest.approx(1.4, abs=0.05)


def test_parts_of_a_page_whose_largest_look_is_larger_are_enlarged_beyond_that() -> None:
    wide = blank_page(HEIGHT // 2, WIDTH // 2)
    (near,) = parts(wide, stamps((600, 900, 800, 1060)), SIZE, 1440)
    assert near.tensor.shape == (3, part_size(SIZE), part_size(SIZE))
    assert near.placement.raster_width / 1440 == pytest.approx(1.4, abs=0.05)


def test_stamps_side_by_side_share_a_part_and_those_far_apart_have_one_each() -> None:
    surest, beside, far = (600, 900, 700, 1000), (760, 900, 860, 1000), (100, 1800, 200, 1900)
    assert len(parts(blank_page(), stamps(surest, beside), SIZE, SEEN_WIDTH)) == 1
    assert len(parts(blank_page(), stamps(surest, far), SIZE, SEEN_WIDTH)) == 2
    assert len(parts(blank_page(), stamps(surest, far, beside), SIZE, SEEN_WIDTH)) == 2


def test_a_page_full_of_stamps_has_no_more_than_four_parts() -> None:
    everywhere = [(x, y, x + 60, y + 60) for x in (10, 650, 1300) for y in (10, 700, 1400, 1900)]
    assert len(parts(blank_page(), stamps(*everywhere), SIZE, SEEN_WIDTH)) == 4


def test_a_strip_narrower_than_a_part_is_shown_in_its_whole_width() -> None:
    strip = blank_page(width=100)
    strip.raster[800:830, 20:60] = 0
    (seen,) = parts(strip, stamps((40, 1600, 120, 1660)), SIZE, 102)
    assert ink_in(seen) == pytest.approx((40, 1600, 120, 1660), abs=2)


def test_without_colours_coloured_ink_fades_and_black_ink_and_what_lies_around_a_page_stay() -> None:
    black, blue, red = (0, 0, 0), (40, 60, 190), (200, 30, 40)
    strip = blank_page(width=100)
    for place, ink in enumerate((black, blue, red)):
        strip.raster[800 + 20 * place : 810 + 20 * place] = ink
    (seen,) = parts(strip, stamps((40, 1600, 120, 1660)), SIZE, 102)
    grey = without_colours(seen)
    assert grey.placement == seen.placement
    assert (grey.tensor == grey.tensor[0]).all()
    assert (grey.tensor[0, :, 150:] == seen.tensor[0, :, 150:]).all()
    down_the_strip = grey.tensor[0, :, 60]
    assert down_the_strip.min() == 0
    assert (down_the_strip < 0.7).sum() == pytest.approx(10 * 1.4, abs=2), "black alone is dark"


def test_a_stamp_that_is_large_on_its_page_is_not_looked_at_from_near() -> None:
    small, large, tall = (600, 900, 800, 1060), (200, 400, 800, 900), (600, 100, 700, 700)
    assert worth_a_look(stamps(small, large, tall), blank_page()).tolist() == [list(small)]
    assert worth_a_look(stamps(), blank_page()).shape == (0, 4)


def test_a_grey_page_shows_the_same_as_one_in_colour() -> None:
    page, stamp = inked_page((600, 900, 800, 1060)), stamps((600, 900, 800, 1060))
    grey = replace(page, raster=np.broadcast_to(page.raster[:, :, :1], page.raster.shape))
    assert (parts(grey, stamp, SIZE, SEEN_WIDTH)[0].tensor == parts(page, stamp, SIZE, SEEN_WIDTH)[0].tensor).all()


def told(*boxes: tuple[float, float, float, float], confidence: float) -> RawBoxes:
    return RawBoxes(stamps(*boxes), np.full(len(boxes), confidence, np.float32), np.zeros(len(boxes), np.intp))


def test_what_lies_in_or_beside_a_stamp_is_told_from_near_and_all_else_as_from_far() -> None:
    stamp = stamps((100, 100, 200, 200))
    inside, beside, away = (120.0, 150.0, 180.0, 170.0), (180.0, 190.0, 230.0, 224.0), (300.0, 300.0, 400.0, 340.0)
    far, near = told(inside, away, confidence=0.4), told(inside, beside, away, confidence=0.8)
    both = told_from_near(far, near, stamp, parts(blank_page(), stamp, SIZE, SEEN_WIDTH))
    assert both.corners.tolist() == [list(inside), list(beside), list(away)]
    assert both.confidences.tolist() == pytest.approx([0.8, 0.8, 0.4])


def test_nothing_found_from_near_takes_away_what_was_told_of_the_stamp_from_far() -> None:
    stamp = stamps((100, 100, 200, 200))
    far, nothing = told((120, 150, 180, 170), confidence=0.4), told((0, 0, 1, 1), confidence=0.4).picked(np.arange(0))
    assert len(told_from_near(far, nothing, stamp, parts(blank_page(), stamp, SIZE, SEEN_WIDTH))) == 0


def test_of_a_stamp_that_no_part_shows_all_stays_as_told_from_far() -> None:
    everywhere = stamps(*((x, y, x + 60, y + 60) for x in (10, 1300) for y in (10, 950, 1900)))
    seen = parts(blank_page(), everywhere, SIZE, SEEN_WIDTH)
    far = told(*((x, y, x + 50, y + 30) for x, y, _, _ in everywhere.tolist()), confidence=0.4)
    left = told_from_near(far, far.picked(np.arange(0)), everywhere, seen)
    assert left.corners.tolist() == far.corners[4:].tolist()


def test_more_is_found_on_stamped_pages_seen_from_near_and_boxes_lie_better(fast: ModelVersion) -> None:
    """The same model, with and without knowing that what it finds are stamps."""
    backend = choose_backend(fast, "openvino", threads=1)
    from_near = Detector(backend, fast, fast.thresholds.accept)
    from_far = Detector(backend, replace(fast, classes=("signature", "initials", "seal")), fast.thresholds.accept)
    drawn = [make_page(3, number, recipes=[STAMPED]) for number in range(32)]
    near, far = overlaps_with_truth(from_near, drawn), overlaps_with_truth(from_far, drawn)
    found = (near > 0.5) & (far > 0.5)
    assert found.sum() > 20
    assert (near > 0.5).sum() > (far > 0.5).sum()
    assert near[found].mean() > far[found].mean() + 0.01


def test_parts_are_seen_once_more_without_colours_where_a_page_has_any(
    fast: ModelVersion, stamped: RenderedPage
) -> None:
    backend = Watched(choose_backend(fast, "openvino", threads=1))
    for tone, times in ((Tone.COLOUR, 2), (Tone.GREY, 1)):
        backend.seen.clear()
        Detector(backend, fast, fast.thresholds.accept).detect_all([replace(stamped, tone=tone)])
        of_parts = [batch for batch in backend.seen if batch.shape[2] == part_size(fast.input_sizes[0])]
        assert len(of_parts) == times
        assert (of_parts[-1] == of_parts[-1][:, :1]).all() == (tone is Tone.COLOUR)


def test_stamps_are_told_by_what_is_seen_with_colours(fast: ModelVersion, stamped: RenderedPage) -> None:
    detector = Detector(choose_backend(fast, "openvino", threads=1), fast, fast.thresholds.accept)
    pages = detector.detect_all([stamped, replace(stamped, tone=Tone.GREY)])
    with_and_without, with_colours = ([one for one in page.detections if one.kind is Kind.STAMP] for page in pages)
    assert with_colours
    assert [(one.box, one.confidence) for one in with_and_without] == [
        (one.box, one.confidence) for one in with_colours
    ]


def test_looks_from_near_count_twice_by_a_network_of_their_own(fast: ModelVersion) -> None:
    """Of one look from far and two from near: a third and two thirds, or a fifth and four fifths."""
    backend = choose_backend(fast, "openvino", threads=1)
    own = replace(fast, calibration=Calibration())
    one_for_all = replace(own, files={form: networks[:1] for form, networks in own.files.items()})
    no_stamps = replace(one_for_all, classes=("signature", "initials", "seal"))
    compared = 0
    for page in (rendered(make_page(3, number, recipes=[STAMPED])) for number in range(4)):
        far, shared, alone = (
            surest_signature(Detector(backend, version, 0.001).detect_all([page])[0])
            for version in (no_stamps, one_for_all, own)
        )
        if box_iou(corners_of(far), corners_of(shared)) > 0.5 and box_iou(corners_of(shared), corners_of(alone)) > 0.5:
            near = (3 * shared.confidence - far.confidence) / 2
            assert alone.confidence == pytest.approx((far.confidence + 4 * near) / 5, abs=0.01)
            compared += shared.confidence != pytest.approx(far.confidence, abs=0.02)
    assert compared


def surest_signature(page: Page) -> Detection:
    return next(one for one in page.detections if one.kind is Kind.SIGNATURE)


def corners_of(one: Detection) -> Floats:
    return np.array([one.box.corners])


class Watched:
    """A backend that keeps what it is shown."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name, self.device, self.preferred_batch = backend.name, backend.device, backend.preferred_batch
        self.seen: list[Floats] = []

    def infer(self, batch: Floats) -> Floats:
        self.seen.append(batch)
        return self._backend.infer(batch)


def test_signatures_at_stamps_and_nothing_else_are_believed_more_by_a_calibration_that_says_so(
    fast: ModelVersion,
) -> None:
    backend = choose_backend(fast, "openvino", threads=1)
    raw, raised = (
        Detector(backend, replace(fast, calibration=Calibration(at_stamps=raise_by)), min_confidence=0.05)
        for raise_by in (0.0, 1.0)
    )
    seen = 0
    for page in (rendered(make_page(3, number, recipes=[STAMPED])) for number in range(6)):
        (before,), (after,) = raw.detect_all([page]), raised.detect_all([page])
        confidences = [one.confidence for one in after.detections]
        assert confidences == sorted(confidences, reverse=True)
        now = {one.box: one.confidence for one in after.detections}
        for one, touched in zip(before.detections, at_stamps(before.detections), strict=True):
            believed = Calibration(at_stamps=1.0).confidence(one.confidence, touched)
            assert now[one.box] == pytest.approx(believed)
            seen += touched
    assert seen > 5


def rendered(page: SyntheticPage) -> RenderedPage:
    raster = page.pixels if page.pixels.ndim == 3 else np.repeat(page.pixels[:, :, None], 3, axis=2)
    return RenderedPage(1, raster.shape[1], raster.shape[0], raster, Tone.COLOUR)


def overlaps_with_truth(detector: Detector, drawn: list[SyntheticPage]) -> Floats:
    """Of each signature with what was found best in its place."""
    best = []
    for page in drawn:
        (found,) = detector.detect_all([rendered(page)])
        corners = [one.box.corners for one in found.detections if one.kind is Kind.SIGNATURE] or [NOWHERE]
        truth = np.array(page.signatures, dtype=float).reshape(-1, 4)
        best += list(box_iou(truth, np.array(corners)).max(axis=1))
    return np.array(best)

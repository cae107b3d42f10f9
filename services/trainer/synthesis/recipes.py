"""Which kinds of paper there are, how often each is made, signed, and by what it was scanned."""

from collections.abc import Callable
from dataclasses import dataclass

from services.trainer.synthesis import contracts, forms, letters, scanning
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.scanning import Scanner

Document = Callable[[Desk, bool], None]


@dataclass(frozen=True)
class Recipe:
    """One kind of page: its layout, how often it is made (`weight`), signed, set across; its languages and scanners."""

    layout: Document
    weight: float
    signed: float
    languages: dict[str, float]
    scanners: dict[Scanner, float]
    landscape: float = 0.0

    @property
    def name(self) -> str:
        """The layout's name, as it stands in the tags of index.csv."""
        return str(self.layout.__name__)


ARCHIVE: dict[Scanner, float] = {
    scanning.archive_scan: 0.85,
    scanning.photocopy: 0.07,
    scanning.fax: 0.05,
    scanning.office_scan: 0.03,
}
OFFICE: dict[Scanner, float] = {
    scanning.office_scan: 0.47,
    scanning.photocopy: 0.14,
    scanning.archive_scan: 0.07,
    scanning.phone_photo: 0.17,
    scanning.born_digital: 0.12,
    scanning.fax: 0.03,
}
COPIED: dict[Scanner, float] = {scanning.photocopy: 0.35, scanning.office_scan: 0.55, scanning.born_digital: 0.1}
CLEAN: dict[Scanner, float] = {scanning.born_digital: 0.55, scanning.office_scan: 0.35, scanning.phone_photo: 0.1}
BOTH = {"fr": 0.55, "en": 0.45}
ENGLISH = {"en": 1.0}

RECIPES = (
    Recipe(letters.archive_letter, 0.14, 0.85, ENGLISH, ARCHIVE),
    Recipe(letters.memo, 0.07, 0.5, {"en": 0.9, "fr": 0.1}, ARCHIVE),
    Recipe(letters.report, 0.07, 0.06, {"en": 0.75, "fr": 0.25}, {**ARCHIVE, scanning.office_scan: 0.4}),
    Recipe(letters.handwritten, 0.03, 0.6, BOTH, {**OFFICE, scanning.archive_scan: 0.4}),
    Recipe(letters.letter, 0.09, 0.85, BOTH, OFFICE),
    Recipe(contracts.contract, 0.11, 0.5, BOTH, OFFICE),
    Recipe(contracts.statutes, 0.18, 0.35, {"fr": 0.9, "en": 0.1}, COPIED),
    Recipe(contracts.grant_agreement, 0.09, 0.55, BOTH, CLEAN),
    Recipe(contracts.stamped_page, 0.12, 0.7, {"fr": 0.3, "en": 0.35, "ru": 0.35}, CLEAN),
    Recipe(forms.lease_form, 0.05, 0.6, {"en": 0.8, "fr": 0.2}, COPIED),
    Recipe(forms.mandate, 0.04, 0.6, BOTH, OFFICE),
    Recipe(forms.order_form, 0.04, 0.6, BOTH, OFFICE),
    Recipe(forms.receipt, 0.03, 0.05, BOTH, OFFICE),
    Recipe(forms.certificate, 0.06, 0.85, BOTH, OFFICE, landscape=0.35),
)

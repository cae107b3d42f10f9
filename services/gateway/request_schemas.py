"""What callers may send: checked, and documented in OpenAPI. Fields not named here are refused."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from shared.db.keys import DEFAULT_REQUESTS_PER_MINUTE, Scope
from shared.domain.job import JobOptions, Priority
from shared.domain.json_forms import requirements_from_json

METADATA_BYTES = 4096
_TINY_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAADUlEQVR42mP4z8SADAEPcQEOdvOI0AAAAABJRU5ErkJggg=="
_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _printable(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("Control characters are not allowed.")
    return text


def _web_address(text: str) -> str:
    _URL.validate_python(text)
    if any(character.isspace() for character in text):
        raise ValueError("Spaces are not allowed.")
    return text


def _small_object(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ValueError("Numbers must be finite.") from error
    if len(text.encode()) > METADATA_BYTES:
        raise ValueError(f"At most {METADATA_BYTES} bytes of JSON are kept.")
    # A backslash of the caller's own is doubled there: without those, C:\u0000 is text like any other.
    if "\\u0000" in text.replace("\\\\", ""):
        raise ValueError("The character U+0000 cannot be kept.")
    return value


Printable = Annotated[str, AfterValidator(_printable)]
Filename = Annotated[Printable, Field(min_length=1, max_length=255, examples=["contract.pdf"])]
ClientName = Annotated[Printable, Field(min_length=1, max_length=100)]
ModelName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
        description="The model to use; without it, this installation's default",
        examples=["signatures"],
    ),
]
CallbackUrl = Annotated[
    Printable,
    AfterValidator(_web_address),
    Field(max_length=2000, json_schema_extra={"format": "uri"}, examples=["https://example.org/hooks/paraphe"]),
]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(_small_object),
    Field(description=f"Returned untouched; at most {METADATA_BYTES} bytes of JSON", examples=[{"case": "2024-117"}]),
]
Share = Annotated[float, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ZoneIn(_Request):
    """Signatures expected in one part of one page."""

    page: int = Field(ge=-1, le=100_000, description="1-based; -1 is the last page")
    box: list[Share] = Field(min_length=4, max_length=4, description="Two corners x0, y0, x1, y1, as shares 0..1")
    min: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _sensible(self) -> "ZoneIn":
        if self.page == 0:
            raise ValueError("Pages are counted from 1; -1 is the last.")
        if self.box[0] >= self.box[2] or self.box[1] >= self.box[3]:
            raise ValueError("The box needs x0 < x1 and y0 < y1.")
        return self


class RequirementsIn(_Request):
    """What makes the document ``signed``. Without any: one signature anywhere."""

    min_signatures: int = Field(default=1, ge=0, le=1000)
    zones: list[ZoneIn] = Field(default=[], max_length=100)


class OptionsIn(_Request):
    """What may be said about a document beside the document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"requirements": {"min_signatures": 2, "zones": [{"page": -1, "box": [0, 0.6, 1, 1]}]}}]
        }
    )

    model: ModelName | None = None
    priority: Annotated[Priority, Field(strict=False)] = Priority.NORMAL
    requirements: RequirementsIn = RequirementsIn()
    metadata: Metadata = {}
    callback_url: CallbackUrl | None = None
    training_consent: bool = Field(default=False, description="Whether models may be trained with the document")

    def to_domain(self) -> JobOptions:
        """The same in the domain's words, but for the model."""
        return JobOptions(
            priority=self.priority,
            requirements=requirements_from_json(self.requirements.model_dump()),
            metadata=self.metadata,
            callback_url=self.callback_url,
            training_consent=self.training_consent,
        )


class NewJobIn(OptionsIn):
    """A job as JSON: the document itself in base64, or the id of a finished upload."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"document": _TINY_PNG, "filename": "lease.png"}]})

    document: str | None = Field(default=None, description="The document in base64", examples=[_TINY_PNG])
    upload_id: Annotated[UUID, Field(strict=False)] | None = Field(
        default=None, description="Of a finished upload that no job was made of yet"
    )
    filename: Filename | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "NewJobIn":
        if (self.document is None) == (self.upload_id is None):
            raise ValueError("Give exactly one of document and upload_id.")
        return self


class NewJobForm(BaseModel):
    """A job as a form. Only for the documentation: forms are read as they stream in."""

    file: bytes = Field(json_schema_extra={"format": "binary"})
    model: ModelName | None = None
    priority: Priority = Priority.NORMAL
    requirements: str = Field(default="{}", description="JSON text", examples=['{"min_signatures": 2}'])
    metadata: str = Field(default="{}", description="JSON text", examples=['{"case": "2024-117"}'])
    callback_url: CallbackUrl | None = None
    training_consent: bool = False


class ConsentIn(_Request):
    """Whether models may be trained with the document."""

    training_consent: bool


class PredictIn(_Request):
    """One image."""

    image: str = Field(description="The image in base64", examples=[_TINY_PNG])


class UploadIn(_Request):
    """What is going to be uploaded."""

    filename: Filename | None = None


class KeyIn(_Request):
    """A key to be made. Without ``client`` it belongs to the caller's own client."""

    name: Annotated[Printable, Field(min_length=1, max_length=100, examples=["scanner, ground floor"])]
    client: ClientName | None = None
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(min_length=1, max_length=10)
    requests_per_minute: int = Field(default=DEFAULT_REQUESTS_PER_MINUTE, ge=1, le=1_000_000)

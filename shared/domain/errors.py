"""One family of errors: each outcome but success has a stable ``code`` and a sentence a person can act on."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Stable codes, shown in jobs, problems, metrics and events. Never renamed once released."""

    # The document itself is at fault: decided once, never retried.
    EMPTY_DOCUMENT = "empty_document"
    UNSUPPORTED_TYPE = "unsupported_type"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    CORRUPT_DOCUMENT = "corrupt_document"
    TRUNCATED_DOCUMENT = "truncated_document"
    ENCRYPTED_DOCUMENT = "encrypted_document"
    NO_PAGES = "no_pages"
    TOO_MANY_PAGES = "too_many_pages"
    PAGE_TOO_LARGE = "page_too_large"
    DOCUMENT_TOO_LARGE = "document_too_large"
    RENDER_TIMEOUT = "render_timeout"
    RENDER_MEMORY = "render_memory"
    RENDER_CRASH = "render_crash"
    PAGE_OUT_OF_RANGE = "page_out_of_range"
    # Our fault or the network's: retried with backoff until the attempts are used up.
    DOCUMENT_MISSING = "document_missing"
    UNKNOWN_MODEL = "unknown_model"
    STORE_UNAVAILABLE = "store_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"
    WORKER_LOST = "worker_lost"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    INTERNAL_ERROR = "internal_error"


# A bad document is its sender's affair; these are ours or the network's.
OUR_CODES = frozenset(
    {
        ErrorCode.DOCUMENT_MISSING,
        ErrorCode.UNKNOWN_MODEL,
        ErrorCode.STORE_UNAVAILABLE,
        ErrorCode.DATABASE_UNAVAILABLE,
        ErrorCode.WORKER_LOST,
        ErrorCode.ATTEMPTS_EXHAUSTED,
        ErrorCode.INTERNAL_ERROR,
    }
)


class ParapheError(Exception):
    """Base of every error we raise on purpose. ``detail`` says what was wrong and what to do."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class DocumentError(ParapheError):
    """The file is bad; trying again cannot help. The job fails at once with this code."""


class TemporaryError(ParapheError):
    """Something of ours or of the network failed; trying again may help."""


class LeaseLostError(Exception):
    """Another owner has, or may have, this job: whatever this worker computed must not be written."""


class NotFoundError(Exception):
    """No such thing for this client. Deliberately says nothing about other clients' things."""


class ConflictError(Exception):
    """The thing exists but its state does not allow what was asked; the message says which state it is in."""


class StaleError(Exception):
    """Somebody changed the thing since the caller read it; nothing was written. The message says who and when."""

"""Multipart forms, read as they stream in: the file goes to an intake, small text parts are kept."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.gateway.intake import Intake
from services.gateway.problems import Problem, ProblemCode, invalid

TEXT_BYTES = 64 * 1024
_MOST_HEADERS = 16


class FormReader:
    """Feed it the body's chunks; afterwards ``texts`` holds the text parts and the intake the file's bytes."""

    def __init__(self, boundary: bytes, intake: Intake, text_names: frozenset[str]) -> None:
        self.texts: dict[str, str] = {}
        self.file_type = ""
        self.filename: str | None = None
        self._intake = intake
        self._text_names = text_names
        self._has_file = False
        self._is_whole = False
        self._text_room = TEXT_BYTES
        self._new_part()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._new_part,
                "on_header_field": self._header_name,
                "on_header_value": self._header_text,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
            max_header_count=_MOST_HEADERS,
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Problem(ProblemCode.INVALID_REQUEST, f"The form is malformed: {error}") from error

    def finish(self) -> None:
        """Check that the form was whole and had a file."""
        if not self._is_whole:
            raise Problem(ProblemCode.LENGTH_MISMATCH, "The form ends before its closing boundary: it is cut short.")
        if not self._has_file:
            raise invalid("/file", "This part is required.")

    def _new_part(self) -> None:
        self._headers: dict[str, str] = {}
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._text = bytearray()
        self._started_at = self._intake.size

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_text(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_end(self) -> None:
        name, text = self._header
        self._headers[name.decode("latin-1").lower()] = text.decode("latin-1")
        self._header = (bytearray(), bytearray())

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name != "file" and self._name not in self._text_names:
            raise invalid(f"/{self._name[:100]}", "There is no such field.")
        if self._name in self.texts or (self._name == "file" and self._has_file):
            raise invalid(f"/{self._name}", "This part was sent twice.")
        if self._name == "file":
            self._has_file = True
            self.filename = options.get(b"filename", b"").decode("utf-8", "replace") or None
            declared, _ = parse_options_header(self._headers.get("content-type"))
            self.file_type = declared.decode("latin-1")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file":
            self._intake.write(memoryview(data)[start:end])
            return
        self._text_room -= end - start
        if self._text_room < 0:
            raise invalid(f"/{self._name}", f"Text parts may have {TEXT_BYTES} bytes in all.")
        self._text += data[start:end]

    def _part_end(self) -> None:
        if self._name == "file":
            self._check_length()
            return
        try:
            self.texts[self._name] = self._text.decode()
        except UnicodeDecodeError as error:
            raise invalid(f"/{self._name}", "The text is not UTF-8.") from error

    def _check_length(self) -> None:
        said = self._headers.get("content-length", "").strip()
        came = self._intake.size - self._started_at
        if said.isdecimal() and int(said[:20]) != came:
            raise Problem(ProblemCode.LENGTH_MISMATCH, f"The part says it has {said[:20]} bytes, but {came} came.")

    def _end(self) -> None:
        self._is_whole = True

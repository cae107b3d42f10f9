"""How labelled pages are written down: what the export of corrections writes and what training reads."""

KINDS = ("signature", "initials", "stamp")
"""Class numbers of labels, by place."""

SIGNATURES_ONLY = "signatures-only"
"""The tag of a page whose initials and stamps may be there unmarked, in a folder whose other pages have them marked."""

"""How labelled pages are written down: what the export of corrections writes and what training reads."""

KINDS = ("signature", "initials", "stamp")
"""Class numbers of labels, by place."""

SIGNATURES_ONLY = "signatures-only"
"""The tag of a page whose initials and stamps may be there unmarked, in a folder whose other pages have them marked."""

ALL_KINDS = "all-kinds"
"""The tag of a real page that somebody went over for every kind: what is not marked there is not there."""

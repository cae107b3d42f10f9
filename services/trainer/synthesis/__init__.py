"""Synthetic business pages with known signatures, initials and stamps: as many as wanted, seeded, from nothing.

`make_page(seed, number)` gives one page; `python -m services.trainer.synthesis` writes folders of them.
"""

"""The single-machine mode: real servers from wheels in a data folder, and the very same services on top of them."""

"""One module a kind of thing. Routes parse, call and declare their answers; nothing more."""

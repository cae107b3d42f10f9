"""The words of the business: standard library only, no framework, no I/O."""

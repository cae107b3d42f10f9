"""The command line: ``paraphe``."""

"""The web pages: rendered here, with small plain scripts, served by the gateway beside its API."""

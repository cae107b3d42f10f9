"""Document bytes to page rasters, in limited subprocesses that can be killed.

Callers use :class:`shared.pages.renderer.Renderer`; gateways also use :func:`shared.pages.sniff.media_type`.
Nothing is re-exported here: the child processes import this package too and must start fast.
"""

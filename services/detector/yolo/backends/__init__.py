"""Runtimes that carry out a network's forward, behind one small protocol. Each imports its runtime when loaded."""

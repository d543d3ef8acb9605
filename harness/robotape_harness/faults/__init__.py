"""Faults: what can go wrong with a call, and what makes it; who looks for trouble is `campaign`."""

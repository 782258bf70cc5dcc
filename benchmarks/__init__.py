"""Timings as ratios within one run: ours against the same thing on the bare SDK. `make bench` runs all of them."""

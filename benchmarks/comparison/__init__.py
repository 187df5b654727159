"""The parts of ``benchmarks/compare.py``: sets, methods, runs, judging, tables, plot."""

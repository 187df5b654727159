"""The parts of ``benchmarks/joint.py``: what is compared, on which sets, and how it is judged."""

"""Parts of the benchmark of ``seston suggest``: the simulated annotator, and the ways to choose what it is asked."""

"""What raw labels mean: accepted names, lineages, and what a label says beside the taxon."""

"""The public collections of plankton pictures: what is known of each, and how they become one data set."""

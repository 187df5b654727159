"""The data set on disk: import, labels, splits, embeddings."""

from seston.store.annotation_file import read_annotations
from seston.store.annotations import outranks_source
from seston.store.dataset import DataSet, open_data_set
from seston.store.partition import SplitRows, make_split
from seston.store.reports import AnnotateReport, ImportReport, Info, Version
from seston.store.rows import particle_from_row, profiles_of, rows_to_particles
from seston.store.schema import ANNOTATIONS, PARTICLES, SAMPLES
from seston.store.splits import PARTS, Split
from seston.store.standing import Standing
from seston.store.summary import info_of

__all__ = [
    "ANNOTATIONS",
    "PARTICLES",
    "PARTS",
    "SAMPLES",
    "AnnotateReport",
    "DataSet",
    "ImportReport",
    "Info",
    "Split",
    "SplitRows",
    "Standing",
    "Version",
    "info_of",
    "make_split",
    "open_data_set",
    "outranks_source",
    "particle_from_row",
    "profiles_of",
    "read_annotations",
    "rows_to_particles",
]

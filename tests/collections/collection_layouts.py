"""A path of each collection as its archives hold it, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["LAYOUTS"]

_NOON = datetime(2014, 6, 2, 7, 33, 48, 76_000, tzinfo=UTC)
LAYOUTS: list[tuple[str, str, str | None, str | None, datetime | None]] = [
    ("isiisnet", "ISIISNet/imgs/Appendicularia/1.png", "Appendicularia", None, None),
    ("zoocamnet", "ZooCamNet/imgs/egg_Sardina/1.png", "egg_Sardina", None, None),
    ("zooscan", "ZooScanNet/imgs/Acantharea/12.jpg", "Acantharea", None, None),
    ("flowcamnet", "FlowCamNet/imgs/dark<sphere/12.jpg", "dark<sphere", None, None),
    ("uvp6net", "imgs/Copepoda/12.png", "Copepoda", None, None),
    ("global_uvp5", "images/sample 1/12.png", None, "sample 1", None),
    (
        "planktoscope",
        "Planktoscope_reference/imgs/Favella/2024-03-12_11-55-35-346253_1.jpg",
        "Favella",
        None,
        datetime(2024, 3, 12, 11, 55, 35, 346253, tzinfo=UTC),
    ),
    ("whoi", "2006/mix/IFCB1_2008_073_152345_00014.png", "mix", "IFCB1_2008_073_152345", None),
    (
        "jedioceans",
        "CPICS_Validated/20151103.zip/LClass_copepod/20151103_102539.630.0.png",
        "copepod",
        "20151103",
        datetime(2015, 11, 3, 10, 25, 39, 630_000, tzinfo=UTC),
    ),
    (
        "planktonset1.0",
        "0127422/2.3/data/0-data/FINAL_Plankton_Segments_12082014/fish_larvae/20140602073348.076.12.jpg",
        "fish_larvae",
        None,
        _NOON,
    ),
    (
        "syke_ifcb_2022",
        "labeled_20201020/Snowella/D20180524T053911_IFCB114_00037.png",
        "Snowella",
        "D20180524T053911_IFCB114",
        None,
    ),
    ("sykezooscan2024", "SYKE.zip/images/SYKE-plankton_ZooScan_2024/Evadne/1.png", "Evadne", None, None),
    ("medplanktonset", "IFCB_images/Eucampia_cornuta/1.png", "Eucampia_cornuta", None, None),
    (
        "zoolake",
        "data/zooplankton_0p5x/daphnia/training/SPC-EAWAG-0P5X-1401694428076000-1-2-3.jpeg",
        "daphnia",
        None,
        _NOON,
    ),
    ("lensless", "Plankton/TEST_IMAGE/VOLVOX/1.png", "VOLVOX", None, None),
    ("uvp6_uvpec", "Acantharea__1111/1151801.png", "Acantharea", None, None),
    ("daplankton", "DAPlankton/DAPlankton.zip/LAB/CS/Diatoma_tenuis/1.jpg", "Diatoma_tenuis", None, None),
    ("frepj", "plankton_images/images_40/A,B,C,D,E f/1.jpg", "A,B,C,D,E f", "images_40", None),
]
"""Collection, path (through archives inside archives), label, sample and time."""

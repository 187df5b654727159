"""Measuring how well particles are named: protocols, baselines, intervals, the report, and the demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seston.late_loading import late_names

if TYPE_CHECKING:
    from seston.evaluation.demonstration import DemoResult, demo
    from seston.evaluation.grid import Difference, Row
    from seston.evaluation.lineages import Lineage, lineage_of
    from seston.evaluation.open_set import ood
    from seston.evaluation.partners import RetrievalRow
    from seston.evaluation.probing import linear_probe
    from seston.evaluation.protocol import gallery_knn, retrieval
    from seston.evaluation.rank_protocol import ranks
    from seston.evaluation.rank_tally import RankRow, RankTally, by_rank
    from seston.evaluation.recipe_comparison import RecipeComparison, compare_recipes
    from seston.evaluation.recipe_figures import RecipeRow
    from seston.evaluation.report import write_report
    from seston.evaluation.results import Evaluation
    from seston.evaluation.sample_map import SampleMap, map_samples
    from seston.evaluation.score_tally import ScoreFigures, ScoreTally
    from seston.evaluation.simple_shot import few_shot
    from seston.evaluation.zero_shot_protocol import zero_shot
    from seston.evaluation.zero_shot_rows import ZeroShotRow

_WHERE = {
    "DemoResult": "demonstration",
    "Difference": "grid",
    "Evaluation": "results",
    "Lineage": "lineages",
    "RankRow": "rank_tally",
    "RankTally": "rank_tally",
    "RecipeComparison": "recipe_comparison",
    "RecipeRow": "recipe_figures",
    "RetrievalRow": "partners",
    "Row": "grid",
    "SampleMap": "sample_map",
    "ScoreFigures": "score_tally",
    "ScoreTally": "score_tally",
    "ZeroShotRow": "zero_shot_rows",
    "by_rank": "rank_tally",
    "compare_recipes": "recipe_comparison",
    "demo": "demonstration",
    "few_shot": "simple_shot",
    "gallery_knn": "protocol",
    "lineage_of": "lineages",
    "linear_probe": "probing",
    "map_samples": "sample_map",
    "ood": "open_set",
    "ranks": "rank_protocol",
    "retrieval": "protocol",
    "write_report": "report",
    "zero_shot": "zero_shot_protocol",
}

__all__ = [
    "DemoResult",
    "Difference",
    "Evaluation",
    "Lineage",
    "RankRow",
    "RankTally",
    "RecipeComparison",
    "RecipeRow",
    "RetrievalRow",
    "Row",
    "SampleMap",
    "ScoreFigures",
    "ScoreTally",
    "ZeroShotRow",
    "by_rank",
    "compare_recipes",
    "demo",
    "few_shot",
    "gallery_knn",
    "lineage_of",
    "linear_probe",
    "map_samples",
    "ood",
    "ranks",
    "retrieval",
    "write_report",
    "zero_shot",
]


__getattr__ = late_names(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)

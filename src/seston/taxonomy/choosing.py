"""Which taxon a label means, out of those that its words mention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seston.taxonomy.context import Rule, rules_for
from seston.taxonomy.fact_files import Fact
from seston.taxonomy.mentions import Mention
from seston.taxonomy.ranks import RANK_ORDER
from seston.taxonomy.taxon import How
from seston.taxonomy.tree import TaxonTree, width

__all__ = ["Choice", "choose"]

_BY_CONTEXT = 0.7
_IMPLIED = 0.8
_TWO_SYSTEMS = 0.9
_NOT_THE_SPECIES = frozenset({"like", "aff."})
_STEPS = ("phylum", "class", "order", "superfamily", "genus")
"""Ranks at which a coarser scale of ranks begins."""


class Choice(NamedTuple):
    """A taxon that was chosen, and why."""

    fact: Fact | None = None
    how: How = "none"
    sureness: float = 0.0
    parts: tuple[Fact, ...] = ()
    """The taxa of a composite."""
    note: str = ""


class _Named(NamedTuple):
    """A taxon that a level names."""

    fact: Fact
    how: How
    sureness: float
    choice: bool
    note: str = ""


def choose(levels: Sequence[Sequence[Mention]], phrase: str, source: str, tree: TaxonTree) -> Choice:
    """Choose the taxon of a label.

    The narrowest level of a path that names one decides. Of names inside each other the narrowest counts, of names
    offered as a choice (``+``, ``/``, ``-``, *or*) the lowest common ancestor. A stage or part that only one group has
    (*zoea*, *nectophore*) names that group where nothing else does, or narrows a wider one.

    Parameters
    ----------
    levels
        What each level of the label's path mentions, the narrowest first.
    phrase
        The whole label in plain words.
    source
        Where it is from.
    tree
        The taxa.
    """
    everything = [mention for level in levels for mention in level]
    for level in levels:
        named = _named(level, everything, source, tree)
        if named:
            return _widened(_narrowed(_of_level(named, tree), everything, tree), everything, tree)
    for rule in rules_for(phrase, source):
        facts = rule.choose((), tree)
        if facts:
            return Choice(facts[0], "exact", _BY_CONTEXT, note=rule.note)
    return _implied(everything, tree)


def _named(level: Sequence[Mention], everything: Sequence[Mention], source: str, tree: TaxonTree) -> list[_Named]:
    """Give the taxa that a level names: without guests, and without what it excludes."""
    named: list[_Named] = []
    guests: list[_Named] = []
    excluded = choice = False
    for mention in level:
        entry = mention.entry
        if entry.role == "link":
            if entry.value == "on":
                guests, named = named, []
            elif entry.value == "with" and named:
                return named
            choice = entry.value == "or"
        elif entry.role == "taxon":
            if not excluded:
                named.append(_meant(mention, everything, source, tree, choice=choice or mention.choice))
            excluded = choice = False
        elif entry.role == "qualifier":
            excluded = entry.value == "non"
    return named or guests


def _meant(mention: Mention, everything: Sequence[Mention], source: str, tree: TaxonTree, *, choice: bool) -> _Named:
    """Give the taxon that a mention means here: of homonyms the one that fits the label, or else the source."""
    facts = mention.entry.facts
    sureness = mention.sureness
    if len(facts) > 1:
        others = [fact for other in everything if other is not mention for fact in other.entry.facts]
        fitting = [fact for fact in facts if any(tree.holds(other, fact) for other in others if other not in facts)]
        if fitting:
            return _Named(fitting[0], _how(mention, fitting[0]), sureness, choice)
    for rule in rules_for(mention.phrase, source):
        chosen = rule.choose(facts, tree)
        if chosen:
            return _by_rule(mention, chosen[0], rule, choice=choice)
    if len(facts) > 1:
        sureness = min(sureness, _BY_CONTEXT)
    return _Named(facts[0], _how(mention, facts[0]), sureness, choice)


def _by_rule(mention: Mention, fact: Fact, rule: Rule, *, choice: bool) -> _Named:
    if fact in mention.entry.facts:
        sureness = mention.sureness if rule.where != "any" or not rule.note else min(mention.sureness, _TWO_SYSTEMS)
        return _Named(fact, _how(mention, fact), sureness, choice, rule.note)
    return _Named(fact, "synonym", min(mention.sureness, _BY_CONTEXT), choice, rule.note)


def _how(mention: Mention, fact: Fact) -> How:
    if mention.script == "spelling":
        return "spelling"
    return "exact" if fact.status == "accepted" else "synonym"


def _of_level(named: Sequence[_Named], tree: TaxonTree) -> Choice:
    """Bring the names of a level together: each choice to its narrowest, and several choices to what they share."""
    groups: list[list[_Named]] = [[named[0]]]
    for one in named[1:]:
        if one.choice:
            groups.append([one])
        else:
            groups[-1].append(one)
    chosen = [_of_group(group, tree) for group in groups]
    return chosen[0] if len(chosen) == 1 else _shared(chosen, tree)


def _of_group(group: Sequence[_Named], tree: TaxonTree) -> Choice:
    if len(group) == 1:
        return _single(group[0], tree, "")
    facts = [tree.accepted(one.fact) for one in group]
    last = [
        one
        for one, fact in zip(group, facts, strict=True)
        if not any(other is not fact and tree.holds(fact, other) for other in facts)
        and not any(other.fact.name.startswith(f"{one.fact.name} ") for other in group)
    ]
    note = ""
    if len({tree.accepted(one.fact) for one in last}) > 1:
        finest = max(_step(one.fact) for one in last)
        fine = [one for one in last if _step(one.fact) == finest]
        if len(fine) < len(last):
            wider = next(one.fact.name for one in last if one not in fine)
            note = f"the label puts it under {wider}"
            last = fine
    if len({tree.accepted(one.fact) for one in last}) > 1:
        return _shared([_single(one, tree, "") for one in last], tree)
    return _single(max(last, key=lambda one: one.sureness), tree, note)


def _single(one: _Named, tree: TaxonTree, note: str) -> Choice:
    fact = tree.accepted(one.fact)
    if not note:
        return Choice(fact, one.how, one.sureness, note=one.note)
    return Choice(fact, one.how, min(one.sureness, _TWO_SYSTEMS), note=f"{one.note}; {note}" if one.note else note)


def _shared(chosen: Sequence[Choice], tree: TaxonTree) -> Choice:
    """Give the lowest common ancestor of what was chosen; one taxon chosen twice is itself."""
    facts = tuple(dict.fromkeys(one.fact for one in chosen if one.fact is not None))
    note = "; ".join(dict.fromkeys(one.note for one in chosen if one.note))
    sureness = min(one.sureness for one in chosen)
    if len(facts) == 1:
        return Choice(facts[0], chosen[0].how, sureness, note=note)
    ancestor = tree.common_ancestor(facts)
    if ancestor is None:
        return Choice(parts=facts, note=note or "its parts share no taxon")
    return Choice(ancestor, "lowest common ancestor", min(sureness, _TWO_SYSTEMS), facts, note)


def _step(fact: Fact) -> int:
    return sum(width(fact) >= RANK_ORDER.index(rank) for rank in _STEPS)


def _narrowed(choice: Choice, everything: Sequence[Mention], tree: TaxonTree) -> Choice:
    """Narrow a wide taxon by a stage or part that only one group inside it has."""
    if choice.fact is None or choice.parts:
        return choice
    for mention in everything:
        if mention.entry.role in ("stage", "part") and mention.entry.facts:
            group = tree.accepted(mention.entry.facts[0])
            if group is not choice.fact and tree.holds(choice.fact, group):
                return Choice(group, choice.how, min(choice.sureness, _IMPLIED), note=choice.note)
    return choice


def _widened(choice: Choice, everything: Sequence[Mention], tree: TaxonTree) -> Choice:
    """What is like a species, or has an affinity to it, is not that species, but of its genus."""
    fact = choice.fact
    if fact is None or not any(one.entry.value in _NOT_THE_SPECIES for one in everything):
        return choice
    genus = [one for one in tree.path(fact)[:-1] if one.rank == "genus"]
    if not genus:
        return choice
    return choice._replace(fact=genus[0], note=f"like {fact.name}")


def _implied(everything: Sequence[Mention], tree: TaxonTree) -> Choice:
    """Give the group that stages, parts and shapes point to."""
    pointing = [one for one in everything if one.entry.role not in ("taxon", "link") and one.entry.facts]
    if not pointing:
        return Choice()
    named = [
        _Named(
            one.entry.facts[0], "spelling" if one.script == "spelling" else "exact", min(one.sureness, _IMPLIED), False
        )
        for one in pointing
    ]
    return _of_group(named, tree)

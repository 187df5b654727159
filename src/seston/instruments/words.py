"""The words of CytoClus exports, English and French, in one table each.

CytoClus itself labels in English even on a French computer; columns and keys are turned into French by people and by
the scripts that they pass exports through. Both spellings are read here and nowhere else. Matching ignores case,
accents, kind of apostrophe, dots, hyphens, underscores and repeated spaces.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from seston.particle import canonical_channel, split_parameter

__all__ = ["channel_name", "column_role", "fold", "info_key", "is_known_parameter", "parameter_name"]

_PHRASES: dict[str, tuple[str, ...]] = {
    "FWS": ("diffusion vers l'avant", "diffusion vers avant", "diffusion avant", "diffusion frontale"),
    "SWS": ("diffusion laterale", "diffusion de cote", "diffusion sur le cote", "diffusion a 90"),
    "FL Red": ("fluorescence rouge", "fl rouge"),
    "FL Orange": ("fluorescence orange",),
    "FL Yellow": ("fluorescence jaune", "fl jaune"),
    "FL Green": ("fluorescence verte", "fl vert", "fl verte"),
    "FL Blue": ("fluorescence bleue", "fl bleu", "fl bleue"),
    "FL Purple": ("fluorescence violette", "fluorescence pourpre", "fl violet", "fl pourpre"),
    "L": ("gauche",),
    "R": ("droite", "droit"),
    "Curvature": ("courbure",),
    "Polarized": ("polarisee", "polarise"),
    "Trigger1": ("declencheur 1", "declencheur1"),
    "Trigger2": ("declencheur 2", "declencheur2"),
    "Sample Length": (
        "longueur de l'echantillon",
        "longueur d'echantillon",
        "longueur echantillon",
        "nombre d'echantillons",
    ),
    "Arrival Time": ("temps d'arrivee", "heure d'arrivee", "instant d'arrivee", "temps arrivee", "heure arrivee"),
    "SWS covariance": ("covariance sws", "covariance avec sws"),
    "Center of gravity": ("centre de gravite",),
    "Fill factor": ("facteur de remplissage",),
    "Number of cells": ("nombre de cellules",),
    "Variable length": ("longueur variable",),
    "Length": ("longueur",),
    "Average": ("moyenne",),
    "Inertia": ("inertie",),
    "Asymmetry": ("asymetrie",),
    "First": ("premiere", "premier"),
    "Last": ("derniere", "dernier"),
    "Range": ("etendue",),
}
"""English words of channels and parameters → French phrases, folded."""

_ROLES: dict[str, tuple[str, ...]] = {
    "id": (
        "particle id",
        "id",
        "particleid",
        "particle",
        "particle number",
        "id particule",
        "id de la particule",
        "particule id",
        "identifiant",
        "identifiant particule",
        "identifiant de la particule",
        "numero",
        "numero de particule",
        "numero de la particule",
        "n° particule",
        "n° de particule",
        "particule",
    ),
    "label": (
        "label",
        "class",
        "species",
        "taxon",
        "raw label",
        "etiquette",
        "classe",
        "espece",
    ),
    "set": ("set", "set name", "sets", "ensemble", "jeu", "groupe cytoclus"),
}
"""What a column is for → whole names of it, folded. The order of the names is the order of preference."""

_INFO_KEYS: dict[str, tuple[str, ...]] = {
    "instrument": ("instrument", "appareil", "nom de l'instrument"),
    "serial number": ("serial #", "serial number", "serial", "numero de serie", "n° de serie", "n° serie"),
    "beam width": ("beam width", "largeur du faisceau", "largeur de faisceau", "largeur faisceau"),
    "core speed": ("core speed", "vitesse du coeur", "vitesse de coeur", "vitesse du flux", "vitesse coeur"),
    "comments": (
        "user comments",
        "user comment",
        "commentaires de l'utilisateur",
        "commentaire de l'utilisateur",
        "commentaires utilisateur",
        "commentaires",
        "commentaire",
    ),
    "date": (
        "measurement date",
        "date de la mesure",
        "date de mesure",
        "date mesure",
    ),
    "duration": (
        "measurement duration",
        "duree de la mesure",
        "duree de mesure",
        "duree mesure",
    ),
    "flow rate": ("flow rate", "debit", "debit d'echantillon", "vitesse de pompage"),
    "recorded": (
        "smart triggered number of particles",
        "nombre de particules declenchees intelligemment",
        "nombre de particules a declenchement intelligent",
        "nombre de particules smart trigger",
    ),
    "total": ("total number of particles", "nombre total de particules"),
    "concentration": ("concentration",),
    "volume": ("volume", "volume analyse"),
    "trigger level": ("trigger level", "niveau de declenchement", "seuil de declenchement", "niveau du declencheur"),
    "trigger level 1": ("trigger level 1", "niveau de declenchement 1", "seuil de declenchement 1"),
    "trigger level constant": (
        "trigger level constant",
        "constante du niveau de declenchement",
        "constante de niveau de declenchement",
    ),
    "smart trigger": (
        "smart triggered!",
        "smart triggered !",
        "smart triggered",
        "declenchement intelligent!",
        "declenchement intelligent !",
        "declenchement intelligent",
    ),
    "sensitivity": ("sensitivity level", "niveau de sensibilite"),
    "block size": ("cytousb block size", "taille de bloc cytousb", "taille des blocs cytousb"),
    "file version": ("file version", "version du fichier"),
    "pressure sensor": ("has pressure sensor", "capteur de pression", "possede un capteur de pression"),
    "curvature": ("has curvature", "courbure", "possede la courbure"),
    "channel": ("channel", "canal", "voie"),
    "trigger mark": ("trigger", "declencheur", "declenchement"),
}
"""What a line of an Info text is about → its keys, folded and without their unit."""


def fold(text: str) -> str:
    """Bring a word to the form in which the tables hold it.

    Examples
    --------
    >>> fold("Temps_d’Arrivée ")
    "temps d'arrivee"
    """
    text = text.replace("\ufeff", "").replace("’", "'").replace("œ", "oe").replace("Œ", "oe").replace("№", "n°")
    plain = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return re.sub(r"[\s._\-]+", " ", plain).strip().lower()


@lru_cache(maxsize=4096)
def column_role(name: str) -> str | None:
    """Tell what a column other than a measured value is for.

    Returns
    -------
    str or None
        ``id``, ``label`` or ``set``; None for any other column.
    """
    return _ROLE_BY_NAME.get(fold(name))


@lru_cache(maxsize=4096)
def channel_name(column: str) -> str:
    """Give the canonical channel of a column of a pulse table, from its English or French name."""
    return canonical_channel(_in_english(column))


@lru_cache(maxsize=4096)
def parameter_name(column: str) -> str:
    """Give the canonical name of a listmode column, from its English or French name.

    Examples
    --------
    >>> parameter_name("FL Rouge Centre de gravité")
    'FL Red Center of gravity'
    """
    channel, parameter = split_parameter(_in_english(column))
    return f"{channel} {parameter}" if channel else parameter


@lru_cache(maxsize=4096)
def is_known_parameter(column: str) -> bool:
    """Tell whether a column is a listmode parameter of a known channel, or one of the whole particle."""
    english = _in_english(column)
    channel, parameter = split_parameter(english)
    return channel is not None or parameter in _OF_THE_PARTICLE


@lru_cache(maxsize=1024)
def info_key(key: str) -> str | None:
    """Tell what a key of an Info text is about, its unit left aside; None for an unknown key."""
    without_unit = re.sub(r"[(\[].*", "", key)
    return _INFO_BY_KEY.get(fold(without_unit))


_OF_THE_PARTICLE = frozenset({"Sample Length", "Time of Arrival"})
_ROLE_BY_NAME = {name: role for role, names in _ROLES.items() for name in names}
_INFO_BY_KEY = {key: about for about, keys in _INFO_KEYS.items() for key in keys}
_ENGLISH_BY_PHRASE = {phrase: english for english, phrases in _PHRASES.items() for phrase in phrases}
_ANY_PHRASE = re.compile(
    r"(?<!\w)(?:"
    + "|".join(re.escape(phrase) for phrase in sorted(_ENGLISH_BY_PHRASE, key=len, reverse=True))
    + r")(?!\w)"
)


@lru_cache(maxsize=4096)
def _in_english(name: str) -> str:
    """Put English words in place of French ones; a name without any stays as it is."""
    folded = fold(name)
    translated = _ANY_PHRASE.sub(lambda match: _ENGLISH_BY_PHRASE[match.group()], folded)
    return name.replace("\ufeff", "") if translated == folded else translated

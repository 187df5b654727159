"""The list of all commands; each loads when it is called."""

from __future__ import annotations

from collections.abc import Sequence

from cyclopts import App, Group

from seston import __version__

__all__ = ["COMMANDS", "build_app"]

_START = Group("Start here", sort_key=0)
_DATA = Group("Files and data sets", sort_key=1)
_LEARN = Group("Learn", sort_key=2)
_NAME = Group("Name and count", sort_key=3)
_JUDGE = Group("Judge", sort_key=4)
_SHARE = Group("Share", sort_key=5)

COMMANDS: dict[str, tuple[str, Group]] = {
    "demo": ("seston.cli.judging:demo", _START),
    "readers": ("seston.cli.files:readers", _DATA),
    "import": ("seston.cli.files:import_", _DATA),
    "info": ("seston.cli.data:info", _DATA),
    "map": ("seston.cli.data:map_", _DATA),
    "annotate": ("seston.cli.data:annotate", _DATA),
    "split": ("seston.cli.data:split", _DATA),
    "simulate": ("seston.cli.files:simulate", _DATA),
    "versions": ("seston.cli.data:versions", _DATA),
    "tag": ("seston.cli.data:tag", _DATA),
    "compact": ("seston.cli.data:compact", _DATA),
    "train": ("seston.cli.learning:train", _LEARN),
    "recipes": ("seston.cli.learning:recipes", _LEARN),
    "embed": ("seston.cli.learning:embed", _LEARN),
    "models": ("seston.cli.models:models", _LEARN),
    "gallery": ("seston.cli.naming:gallery", _NAME),
    "identify": ("seston.cli.naming:identify", _NAME),
    "suggest": ("seston.cli.suggesting:suggest", _NAME),
    "count": ("seston.cli.naming:count", _NAME),
    "doctor": ("seston.cli.naming:doctor", _NAME),
    "evaluate": ("seston.cli.judging:evaluate", _JUDGE),
    "compare": ("seston.cli.comparing:compare", _JUDGE),
    "collections": ("seston.cli.collections:collections", _DATA),
    "export": ("seston.cli.exporting:export", _SHARE),
    "taxonomy": ("seston.cli.taxonomy:taxonomy", _DATA),
}
"""Command → its function or its group of functions, and the group that help shows it in."""


def build_app(tokens: Sequence[str] = ()) -> App:
    """Build the command line for the given words.

    Where they begin with a command, only the module of that command loads, when it is called; else all of these
    modules load, so that help can say what each command does. Rooms load only when a command runs.
    """
    app = App(
        name="seston",
        version=__version__,
        help="Turn the files of plankton imaging instruments into named, counted particles.",
        help_format="plaintext",
        help_epilogue="Exit codes: 0 done; 1 done in part or not done; 2 the call was wrong; 130 interrupted.",
        group_commands=Group("Help", sort_key=9),
        group_parameters=Group("Options"),
    )
    for position, (name, (where, group)) in enumerate(COMMANDS.items()):
        app.command(where, name=name, group=group, sort_key=position)
    app.register_install_completion_command(help="Let the shell complete commands and options.")
    if not tokens or tokens[0] not in COMMANDS:
        for name in COMMANDS:
            app[name]
    return app

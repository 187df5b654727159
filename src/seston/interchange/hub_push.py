"""Send a folder to a repository on the Hugging Face Hub: of a data set, or of a model.

The login is that of `huggingface_hub` (``hf auth login``, or ``HF_TOKEN``); it is never read, printed or kept here.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seston.errors import DataSetError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["check_hub", "push_folder"]

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_OF_THE_HUB = frozenset({".gitattributes"})
_TOKEN = re.compile(r"hf_[A-Za-z0-9]+")


def check_hub(repository: str) -> None:
    """Refuse to begin a long job that could not be sent afterwards.

    Raises
    ------
    UsageError
        The name is not of the form ``OWNER/NAME``.
    MissingExtraError
        `huggingface_hub` is not installed.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"{repository!r} is no repository of the Hub: give OWNER/NAME")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtraError("the Hugging Face Hub", "hub")


def push_folder(
    folder: Path,
    repository: str,
    files: Sequence[str],
    *,
    private: bool,
    overwrite: bool,
    leave: str,
    kind: Literal["dataset", "model"] = "dataset",
) -> str:
    """Send a folder; one that was sent in part is completed.

    Parameters
    ----------
    files
        What belongs to the export. A repository that holds anything else is left alone unless `overwrite`.
    leave
        A file of the folder that stays here.
    kind
        Of the repository.

    Returns
    -------
    str
        Address of the repository.

    Raises
    ------
    UsageError
        The repository holds other files, or there is no login that may write to it.
    DataSetError
        The Hub refuses, or does not answer.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    hub = HfApi(library_name="seston")
    try:
        hub.create_repo(repository, repo_type=kind, private=private, exist_ok=True)
        _check_free(hub, repository, files, kind, overwrite=overwrite)
        hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            repo_type=kind,
            commit_message="Add the data set" if kind == "dataset" else "Add the model",
            ignore_patterns=[leave, ".*.half"],
        )
    except UsageError:
        raise
    except LocalTokenNotFoundError:
        raise UsageError("there is no login for the Hugging Face Hub: run  hf auth login  first") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise UsageError(
                f"the Hub does not let this login write to {repository} ({status}): run  hf auth login  with a token "
                "that may write; the folder is whole"
            ) from None
        raise DataSetError(_refused(folder, repository, error)) from None
    except (OSError, ValueError, RuntimeError) as error:  # whatever the client makes of a broken connection
        raise DataSetError(_refused(folder, repository, error)) from None
    return f"{hub.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repository}"


def _check_free(hub: HfApi, repository: str, files: Sequence[str], kind: str, *, overwrite: bool) -> None:
    there = set(hub.list_repo_files(repository, repo_type=kind)) - _OF_THE_HUB
    if (strangers := sorted(there - set(files))) and not overwrite:
        raise UsageError(
            f"{repository} holds other files ({strangers[0]}, …): choose another repository, or say --overwrite"
        )


def _refused(folder: Path, repository: str, error: Exception) -> str:
    said = _TOKEN.sub("hf_…", " ".join(str(error).split()))[:300]
    return f"{repository}: sending did not end well ({said}); {folder} is whole: run the same command again to go on"

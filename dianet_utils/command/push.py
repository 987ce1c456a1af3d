"""``dianet push RUN``: a run's model and predictions to the Hugging Face hub, by the user's own token."""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dianet_utils.command.kept_runs import place_of
from dianet_utils.models import hub, saved
from dianet_utils.plumbing.errors import InputError
from dianet_utils.plumbing.files import shown

Files = Mapping[str, bytes]


def push(words: Sequence[str]) -> str:
    """Send what a run folder holds, or with ``--dry-run`` tell what would go; returns text for people.

    Raises InputError for what is no run folder, for clips that are not known to be generated without
    ``--licensed``, and where the hub cannot be reached or refuses.
    """
    options = _parser().parse_args(list(words))
    given = options.to and _checked(options.to)
    run = place_of(options.run).resolve()
    name = given or _checked(_name(run))
    repositories = _repositories(run)
    listed = "\n".join(_listing(kind, name, files) for kind, files in repositories.items())
    allowed = options.licensed or hub.is_generated(run)
    if options.dry_run:
        return "\n".join([listed, "Nothing was sent.", *([] if allowed else [_bound(run)])])
    if not allowed:
        raise InputError(_bound(run))
    sent = [_send(kind, name, files, not options.public) for kind, files in repositories.items()]
    return "\n".join([listed, *(f"sent to {address}" for address in sent)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dianet push", description="A run to the Hugging Face hub.")
    parser.add_argument("run", metavar="RUN", help="a run folder, or its path below results/")
    parser.add_argument(
        "--to", metavar="NAME", help="of both repositories, OWNER/NAME or NAME (default: the run's)"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell the files and their sizes, send nothing")
    parser.add_argument(
        "--public", action="store_true", help="make new repositories public (default: private)"
    )
    parser.add_argument(
        "--licensed", action="store_true", help="the licence of the data lets you give away what is listed"
    )
    return parser


def _name(run: Path) -> str:
    """The run's name with the letters that the hub takes."""
    return re.sub(r"[-.]{2,}", "-", re.sub(r"[^\w.-]", "_", run.name, flags=re.ASCII))[:96].strip("-.")


def _checked(name: str) -> str:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError:
        raise InputError(
            f"{name!r} is no name on the hub: give OWNER/NAME, of letters, digits, '-', '_' and '.', which "
            "neither begins nor ends with '-' or '.' and has no two of them together."
        ) from None
    return name


def _repositories(run: Path) -> dict[str, Files]:
    """The files of both repositories; a run without a kept model has that of the dataset alone."""
    files: dict[str, Files] = {}
    if (run / "model" / saved.NOTE).is_file():
        files["model"] = hub.model_files(run / "model")
    return files | {"dataset": hub.dataset_files(run)}


def _listing(kind: str, name: str, files: Files) -> str:
    rows = [f"    {file}  {len(content):,} bytes" for file, content in files.items()]
    return "\n".join([f"{kind} repository {name}:", *rows])


def _bound(run: Path) -> str:
    return (
        f"The clips of {shown(run)} are not known to be generated, and the licence of their data binds what "
        "is made of them, though no frame would go: read it, and if it lets you, add --licensed."
    )


def _send(kind: str, name: str, files: Files, private: bool) -> str:
    """Upload some files as one commit; returns the repository's address."""
    import httpx
    from huggingface_hub import HfApi, get_token

    token = get_token()
    if not token:
        raise InputError(
            "There is no token of Hugging Face: run 'hf auth login', or set HF_TOKEN, and push again."
        )
    try:
        with TemporaryDirectory() as folder:
            for file, content in files.items():
                (Path(folder) / file).write_bytes(content)
            api = HfApi(token=token)
            made = api.create_repo(name, repo_type=kind, private=private, exist_ok=True)
            api.upload_folder(repo_id=made.repo_id, folder_path=folder, repo_type=kind)
    except (httpx.HTTPError, OSError, ValueError) as error:  # the hub's answers are among them
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"The Hugging Face hub could not be reached, or refused the {kind} ({why})."
        ) from None
    return str(made)

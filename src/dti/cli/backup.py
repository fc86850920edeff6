"""``dti backup`` and ``dti restore``: what was copied, and what the person must know of the secrets."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from dti.cli.plain import problems
from dti.maintenance.backup import backup
from dti.maintenance.restore import restore
from dti.settings import Settings, get_settings

NO_SECRETS = """\
secrets.json is not in it. Without the pseudonym key a restored installation gives every person another pseudonym:
keep DTI_PSEUDONYM_KEY, or secrets.json, in a safe place of its own, or take the backup with --with-secrets."""
OTHER_PSEUDONYMS = """\
The pseudonym key is not the one of the backup: what lands from now on names persons by other pseudonyms than before.
If the old key is anywhere, put it back (DTI_PSEUDONYM_KEY or secrets.json) before the first night."""


def run_backup(folder: Path, *, with_secrets: bool, settings: Settings | None = None) -> None:
    """Take a backup and print what it holds."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    with problems.status("copying"):
        told = backup(folder, settings or get_settings(), with_secrets=with_secrets)
    batches = sum(name.startswith("landing/") for name in told.files)
    console.print(
        f"✓ {folder}: {told.dump}, {batches} batches, as of {told.taken_at:%Y-%m-%d %H:%M:%S} UTC", markup=False
    )
    console.print(
        "secrets.json is in it: keep it as safe as DTI_HOME itself" if with_secrets else NO_SECRETS, markup=False
    )


def run_restore(folder: Path, settings: Settings | None = None) -> None:
    """Restore a backup and print what was made."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    settings = settings or get_settings()
    with problems.status("restoring"):
        done = restore(folder, settings)
    console.print(
        f"✓ {settings.home_dir}: the warehouse as of {done.backup.taken_at:%Y-%m-%d %H:%M:%S} UTC", markup=False
    )
    for feed, rows in done.feeds.items():
        console.print(f"✓ {feed}: lake of {rows} rows, equal to the warehouse", markup=False)
    if not done.same_pseudonyms:
        console.print(OTHER_PSEUDONYMS, markup=False)

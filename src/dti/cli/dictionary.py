"""``dti dictionary``: the data dictionary as a file, from the comments of the database."""

from __future__ import annotations

from rich.console import Console

from dti import flow
from dti.settings import Settings, get_settings
from dti.warehouse import connect
from dti.warehouse.dictionary import render


def write_dictionary(*, check: bool = False, settings: Settings | None = None) -> bool:
    """Write docs/data-dictionary.md, or with ``check`` only compare it; whether it is what the database says."""
    settings = settings or get_settings()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    path = settings.project / "docs" / "data-dictionary.md"
    flow.prepare(settings)
    with connect.engine(settings, "loader").connect() as connection:
        wanted = render(connection)
    held = path.read_text("utf-8") if path.is_file() else ""
    if check:
        if held != wanted:
            console.print(f"{path} is not what the database says; make it anew: dti dictionary", markup=False)
        return held == wanted
    path.write_text(wanted, "utf-8")
    console.print(f"wrote {path}" if held != wanted else f"{path} was up to date", markup=False)
    return True

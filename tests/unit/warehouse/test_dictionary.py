"""docs/data-dictionary.md is what the database says of itself."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from dti.cli.dictionary import write_dictionary
from dti.settings import Settings
from dti.warehouse.connect import engine
from dti.warehouse.dictionary import render


def rendered(settings: Settings) -> str:
    with engine(settings, "loader").connect() as connection:
        return render(connection)


def test_the_committed_dictionary_is_what_the_database_says(warehouse: Settings) -> None:
    committed = (warehouse.project / "docs" / "data-dictionary.md").read_text("utf-8")
    assert committed == rendered(warehouse), "make it anew: dti dictionary"


def test_every_view_function_and_column_of_the_marts_is_explained(warehouse: Settings) -> None:
    page = rendered(warehouse)
    with engine(warehouse, "analyst").connect() as connection:
        columns = connection.execute(
            text("select table_name, column_name from information_schema.columns where table_schema = 'marts'")
        ).all()
    sections = {part.split("`", 1)[0]: part for part in page.split("### `marts.")[1:]}
    assert len(columns) > 200
    for table, column in columns:
        (line,) = [line for line in sections[table].splitlines() if line.startswith(f"| `{column}` |")]
        assert line.rstrip("| ").count("|") >= 3, line
    assert "rank_change(run_a text, run_b text)" in sections


def test_check_tells_an_old_file_and_writes_nothing(warehouse: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "project"
    (elsewhere / "docs").mkdir(parents=True)
    for name in ("include", "migrations"):
        (elsewhere / name).symlink_to(warehouse.project / name)
    settings = warehouse.model_copy(update={"project": elsewhere})
    path = elsewhere / "docs" / "data-dictionary.md"
    assert not write_dictionary(check=True, settings=settings)
    assert not path.exists()
    assert write_dictionary(settings=settings)
    assert write_dictionary(check=True, settings=settings)
    path.write_text(path.read_text("utf-8").replace("PDTI", "DTI"), "utf-8")
    assert not write_dictionary(check=True, settings=settings)

"""What the README tells a newcomer to do, works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dti.settings import Settings
from dti.sources.check import check_file
from tests.conftest import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")


def test_the_example_source_is_fit_to_be_scheduled(tmp_path: Path, settings: Settings) -> None:
    blocks = re.findall(r"```yaml\n(source: .*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    file = tmp_path / "dvc-khanh-hoa.yml"
    file.write_text(blocks[0], "utf-8")
    assert check_file(file) == []


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(str(p.relative_to(PROJECT)) for p in PROJECT.glob("docs/**/*.md"))]
)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (PROJECT / page).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not ((PROJECT / page).parent / link).exists()] == []

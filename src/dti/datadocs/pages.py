"""The pages' files: written when a night of a feed is loaded, and gone when they are old."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined

from dti.clock import ZONE
from dti.datadocs.read import batches_of, nights_of
from dti.feeds import load_contract
from dti.settings import Settings
from dti.store import store_of
from dti.warehouse import connect

HOME = "docs/quality"
_NIGHT, _FEED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"[a-z][a-z0-9_]{0,59}")


def build(feed: str, loaded: Iterable[date], *, settings: Settings) -> list[str]:
    """Write the pages of a feed for the nights just loaded, and those of kept nights that have none; drop old nights.

    So a page that a killed process left out is there after the feed's next load. Returns their names below DTI_HOME.
    """
    contract = load_contract(feed, settings.include_dir / "feeds")
    template = _environment().get_template("night.html.j2")
    written, store = [], store_of(settings)
    there = set(store.find(f"{HOME}/*/{feed}.html"))
    with connect.engine(settings, "loader").connect() as connection:
        kept = nights_of(connection, feed, settings.quality_docs_nights)
        anew = {night for night in kept if _name(feed, night) not in there} | (set(loaded) & set(kept))
        for night in sorted(anew):
            batches = batches_of(connection, feed, night, settings)
            page = template.render(contract=contract, night=night, batches=batches)
            store.replace(_name(feed, night), page.encode())
            written.append(_name(feed, night))
    _prune(settings)
    return written


def nights(settings: Settings) -> list[tuple[str, list[str]]]:
    """Night → feeds that have a page, newest night first."""
    store = store_of(settings)
    found: dict[str, list[str]] = {name: [] for name in store.folders(HOME) if _NIGHT.fullmatch(name)}
    for name in store.find(f"{HOME}/*/*.html"):
        night, page = name.split("/")[-2:]
        if night in found and page[0].islower():
            found[night].append(page.removesuffix(".html"))
    return sorted(found.items(), reverse=True)


def page(night: str, feed: str, settings: Settings) -> bytes | None:
    """The page of a night and feed, as named by somebody; None when there is none."""
    if not _NIGHT.fullmatch(night) or not _FEED.fullmatch(feed):
        return None
    name = f"{HOME}/{night}/{feed}.html"
    if settings.store_url is None and (settings.home_dir / name).is_symlink():
        return None
    try:
        return store_of(settings).read(name)
    except (FileNotFoundError, IsADirectoryError):
        return None


def _prune(settings: Settings) -> None:
    """Remove all but the newest nights, whatever feeds they are of."""
    store = store_of(settings)
    for folder in beyond_kept(settings):
        store.remove_folder(folder)


def beyond_kept(settings: Settings) -> list[str]:
    """Names below DTI_HOME of the folders of nights beyond those that are kept."""
    return [f"{HOME}/{night}" for night, _ in nights(settings)[settings.quality_docs_nights :]]


def _name(feed: str, night: date) -> str:
    return f"{HOME}/{night.isoformat()}/{feed}.html"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dti.datadocs"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["moment"] = lambda moment: f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}"
    environment.filters["count"] = lambda number: f"{number:,}".replace(",", " ")
    return environment

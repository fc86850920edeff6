"""``dti annual approve | reject | withdraw | bundle | verify``."""

from __future__ import annotations

from dti import flow
from dti.annual.bundle import bundle_name, write_bundle
from dti.annual.bundle import verify as faults_of
from dti.annual.model import RequestError
from dti.cli.annual_show import console, print_json
from dti.settings import Settings, get_settings
from dti.store import store_of


def approve(request_id: str, by: str, note: str, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """Publish the candidate of a request; ``by`` answers for it."""
    settings = settings or get_settings()
    _require_name(by)
    published = flow.annual_publish(request_id, approver=by, note=note, settings=settings)
    if as_json:
        print_json(published)
        return
    folder = store_of(settings).where(bundle_name(str(published["publication_id"])))
    told = f"published {published['publication_id']}, version {published['version']}"
    if published["approver"] != by:
        told += f"; it was approved before, by {published['approver']} on {published['approved_at'][:10]}, not by {by}"
    console().print(f"{told}\n{folder}", markup=False, soft_wrap=True)


def reject(request_id: str, by: str, note: str, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """Keep the candidate of a request unpublished, for the reason in ``note``."""
    _require_name(by)
    rejected = flow.annual_reject(request_id, rejecter=by, note=note, settings=settings or get_settings())
    if as_json:
        print_json(rejected)
        return
    console().print(f"{request_id} is rejected; its candidate {rejected['run_id']} is kept", soft_wrap=True)


def withdraw(request_id: str, reason: str, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """End an open request. Raises RequestError when it has ended already."""
    ended = flow.annual_end(request_id, "withdrawn", reason, settings=settings or get_settings())
    if ended["status"] != "withdrawn":
        raise RequestError(
            f"it is {ended['status']} already", where=request_id, remedy="nothing to withdraw: its year is free"
        )
    if as_json:
        print_json(ended)
        return
    console().print(f"{request_id} is withdrawn; its year can be asked for again")


def bundle(publication_id: str, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """Write the files of a publication and tell where they are."""
    settings = settings or get_settings()
    folder = write_bundle(publication_id, settings=settings)
    name = bundle_name(publication_id)
    names = [each.removeprefix(f"{name}/") for each in store_of(settings).below(name)]
    if as_json:
        print_json({"publication_id": publication_id, "folder": folder, "files": names})
        return
    console().print("\n".join([folder, *(f"  {name}" for name in names)]), markup=False, soft_wrap=True)


def verify(publication_id: str, *, as_json: bool = False, settings: Settings | None = None) -> bool:
    """Compare a publication and its files with what was published; True when nothing is wrong."""
    faults = faults_of(publication_id, settings=settings or get_settings())
    if as_json:
        print_json({"publication_id": publication_id, "faults": faults})
    else:
        said = faults or [f"{publication_id} is as it was published: its rows and its files"]
        console().print("\n".join(said), markup=False, soft_wrap=True)
    return not faults


def _require_name(by: str) -> None:
    if not by.strip():
        raise RequestError("nobody decides", where="--by", remedy="give the name of who decides")

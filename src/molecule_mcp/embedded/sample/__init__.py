"""The sample organization: about twenty-five agents of a small company, at work.

Ids are the same in every tenant (uuid5 of what a row is); times count back from the moment of planting.
"""

from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.sample.disks import contents
from molecule_mcp.embedded.sample.notes import notes
from molecule_mcp.embedded.sample.plant import Planter, organization, sample_id
from molecule_mcp.embedded.sample.shelf import shelf
from molecule_mcp.embedded.sample.upkeep import upkeep

__all__ = ["plant", "sample_id"]


def plant(instance: Instance) -> None:
    """Write everything; the caller holds the transaction."""
    planter = Planter(instance)
    organization(planter)
    notes(planter)
    contents(planter)
    shelf(planter)
    upkeep(planter)

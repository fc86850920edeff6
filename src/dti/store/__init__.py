"""Where durable files are: a folder, or an object store. Rooms ask for names below DTI_HOME, and need not know which.

What a store cannot do by itself is here too: a lease in place of a file's lock, and scratch for what must be a file
while it is worked on. What stays on this machine (``settings.local_dir``) has nothing to do with it.
"""

from dti.store.disk import DiskStore
from dti.store.errors import AlreadyThere, StoreError
from dti.store.kind import Store, disk_of, store_of
from dti.store.scratch import scratch

__all__ = ["AlreadyThere", "DiskStore", "Store", "StoreError", "disk_of", "scratch", "store_of"]

"""A feed is one kind of record with one schema; its contract stands in ``include/feeds/<feed>.yml``."""

from dti.feeds.contract import Column, Contract, PersonalField, feed_names, load_contract

__all__ = ["Column", "Contract", "PersonalField", "feed_names", "load_contract"]

"""Reading the official annex of a decision, as offices hold it, into a framework folder."""

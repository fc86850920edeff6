"""The wiring between Airflow and the library: nothing here computes, everything calls ``dti``."""

"""The wiring between Airflow and the library: nothing here computes, everything calls ``dti``."""

from dti.store.credentials import StoreCredentials, look_up_with


def _store_credentials() -> StoreCredentials:
    from dti_airflow.credentials import store_credentials

    return store_credentials()


look_up_with(_store_credentials)  # asked for when the store is first used, and only where DTI_HOME is one

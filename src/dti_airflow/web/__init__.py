"""What Airflow's api-server shows of this project, to those who are logged in."""

PREFIX = "/dti"
"""Where it is mounted."""

"""Annual recomputation as Airflow sees it: the form, the question to a person, and what happens when a task fails."""

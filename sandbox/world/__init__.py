"""What is true in the made-up country: pure functions of a seed, a unit and a time, before any agency reports it."""

"""The page at ``/``: the plan's progress for people, with exactly the figures that the API answers."""

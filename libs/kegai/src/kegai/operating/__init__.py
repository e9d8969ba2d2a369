"""What operators ask of a running installation: whether its chains hold, what a topic lacks, how an event went."""

"""``python -m talent api|worker|migrate``."""

from common.process import main

main("talent")

"""``python -m events api|projector|migrate``."""

from common.process import main

main("events")

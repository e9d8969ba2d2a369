"""``python -m measures api|worker|migrate``."""

from common.process import main

main("measures")

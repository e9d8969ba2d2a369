"""``python -m societies api|worker|migrate``."""

from common.process import main

main("societies")

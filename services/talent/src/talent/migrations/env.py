"""Runs this service's migrations."""

from common.migration import run_env

run_env()

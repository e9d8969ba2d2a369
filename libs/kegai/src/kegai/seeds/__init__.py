"""What a fresh stack is filled with: the real public structure, and a list of items that is marked as a sample."""

from kegai.seeds.data import Seeds, read
from kegai.seeds.planting import Planted, plant

__all__ = ["Planted", "Seeds", "plant", "read"]

"""Maps: users or entries as points of two or three dimensions."""

from pgaudience.mapping.maps import Map, make_map

__all__ = ["Map", "make_map"]

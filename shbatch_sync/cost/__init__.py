"""What a job will cost: tiles and pixels of its area, processing units of its evalscript.

Pure: nothing here reads a file, a clock or the network. tree-sitter, shapely and pyproj are imported when first used.
"""

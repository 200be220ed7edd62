"""A bounded reader of JavaScript values: what `setup()` of an evalscript returns, without an engine.

The script is parsed with tree-sitter and its syntax tree is evaluated here, over plain Python values. There is
no clock, no chance, no file and no network to reach from it; steps, depth and sizes are bounded. What depends on
something that is not known becomes `Unknown`; what is not understood raises `Doubt`. Both end as "not certain".
"""

"""Cells that readers change and run in the page: what they are, how a page shows them, and what their Python is given.

`runner` runs one cell, in the reader's browser and in the tests alike; `cells` reads ``chapters/<slug>.live.yml``; `page` puts
the cells into a chapter; `served` makes the files that stand beside the pages; ``worker.mjs`` joins Pyodide and `runner`.
"""

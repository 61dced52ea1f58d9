"""Traced graphs, kept from one process to the next: tracing is what a verb's first call costs.

`state` names what a model's graph depends on, `portable` makes a traced function one that stands
without Python, `cache` keeps it in a file, `traced_once` shares parts of graphs within a process,
and `collector` lets tracing go on undisturbed.
"""

"""``/datasets/combine/``: the wizard that makes a dataset out of others (product.md 7, P15).

``draft`` keeps the choices in the session, so that back, forward and a reload lose none; each step is a page:
``sources``, ``annotation_data``, ``labels`` and ``review`` with the conflicts.
"""

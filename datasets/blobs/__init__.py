"""The vault: bytes kept once, under names that are used once.

keys       how objects are named, and who may claim a name
store      the objects: a folder (local) or a bucket (s3), one interface
writer     bytes in: objects first, then rows, under a write intent
sweep      bytes out: rows first, then objects, from a durable list
reconcile  where both sides disagree
"""

"""Labels come in: from files inside an uploaded dataset, or uploaded on their own.

``work``      one import: claimed by lease, read, counted, made available or left to its owner with its problems
``upload``    the label files of a dataset's zip, called by its ingest
``sources``   the files of an import, out of the vault
``images``    what a label file may refer to
``sets``      which sets of labels the files are
``rows``      what was read becomes rows, chunk by chunk
``problems``  what was not used becomes rows too
``fit``       what files say, as the database can keep it
``bundles``   label files into the vault
``creation``  annotation data under a free name
"""

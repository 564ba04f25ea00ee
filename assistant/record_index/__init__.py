"""病历搜索: an index over structured notes, a small query language, and cohorts out of it.

It is no task: a task keeps its drafts with one patient, and what a search finds is of many, and
would stay when one of them is purged.  So results are never kept; what is kept is the index, whose
rows go with the patient.
"""

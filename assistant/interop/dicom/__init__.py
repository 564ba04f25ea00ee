"""DICOM on the network: series that arrive, the tasks they start, and the results that go out."""

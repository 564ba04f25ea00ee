"""What was found on an image, written as other systems read it: DICOM objects, NIfTI, pictures."""

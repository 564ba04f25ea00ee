"""票据识别: bills and laboratory sheets, from a photo to checked data."""

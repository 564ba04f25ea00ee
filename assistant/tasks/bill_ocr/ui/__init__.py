"""The page 票据识别: pages in, picture and fields side by side, corrections, the archive."""

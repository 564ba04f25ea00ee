"""The web pages for clinicians, mounted on the same application as the API."""

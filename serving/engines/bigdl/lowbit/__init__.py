"""The low-bit process: runs under another Python, which has torch and BigDL-LLM, nothing of ours.

Started as ``python -m lowbit`` in the folder above.  It must import nothing of Bedside outside of
this package.
"""

"""The page 评测: runs listed, their reports opened, two of them compared."""
